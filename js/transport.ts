// What a document's frames go over: a WebSocket, or HTTP where none can be opened. What goes over HTTP is in
// `http-socket.ts`, which is loaded when it is needed; whether sockets open is found out in `upgrades.ts`.
import type { EarlySocket } from "./early.js";
import { inflating } from "./inflate.js";
import { address, newSession, tokenOf } from "./options.js";
import type { OpenOptions, Presence, Status } from "./types.js";
import { AGAIN_MS, asks, goesOverHttp, UPGRADE_MS, watchUpgrade, wayTo } from "./upgrades.js";

/** Makes the connections of one document. */
export class Transport<P extends Presence> {
  readonly #options: OpenOptions<P>;
  readonly #url: string;
  /** The socket that was opened before the engine was there, for the first connection. */
  #early: EarlySocket | null;
  /** Makes sockets over HTTP, if the next connection goes over it. */
  #http: typeof import("./http-socket.js").HttpSocket | null = null;
  /** The last connection over HTTP did not open. */
  #httpFailed = false;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OpenOptions<P>, early: EarlySocket | null) {
    this.#options = options;
    this.#early = early;
    this.#url = options.url ?? "";
  }

  /** What the connection goes over; without one, the last or the next. */
  get name(): Status["transport"] {
    return this.#http === null ? "websocket" : "http";
  }

  /** The session that the engine is to have, if a socket was opened for it. */
  get session(): string | undefined {
    return this.#early?.session;
  }

  /** The address of a socket, for the next connection. `isWanted`: whether the caller still wants it. */
  async address(session: string, formats: string, isWanted: () => boolean): Promise<string> {
    const found = await (this.#early?.address(formats) ?? address(this.#options, session, formats));
    if (isWanted()) await this.#prepare(found);
    return found;
  }

  /** Decides what the next connection goes over. */
  async #prepare(address: string): Promise<void> {
    this.stop();
    this.#http = null;
    const { transport = "auto" } = this.#options;
    const way = wayTo(this.#url);
    if (transport === "websocket") return;
    const isDue = way.until > Date.now() && !this.#httpFailed;
    this.#httpFailed = false;
    if (transport === "http" || isDue) {
      // If the file cannot be loaded, this connection goes over a socket.
      this.#http = (await import("./http-socket.js").catch(() => null))?.HttpSocket ?? null;
      return;
    }
    // Asked beside the socket, which does not wait for the answer.
    if (way.failed > 0) way.answers = asks(address, this.#url);
  }

  /** Opens the connection that was asked for last. */
  connect(address: string): WebSocket {
    if (this.#http === null) {
      const early = this.#early?.take(address);
      if (early != null) return early;
      const socket = this.#open(address);
      watchUpgrade(this.#options, socket, address);
      return socket;
    }
    this.drop();
    const socket = new this.#http(address);
    let opened = false;
    socket.addEventListener("open", () => {
      opened = true;
      if (this.#options.transport !== "http") this.#tryAgain(socket, address);
    });
    socket.addEventListener("close", () => {
      this.stop();
      this.#httpFailed = !opened;
    });
    return socket as unknown as WebSocket;
  }

  #open(address: string): WebSocket {
    const Socket = (this.#options.WebSocket ?? WebSocket) as typeof WebSocket;
    const socket = new Socket(address);
    if (this.#options.WebSocket === undefined) inflating(socket);
    return socket;
  }

  /** Tries now and then whether a socket opens. If it does, the connection ends, and the next goes over a socket. */
  #tryAgain(current: { readyState: number; close(code?: number): void }, address: string): void {
    const failed = () => {
      goesOverHttp(this.#url, Date.now() + AGAIN_MS);
      if (current.readyState === 1) this.#tryAgain(current, address);
    };
    const open = async () => {
      const socket = this.#open(await this.#asAnother(address));
      let waits = true;
      const timer = setTimeout(() => socket.close(), UPGRADE_MS);
      socket.addEventListener("open", () => {
        waits = false;
        clearTimeout(timer);
        goesOverHttp(this.#url, 0);
        socket.close();
        current.close();
      });
      socket.addEventListener("close", () => {
        clearTimeout(timer);
        if (waits) failed();
      });
      // A socket of Node without a listener throws.
      socket.addEventListener("error", () => {});
    };
    this.#again = setTimeout(() => open().catch(failed), AGAIN_MS * (0.75 + Math.random() / 2));
  }

  /** The address with a fresh token, and for a session of its own, which submits nothing. */
  async #asAnother(address: string): Promise<string> {
    const url = new URL(address);
    url.searchParams.set("session", newSession());
    const token = await tokenOf(this.#options);
    if (token !== undefined) url.searchParams.set("token", token);
    return url.href;
  }

  /** The socket that was opened early is not wanted any more. */
  drop(): void {
    this.#early?.drop();
  }

  /** Ends the tries for a socket. */
  stop(): void {
    clearTimeout(this.#again);
  }

  /** The engine is gone, and with it the session that a socket was opened for. */
  died(): void {
    this.stop();
    this.drop();
    this.#early = null;
  }
}
