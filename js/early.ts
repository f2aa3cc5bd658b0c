// A socket that is opened while the module is still loading: on a slow line both take long, and neither needs the
// other.
//
// Events that come on the socket meanwhile are kept, and dispatched again, one by one, as soon as the engine listens.
// If a guess was wrong (another address) or the socket has closed by then, the engine connects as it does without this.
//
// On a device that has nothing, the engine will ask for all of the document. So that is asked for here at once, and
// comes while the module loads. The engine's own question, its first frame, is then left out.
import { isEmpty } from "./device-store.js";
import { inflating } from "./inflate.js";
import { address, databaseOf, isToConnect, newSession } from "./options.js";
import type { OpenOptions, Presence } from "./types.js";
import { triesSocket, watchUpgrade } from "./upgrades.js";

/** The formats that the engine will say it knows: `FORMATS` in `src/format.rs`. */
const FORMATS = "0,1";
/** How long the socket waits for the module. */
const PATIENCE_MS = 30_000;
/** Sync step 1 of a client that has nothing: an empty state vector. */
const ALL = Uint8Array.of(0, 0, 1, 0);

export class EarlySocket {
  /** The session of the engine that will take the socket. */
  readonly session = newSession();
  readonly #address: Promise<string>;
  readonly #late: ReturnType<typeof setTimeout>;
  #asked = false;
  #dropped = false;
  #socket: { address: string; socket: WebSocket } | null = null;
  /** All of the document was asked for. */
  #sent = false;
  readonly #events: Event[] = [];

  /** Opens a socket, if the document is to be connected. */
  static dial<P extends Presence>(options: OpenOptions<P>): EarlySocket | null {
    return isToConnect(options) && triesSocket(options) && canTellAgain(options) ? new EarlySocket(options) : null;
  }

  private constructor(options: OpenOptions<Presence>) {
    this.#address = address(options, this.session, FORMATS);
    this.#late = setTimeout(() => this.drop(), PATIENCE_MS);
    // The engine reports a token that failed: it gets the same promise.
    this.#address.then(
      (address) => this.#open(options, address),
      () => {},
    );
  }

  #open(options: OpenOptions<Presence>, address: string): void {
    if (this.#dropped) return;
    try {
      const socket = new WebSocket(address);
      inflating(socket);
      watchUpgrade(options, socket, address);
      socket.binaryType = "arraybuffer";
      for (const type of ["open", "message"]) socket.addEventListener(type, this.#keep);
      this.#socket = { address, socket };
      const opened = new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
      Promise.all([hasNothing(options), opened]).then(([nothing]) => {
        if (nothing && !this.#dropped && socket.readyState === WebSocket.OPEN) {
          socket.send(ALL);
          this.#sent = true;
        }
      });
    } catch {
      // The engine will run into the same error, and report it.
      this.drop();
    }
  }

  readonly #keep = (event: Event): void => {
    this.#events.push(event);
  };

  /** The address of the socket, when the engine asks for the first time and has the formats that the address names. */
  address(formats: string): Promise<string> | null {
    if (this.#asked || this.#dropped || formats !== FORMATS) {
      this.drop();
      return null;
    }
    this.#asked = true;
    return this.#address;
  }

  /**
   * The socket, if it goes to this address and is not closed. The events that have come on it are dispatched again in a
   * microtask: listeners have to be added before.
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
    if (this.#sent) leaveOutFirst(socket);
    queueMicrotask(() => {
      for (const event of this.#events.splice(0)) socket.dispatchEvent(event);
    });
    return socket;
  }

  /** Nobody will take the socket: closes it. */
  drop(): void {
    this.#dropped = true;
    clearTimeout(this.#late);
    this.#socket?.socket.close();
    this.#socket = null;
    this.#events.length = 0;
  }
}

/** Whether this device has nothing, so that the engine will find nothing. */
async function hasNothing<P extends Presence>(options: OpenOptions<P>): Promise<boolean> {
  const database = databaseOf(options);
  return database === null || isEmpty(database);
}

/**
 * Leaves out the engine's own step 1, which is the first frame that it sends. By then the device may have something,
 * stored by another tab: all of the document is an answer to that step 1 as well.
 */
function leaveOutFirst(socket: WebSocket): void {
  socket.send = (data) => {
    Reflect.deleteProperty(socket, "send");
    const [kind, step] = data as Uint8Array;
    if (kind !== ALL[0] || step !== ALL[1]) socket.send(data);
  };
}

/**
 * Whether events can be dispatched again. A class of the application's may not know how; Node before 22 has no class.
 */
function canTellAgain<P extends Presence>(options: OpenOptions<P>): boolean {
  return (
    options.WebSocket === undefined &&
    typeof WebSocket === "function" &&
    typeof WebSocket.prototype.dispatchEvent === "function"
  );
}
