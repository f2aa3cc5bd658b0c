// The socket, asked for while the module is on its way: on a slow line both take long, and neither needs the other.
//
// What comes on it meanwhile is kept, and told again, event by event, as soon as the engine listens. Should anything be
// other than it was taken for (the address, a socket that is closed already), the engine connects as it always does.
//
// On a device that has nothing, the engine will ask for all of the document: so that is asked for at once, and comes while
// the module does. What the engine then sends first is left out, for it has been sent.
import { address, databaseOf, isToConnect, newSession } from "./options.js";
import type { OpenOptions, Presence } from "./types.js";
import { triesSocket, watchUpgrade } from "./upgrades.js";

/** What the engine knows, as it will say: `FORMATS` in `src/format.rs`. */
const FORMATS = "0,1";
/** Nobody waits longer for the module. */
const PATIENCE_MS = 30_000;
/** Sync step 1 of who has nothing: an empty state vector. */
const ALL = Uint8Array.of(0, 0, 1, 0);
/** `DEFAULT_DATABASE` in `src/browser/store`. */
const DATABASE = "slate-yrs";

export class EarlySocket {
  /** Of the engine which is to come. */
  readonly session = newSession();
  readonly #address: Promise<string>;
  readonly #late: ReturnType<typeof setTimeout>;
  #asked = false;
  #dropped = false;
  #socket: { address: string; socket: WebSocket } | null = null;
  /** All of the document was asked for. */
  #sent = false;
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
      const opened = new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
      Promise.all([hasNothing(options), opened]).then(([nothing]) => {
        if (nothing && !this.#dropped && socket.readyState === WebSocket.OPEN) {
          socket.send(ALL);
          this.#sent = true;
        }
      });
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
    if (this.#sent) leaveOutFirst(socket);
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

/** Whether the engine will find nothing on this device, as far as that can be said without it. */
async function hasNothing<P extends Presence>(options: OpenOptions<P>): Promise<boolean> {
  const database = databaseOf(options);
  if (database === null) return true;
  try {
    return (await indexedDB.databases()).every(({ name }) => name !== (database || DATABASE));
  } catch {
    return false;
  }
}

/**
 * The engine's own step 1, which is the first that it sends, is left out. Should the device have something by then, which
 * another tab has brought: all of the document is an answer to that as well.
 */
function leaveOutFirst(socket: WebSocket): void {
  socket.send = (data) => {
    Reflect.deleteProperty(socket, "send");
    const [kind, step] = data as Uint8Array;
    if (kind !== ALL[0] || step !== ALL[1]) socket.send(data);
  };
}

/** Classes from elsewhere may know no events that are sent by hand; and Node's is not there before version 22. */
function canTellAgain<P extends Presence>(options: OpenOptions<P>): boolean {
  return (
    options.WebSocket === undefined &&
    typeof WebSocket === "function" &&
    typeof WebSocket.prototype.dispatchEvent === "function"
  );
}
