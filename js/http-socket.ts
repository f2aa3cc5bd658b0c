// A connection over HTTP that looks like a WebSocket, for networks in which there are none: docs/PROTOCOL.md has the
// requests. Loaded when it is needed; `transport.ts` decides when.
//
// Bytes go up in numbered bodies, one at a time. Each body is sent again until it is answered; the server takes each
// once. Frames come down in answers, asked for one after the other. After an answer that breaks off, the next is asked
// for from the first frame that did not come. So requests may be lost, doubled or late, and still every frame comes
// once and in order.

/** Most bytes of a body: fewer than the megabyte that proxies take by default. */
const BODY_BYTES = 256 * 1024;
/** How long a request may take. */
const REQUEST_MS = 60_000;
/** How long nothing may come of an answer before it is given up. The server ends each by itself after 25 s. */
const ANSWER_MS = 45_000;
/** If nothing of an answer has come after this time, something on the way holds it back until it is whole. */
const HELD_BACK_MS = 3_000;
/** The pause before a failed request is made again: doubled with each failure in a row. */
const AGAIN_MS = 200;
/** After this many failures in a row the connection is over. */
const TRIES = 5;

/** No server sends a frame of more bytes than this. */
const MAX_RECORD = 64 << 20;

/** Origins whose answers come only when they are whole. */
const heldBack = new Set<string>();

/** The close code 1006 is never sent: it stands for a connection that ended without a code. */
const ABNORMAL = 1006;
const TOO_LARGE = 1009;

/** What a server says of a connection that is over. */
interface CloseNotice {
  code: number;
  reason: string;
}

/** The connection is over: the request will not succeed, however often it is made. */
class Over extends Error {
  readonly closing: CloseNotice;

  constructor(closing: CloseNotice) {
    super(closing.reason);
    this.closing = closing;
  }
}

export class HttpSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;

  binaryType = "arraybuffer";
  #state = HttpSocket.CONNECTING;
  readonly #url: URL;
  readonly #token: string | null;
  /** Ends what is under way. */
  readonly #stop = new AbortController();
  /** Not sent yet: frames, each behind its size; the first may be the rest of one. */
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  /** The number of the body under way, or of the last one. */
  #body = 0;
  #sending: Promise<void> | null = null;
  /** The code that the session closes with, once all that waits is sent. */
  #farewell: number | null = null;
  /** The number of the frame that comes next. */
  #next = 0;

  /** @param address That of a WebSocket: `wss://host/ws/scenes/ROOM?…`. */
  constructor(address: string) {
    super();
    this.#url = httpAddress(address);
    this.#token = this.#url.searchParams.get("token");
    // The token goes in a header, which no log has.
    this.#url.searchParams.delete("token");
    if (typeof window !== "undefined") window.addEventListener("pagehide", this.#leave);
    void this.#run();
  }

  get readyState(): number {
    return this.#state;
  }

  get url(): string {
    return this.#url.href;
  }

  get bufferedAmount(): number {
    return this.#waitingBytes;
  }

  /** Texts are left out: they are for old servers, and those have no HTTP. */
  send(data: ArrayBuffer | ArrayBufferView | string): void {
    if (this.#state !== HttpSocket.OPEN || typeof data === "string") return;
    // A copy: a view of the engine's memory will soon show something else.
    const frame =
      data instanceof ArrayBuffer
        ? new Uint8Array(data.slice(0))
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    if (frame.length === 0) return;
    this.#queue(varUint(frame.length));
    this.#queue(frame);
    void this.#sendAll();
  }

  close(code = 1000): void {
    if (this.#state >= HttpSocket.CLOSING) return;
    this.#farewell = code;
    if (this.#state === HttpSocket.OPEN) {
      this.#state = HttpSocket.CLOSING;
      this.#queue(new Uint8Array([0]));
      this.#queue(varUint(code));
      void this.#sendAll().then(() => this.#end({ code, reason: "" }));
    } else {
      this.#end({ code: ABNORMAL, reason: "" });
    }
  }

  // --- the connection's life

  async #run(): Promise<void> {
    try {
      const began = performance.now();
      await this.#open();
      const patience = Math.max(HELD_BACK_MS, 4 * (performance.now() - began));
      while (this.#state === HttpSocket.OPEN) await this.#listen(patience);
    } catch (error) {
      this.#end(error instanceof Over ? error.closing : { code: ABNORMAL, reason: "" });
    }
  }

  async #open(): Promise<void> {
    const asked = this.#request(this.#url, { method: "POST" }, REQUEST_MS, async (response) => ({
      status: response.status,
      answer: (await response.json().catch(() => null)) as { stream?: unknown } | null,
    }));
    const { status, answer } = await asked.catch(() => {
      throw new Over({ code: ABNORMAL, reason: "over HTTP the server cannot be reached" });
    });
    if (typeof answer?.stream !== "string") {
      const ending = endingOf(answer);
      // The server accepts a socket before it closes it with a code: so this opens too.
      if (ending !== null) this.#opened();
      throw new Over(ending ?? { code: ABNORMAL, reason: `over HTTP the server answers ${status}` });
    }
    this.#url.searchParams.set("stream", answer.stream);
    if (this.#state === HttpSocket.CONNECTING) this.#opened();
    else this.#leave();
  }

  #opened(): void {
    if (this.#state !== HttpSocket.CONNECTING) return;
    this.#state = HttpSocket.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  #end({ code, reason }: CloseNotice): void {
    if (this.#state === HttpSocket.CLOSED) return;
    const wasConnecting = this.#state === HttpSocket.CONNECTING;
    this.#state = HttpSocket.CLOSED;
    this.#stop.abort();
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    if (typeof window !== "undefined") window.removeEventListener("pagehide", this.#leave);
    // The engine waits for `open` or `error` before it looks at other events.
    if (wasConnecting) this.dispatchEvent(new Event("error"));
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason, wasClean: code !== ABNORMAL }));
  }

  /** The page goes, or nobody wants the connection any more. That closes a socket; here the server has to be told. */
  readonly #leave = (): void => {
    if (!this.#url.searchParams.has("stream")) return;
    const url = this.#with({ close: String(this.#farewell ?? 1001) });
    // Not through `#request`, which ends with the connection.
    fetch(url, { method: "POST", keepalive: true }).catch(() => {});
    this.#end({ code: 1001, reason: "" });
  };

  // --- down

  /** Reads one answer to its end; an answer that breaks off is asked for again. */
  async #listen(patience: number): Promise<void> {
    let failures = 0;
    for (;;) {
      const before = this.#next;
      const whole = heldBack.has(this.#url.origin);
      try {
        if (await this.#answer(whole, patience)) return;
      } catch (error) {
        if (error instanceof Over) throw error;
      }
      if (this.#state !== HttpSocket.OPEN) return;
      // The answer broke off. As long as each brings something, the next is asked for without a pause.
      failures = this.#next > before ? 0 : failures + 1;
      if (failures >= TRIES) throw new Over({ code: ABNORMAL, reason: "" });
      if (failures > 0) await pause(AGAIN_MS * 2 ** failures, this.#stop.signal);
    }
  }

  /** Asks for an answer and reads it. False: it broke off. */
  async #answer(whole: boolean, patience: number): Promise<boolean> {
    const url = this.#with({ from: String(this.#next), ...(whole && { whole: "1" }) });
    const records = new Records((frame) => this.#frame(frame));
    let came = false;
    const read = async (response: Response, alive: (ms: number) => void): Promise<boolean> => {
      if (!response.ok) {
        await this.#refused(response);
        return false;
      }
      const reader = response.body?.getReader();
      if (reader === undefined) {
        records.take(new Uint8Array(await response.arrayBuffer()));
        return this.#ended(records);
      }
      for (;;) {
        const { done, value } = await reader.read();
        if (value !== undefined) {
          came = true;
          alive(ANSWER_MS);
          records.take(value);
        }
        if (records.ending !== null || records.isDone) return this.#ended(records);
        if (done) return false;
      }
    };
    try {
      return await this.#request(url, { cache: "no-store" }, whole ? ANSWER_MS : patience, read);
    } catch (error) {
      // Something on the way waits for the answer's end; or nothing answers, and then whole answers are no worse.
      if (!whole && !came && !(error instanceof Over) && isAborted(error)) heldBack.add(this.#url.origin);
      throw error;
    }
  }

  #ended(records: Records): boolean {
    if (records.ending !== null) this.#end(records.ending);
    return records.isDone;
  }

  #frame(frame: Uint8Array<ArrayBuffer>): void {
    this.#next += 1;
    if (this.#state !== HttpSocket.OPEN) return;
    this.dispatchEvent(new MessageEvent("message", { data: frame.buffer }));
  }

  // --- up

  #queue(bytes: Uint8Array<ArrayBuffer>): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** Sends what waits, and what comes meanwhile, body after body. Resolves when nothing waits. */
  async #sendAll(): Promise<void> {
    if (this.#waitingBytes > 0) this.#sending ??= this.#bodies();
    await this.#sending;
  }

  async #bodies(): Promise<void> {
    try {
      while (this.#waitingBytes > 0) {
        this.#body += 1;
        await this.#post(this.#take());
      }
    } catch (error) {
      this.#end(error instanceof Over ? error.closing : { code: ABNORMAL, reason: "" });
    } finally {
      // In the same turn in which nothing waited any more: frames that come later start the next run.
      this.#sending = null;
    }
  }

  /** The next body: its number, and as many of the waiting bytes as a body may have. */
  #take(): Uint8Array<ArrayBuffer> {
    const number = varUint(this.#body);
    const size = Math.min(this.#waitingBytes, BODY_BYTES);
    const body = new Uint8Array(number.length + size);
    body.set(number);
    let at = number.length;
    while (at < body.length) {
      const first = this.#waiting[0]!;
      const part = first.subarray(0, body.length - at);
      body.set(part, at);
      at += part.length;
      if (part.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(part.length);
    }
    this.#waitingBytes -= size;
    return body;
  }

  async #post(body: Uint8Array<ArrayBuffer>): Promise<void> {
    const headers = { "content-type": "application/octet-stream" };
    for (let failures = 0; ; ) {
      try {
        const taken = await this.#request(
          this.#url,
          { method: "POST", headers, body },
          REQUEST_MS,
          async (response) => {
            if (!response.ok) await this.#refused(response);
            return response.ok;
          },
        );
        if (taken) return;
      } catch (error) {
        if (error instanceof Over || this.#stop.signal.aborted) throw error;
      }
      failures += 1;
      if (failures >= TRIES) throw new Over({ code: ABNORMAL, reason: "" });
      await pause(AGAIN_MS * 2 ** failures, this.#stop.signal);
    }
  }

  // --- requests

  /** The server has refused a request. Returns if it may be made again; otherwise throws `Over`. */
  async #refused(response: Response): Promise<void> {
    const answer: unknown = await response.json().catch(() => null);
    const { status } = response;
    if (status === 408 || status === 429 || status >= 500) return;
    const ending = endingOf(answer) ?? (status === 413 ? { code: TOO_LARGE, reason: "" } : null);
    throw new Over(ending ?? { code: ABNORMAL, reason: "" });
  }

  #with(query: Record<string, string>): URL {
    const url = new URL(this.#url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  /** Makes a request, and ends it after `ms`. `read` gets a function that starts this time anew. */
  async #request<T>(
    url: URL,
    init: RequestInit,
    ms: number,
    read: (response: Response, alive: (ms: number) => void) => Promise<T>,
  ): Promise<T> {
    const headers = new Headers(init.headers);
    const isOpening = !url.searchParams.has("stream");
    if (isOpening && this.#token !== null) headers.set("authorization", `Bearer ${this.#token}`);
    const end = new AbortController();
    const stop = () => end.abort();
    let timer = setTimeout(stop, ms);
    const alive = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(stop, ms);
    };
    this.#stop.signal.addEventListener("abort", stop);
    if (this.#stop.signal.aborted) stop();
    try {
      return await read(await fetch(url, { ...init, headers, signal: end.signal }), alive);
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", stop);
      stop();
    }
  }
}

/** `wss://host/ws/scenes/ROOM` goes with `https://host/http/scenes/ROOM`. */
export function httpAddress(address: string): URL {
  const url = new URL(address);
  url.protocol = url.protocol.replace("ws", "http");
  url.pathname = url.pathname.replace(/\/ws(?=\/[^/]*\/[^/]*$)/, "/http");
  return url;
}

/** The close code and reason that a refusal names: what a socket would have been closed with. */
function endingOf(answer: unknown): CloseNotice | null {
  const close = (answer as { error?: { close?: { code?: unknown; reason?: unknown } } } | null)?.error?.close;
  if (typeof close?.code !== "number") return null;
  return { code: close.code, reason: typeof close.reason === "string" ? close.reason : "" };
}

function varUint(value: number): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return new Uint8Array(bytes);
}

function isAborted(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === "AbortError";
}

/** Waits about `ms`, or until the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((wake) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      wake();
    };
    const timer = setTimeout(done, ms * (0.5 + Math.random()));
    signal.addEventListener("abort", done);
  });
}

/** Reads an answer's records as their bytes come. */
class Records {
  /** The connection is over. */
  ending: CloseNotice | null = null;
  /** Nothing more comes in this answer. */
  isDone = false;
  readonly #frame: (frame: Uint8Array<ArrayBuffer>) => void;
  /** The beginning of a record whose rest has not come yet. */
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(frame: (frame: Uint8Array<ArrayBuffer>) => void) {
    this.#frame = frame;
  }

  take(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    let at = 0;
    while (!this.isDone && this.ending === null) {
      const next = this.#record(all, at);
      if (next === null) break;
      at = next;
    }
    this.#rest = all.subarray(at);
  }

  /** Takes the record that begins here; where it ends, if it is whole. */
  #record(bytes: Uint8Array<ArrayBuffer>, begin: number): number | null {
    let at = begin;
    const number = (): number | null => {
      let value = 0;
      for (let factor = 1; ; factor *= 128) {
        const byte = bytes[at];
        if (byte === undefined) return null;
        at += 1;
        value += (byte & 127) * factor;
        if (byte < 128) return value;
        if (factor > 2 ** 45) throw new RangeError("what came is no record");
      }
    };
    const size = number();
    if (size === null) return null;
    if (size > MAX_RECORD) throw new RangeError("what came is no record");
    if (size > 0) {
      if (bytes.length < at + size) return null;
      this.#frame(bytes.slice(at, at + size));
      return at + size;
    }
    const kind = number();
    if (kind === null) return null;
    if (kind === 0) this.isDone = true;
    if (kind !== 1) return at;
    const code = number();
    const length = code === null ? null : number();
    if (code === null || length === null || bytes.length < at + length) return null;
    this.ending = { code, reason: new TextDecoder().decode(bytes.subarray(at, at + length)) };
    return at + length;
  }
}
