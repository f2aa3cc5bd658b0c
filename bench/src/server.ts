// A y-websocket server inside the page: enough of one to bring twenty people's carets to the engine without a network.
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

const servers = new Map<string, FakeServer>();
let made = 0;

/** Answers a sync with nothing new and tells who is there. */
export class FakeServer {
  readonly url: string;
  /** The client has had its sync and the people. */
  readonly joined: Promise<void>;
  #joined: () => void = () => {};

  constructor(readonly people: Uint8Array) {
    made += 1;
    this.url = `ws://bench-${made}.invalid`;
    this.joined = new Promise((done) => {
      this.#joined = done;
    });
    servers.set(new URL(this.url).host, this);
  }

  answer(frame: Uint8Array, send: (frame: Uint8Array) => void): void {
    const decoder = decoding.createDecoder(frame);
    if (decoding.readVarUint(decoder) !== 0 || decoding.readVarUint(decoder) !== 0) return;
    send(message(0, 1, new Uint8Array([0, 0])));
    send(message(1, null, this.people));
    this.#joined();
  }
}

function message(type: number, kind: number | null, bytes: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, type);
  if (kind !== null) encoding.writeVarUint(encoder, kind);
  encoding.writeVarUint8Array(encoder, bytes);
  return encoding.toUint8Array(encoder);
}

class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  binaryType = "arraybuffer";
  bufferedAmount = 0;
  readyState = FakeSocket.CONNECTING;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly #server: FakeServer | undefined;

  constructor(readonly url: string) {
    super();
    this.#server = servers.get(new URL(url).host);
    setTimeout(() => {
      this.readyState = FakeSocket.OPEN;
      this.#emit(new Event("open"));
    });
  }

  send(bytes: Uint8Array | ArrayBuffer): void {
    const frame = new Uint8Array(bytes instanceof ArrayBuffer ? bytes.slice(0) : bytes);
    this.#server?.answer(frame, (answer) => {
      const data = answer.slice().buffer;
      setTimeout(() => this.#emit(new MessageEvent("message", { data })));
    });
  }

  close(): void {
    if (this.readyState === FakeSocket.CLOSED) return;
    this.readyState = FakeSocket.CLOSED;
    setTimeout(() => this.#emit(new CloseEvent("close", { code: 1000, wasClean: true })));
  }

  #emit(event: Event): void {
    this.dispatchEvent(event);
    const handler = this[`on${event.type}` as "onopen"];
    handler?.call(this, event);
  }
}

/** From now on sockets of this page end in a {@link FakeServer}. */
export function install(): void {
  Object.defineProperty(globalThis, "WebSocket", { value: FakeSocket, configurable: true, writable: true });
}
