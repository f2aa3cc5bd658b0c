// The wire on which people without a server know of each other. It carries presence alone, at once; it says that it has
// nothing of the document, and drops what it is sent of it: the scenarios hand that over, in their orders.
//
// Without it every client would be the only one, and elected to write what normalizers ask for.

/** `messageSync` and its step 2 with an empty update, `messageAwareness`, `messageQueryAwareness` of y-protocols. */
const SYNC = 0;
const STEP_1 = 0;
const AWARENESS = 1;
const NOTHING = Uint8Array.of(SYNC, 1, 2, 0, 0);

/** The address of the wire: the room comes as its path. */
export const WIRE = "ws://wire.invalid";

const rooms = new Map<string, Set<Wire>>();

/** Takes the place of `WebSocket` for {@link WIRE}. */
export class Wire extends EventTarget {
  binaryType = "arraybuffer";
  readonly bufferedAmount = 0;
  readyState: 0 | 1 | 3 = 0;
  readonly #room: Set<Wire>;
  readonly #path: string;
  /** What it said of itself last. */
  #said: Uint8Array | null = null;

  constructor(url: string) {
    super();
    this.#path = new URL(url).pathname;
    this.#room = rooms.get(this.#path) ?? new Set();
    rooms.set(this.#path, this.#room.add(this));
    queueMicrotask(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.dispatchEvent(new Event("open"));
      for (const other of this.#room) if (other !== this && other.#said !== null) this.#hear(other.#said);
    });
  }

  send(bytes: Uint8Array): void {
    if (this.readyState !== 1) return;
    const message = Uint8Array.from(bytes);
    if (message[0] === SYNC && message[1] === STEP_1) this.#hear(NOTHING);
    if (message[0] !== AWARENESS) return;
    this.#said = message;
    for (const other of this.#room) if (other !== this) other.#hear(message);
  }

  close(code = 1000): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#room.delete(this);
    if (this.#room.size === 0) rooms.delete(this.#path);
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event("close"), { code, reason: "", wasClean: true })));
  }

  #hear(message: Uint8Array): void {
    queueMicrotask(() => {
      if (this.readyState !== 1) return;
      this.dispatchEvent(new MessageEvent("message", { data: Uint8Array.from(message).buffer }));
    });
  }
}
