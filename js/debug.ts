// The log for debugging: what goes over the wire and how a document is doing, without tokens and without content.
import type { DebugEntry } from "./types.js";

/** The key in `localStorage` that makes every document of a page log, for as long as it is there. */
const SWITCH = "slate-yrs:debug";

/** Tells of something that has happened. */
export type DebugLog = (what: DebugEntry["what"], detail: string) => void;

/** What `debug` of {@link OpenOptions} asks for; `null`: nothing is logged. */
export function logOf(document: string, debug: boolean | ((entry: DebugEntry) => void) | undefined): DebugLog | null {
  const write = typeof debug === "function" ? debug : (debug ?? isSwitchedOn()) ? toConsole : null;
  if (write === null) return null;
  return (what, detail) => {
    try {
      write(Object.freeze({ at: Date.now(), document, what, detail }));
    } catch (error) {
      console.error("slate-yrs: what was given as `debug` has thrown", error);
    }
  };
}

function toConsole({ at, document, what, detail }: DebugEntry): void {
  console.debug(`slate-yrs ${new Date(at).toISOString().slice(11, 23)} ${document} ${what}: ${detail}`);
}

function isSwitchedOn(): boolean {
  try {
    return typeof localStorage === "object" && localStorage?.getItem(SWITCH) != null;
  } catch {
    // A sandboxed frame may not even look.
    return false;
  }
}

/** Logs what goes in and out. To be called before anybody else listens. */
export function watchSocket(socket: WebSocket, address: string, log: DebugLog): void {
  // The rest of the address is left out: it has the token.
  log("socket", `opening ${address.split("?")[0]}`);
  socket.addEventListener("open", () => log("socket", "open"));
  socket.addEventListener("close", ({ code, reason }) => log("socket", `closed, ${code} ${reason}`.trimEnd()));
  socket.addEventListener("message", ({ data }) => log("received", describe(data)));
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    log("sent", describe(data));
    send(data as Parameters<typeof send>[0]);
  };
}

const NAMES: Record<number, string> = {
  1: "awareness",
  3: "query awareness",
  120: "hello",
  121: "submit",
  122: "ack",
  123: "reject",
  124: "seed",
  125: "fragment",
  126: "ping",
  127: "pong",
};
const SYNC = ["sync step 1", "sync step 2", "update"];

/** A frame's messages in words: what each is, its numbers, and the size of its content. */
export function describe(data: unknown): string {
  if (typeof data === "string") return `text, ${data.length} characters`;
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!(bytes instanceof Uint8Array)) return "what is no frame";
  const reader = new FrameReader(bytes);
  const messages: string[] = [];
  try {
    while (reader.left > 0) messages.push(message(reader));
  } catch {
    messages.push("what is no message");
  }
  return messages.join(", ");
}

function message(reader: FrameReader): string {
  const tag = reader.number();
  const sized = (name: string) => `${name} (${reader.skip()} bytes)`;
  if (tag === 0) return sized(SYNC[reader.number()] ?? "sync");
  if (tag === 2) return reader.number() === 0 ? `denied: ${reader.text()}` : "auth";
  const name = NAMES[tag];
  if (name === undefined) throw new RangeError(`no message has the tag ${tag}`);
  if (tag === 3 || tag >= 126) return name;
  if (tag === 122) return `${name} ${reader.number()}`;
  if (tag === 121) return sized(`${name} ${reader.number()}`);
  if (tag === 123) return `${name} ${reader.number()}: ${reader.text()}, ${reader.text()}`;
  if (tag !== 125) return sized(name);
  const [id, index, count] = [reader.number(), reader.number(), reader.number()];
  return sized(`${name} ${id}, ${index + 1} of ${count}`);
}

/** Throws where the bytes end early. */
class FrameReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError("the frame ends early");
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  /** Passes over a sized field; returns its size. */
  skip(): number {
    const size = this.number();
    if (size > this.left) throw new RangeError("the frame ends early");
    this.#at += size;
    return size;
  }

  text(): string {
    const size = this.skip();
    return new TextDecoder().decode(this.#bytes.subarray(this.#at - size, this.#at));
  }
}
