// A socket as browsers have it, and a server that says hello, for the tests of the early socket.
import { WebSocket as NodeWebSocket } from "ws";

/** All that were made. */
export const made: BrowserSocket[] = [];

/** As browsers have it: events can be sent to it by hand. */
export class BrowserSocket extends EventTarget {
  static readonly OPEN = 1;
  readonly #socket: NodeWebSocket;
  binaryType = "blob";

  constructor(address: string) {
    super();
    made.push(this);
    this.#socket = new NodeWebSocket(address);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.on("open", () => this.dispatchEvent(new Event("open")));
    this.#socket.on("error", () => this.dispatchEvent(new Event("error")));
    this.#socket.on("message", (data: ArrayBuffer) => {
      if (this.binaryType !== "arraybuffer") throw new Error("what came is a blob");
      this.dispatchEvent(new MessageEvent("message", { data }));
    });
    this.#socket.on("close", (code, reason) =>
      this.dispatchEvent(Object.assign(new Event("close"), { code, reason: String(reason), wasClean: code !== 1006 })),
    );
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: Uint8Array): void {
    this.#socket.send(data.slice());
  }

  close(code?: number): void {
    this.#socket.close(code);
  }
}

const text = (string: string): number[] => {
  const bytes = new TextEncoder().encode(string);
  return [...(bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]), ...bytes];
};

/** Says hello. */
export function hello(socket: NodeWebSocket): void {
  const said = { version: 1, epoch: "one", role: "read-write", maxUpdateBytes: 1 << 20, maxFrameBytes: 1 << 20 };
  const rest = { ackedSeq: 0, heartbeatMs: 15_000, user: "ada" };
  socket.send(Uint8Array.of(120, ...text(JSON.stringify({ ...said, ...rest }))));
}

/** Says hello, and that the document is empty. */
export function durable(socket: NodeWebSocket): void {
  hello(socket);
  socket.send(Uint8Array.of(0, 1, 2, 0, 0));
}
