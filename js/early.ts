// The socket, asked for while the module is on its way: on a slow line both take long, and neither needs the other.
//
// What comes on it meanwhile is kept, and told again, event by event, as soon as the engine listens. Should anything be
// other than it was taken for (the address, a socket that is closed already), the engine connects as it always does.
import { address, isToConnect, newSession } from "./options.js";
import type { OpenOptions, Presence } from "./types.js";
import { triesSocket, watchUpgrade } from "./upgrades.js";

/** What the engine knows, as it will say: `FORMATS` in `src/format.rs`. */
const FORMATS = "0,1";
/** Nobody waits longer for the module. */
const PATIENCE_MS = 30_000;

export class EarlySocket {
  /** Of the engine which is to come. */
  readonly session = newSession();
  readonly #address: Promise<string>;
  readonly #late: ReturnType<typeof setTimeout>;
  #asked = false;
  #dropped = false;
  #socket: { address: string; socket: WebSocket } | null = null;
  readonly #events: Event[] = [];

  /** Dials, if the document is to be connected. */
  static dial<P extends Presence>(options: OpenOptions<P>): EarlySocket | null {
    return isToConnect(options) && triesSocket(options) && canTellAgain(options) ? new EarlySocket(options) : null;
  }

  private constructor(options: OpenOptions<Presence>) {
    this.#address = address(options, this.session, FORMATS);
    this.#late = setTimeout(() => this.drop(), PATIENCE_MS);
    // What the token's failure means is the engine's to say: it is given the same promise.
    this.#address.then(
      (address) => this.#open(options, address),
      () => {},
    );
  }

  #open(options: OpenOptions<Presence>, address: string): void {
    if (this.#dropped) return;
    try {
      const socket = new WebSocket(address);
      watchUpgrade(options, socket, address);
      socket.binaryType = "arraybuffer";
      for (const type of ["open", "message"]) socket.addEventListener(type, this.#keep);
      this.#socket = { address, socket };
    } catch {
      // The engine comes to the same, and says so.
      this.drop();
    }
  }

  readonly #keep = (event: Event): void => {
    this.#events.push(event);
  };

  /** The address that was dialled: the first time that the engine asks, if it is the one that it would dial. */
  address(formats: string): Promise<string> | null {
    if (this.#asked || this.#dropped || formats !== FORMATS) {
      this.drop();
      return null;
    }
    this.#asked = true;
    return this.#address;
  }

  /**
   * The socket, if it is one to this address and not closed. What has come on it is told again in a microtask: listen to
   * it before.
   */
  take(address: string): WebSocket | null {
    const socket = this.#socket?.address === address ? this.#socket.socket : null;
    if (socket === null || socket.readyState > WebSocket.OPEN) {
      this.drop();
      return null;
    }
    clearTimeout(this.#late);
    this.#socket = null;
    this.#dropped = true;
    for (const type of ["open", "message"]) socket.removeEventListener(type, this.#keep);
    queueMicrotask(() => {
      for (const event of this.#events.splice(0)) socket.dispatchEvent(event);
    });
    return socket;
  }

  /** Nobody will take it. */
  drop(): void {
    this.#dropped = true;
    clearTimeout(this.#late);
    this.#socket?.socket.close();
    this.#socket = null;
    this.#events.length = 0;
  }
}

/** Classes from elsewhere may know no events that are sent by hand; and Node's is not there before version 22. */
function canTellAgain<P extends Presence>(options: OpenOptions<P>): boolean {
  return (
    options.WebSocket === undefined &&
    typeof WebSocket === "function" &&
    typeof WebSocket.prototype.dispatchEvent === "function"
  );
}
