// An open document: the public Collab over the engine's exports.
//
// Everything that goes into the engine passes `#into`, which makes its errors CollabErrors and stops at the door what
// comes after the end. Everything that comes out is one of the listener's calls; these may come in the midst of a call
// that goes in, and what listeners throw stays with them.
import type { Descendant, Operation, Range } from "slate";
import {
  checkIndex,
  checkString,
  decodeNodes,
  decodeOperations,
  decodeRange,
  encodeNodes,
  encodeOperation,
  encodeRange,
  wellFormed,
} from "./codec.js";
import {
  type EditOptions,
  type EngineConfig,
  type EngineHandle,
  type EngineListener,
  engine,
  ORIGINS,
} from "./engine.js";
import { CollabError, toCollabError } from "./errors.js";
import { Emitter } from "./events.js";
import { address, toJson } from "./options.js";
import { watchPage } from "./page.js";
import type { Collab, Events, OpenOptions, Origin, Peer, Presence, Status } from "./types.js";
import { Engine } from "./wasm.js";

/** The status of a document that is not open; where there is nothing to lose, nothing is unsaved. */
const CLOSED: Status = Object.freeze({
  connection: "closed",
  synced: false,
  saved: "server",
  pending: 0,
  setAside: 0,
  storage: "memory",
  offlineSince: null,
  retryAt: null,
  syncingOfflineChanges: false,
  progress: null,
  readOnly: false,
  conflict: null,
  error: null,
});

type InternalEvents = {
  operations: { operations: readonly Operation[]; origin: Origin };
  select: Range;
  diverged: undefined;
};

export class OpenCollab<P extends Presence> implements Collab<P> {
  readonly id: string;
  readonly [engine]: EngineHandle;

  readonly #options: OpenOptions<P>;
  readonly #session: string;
  readonly #events = new Emitter<Events<P>>();
  readonly #internal = new Emitter<InternalEvents>();
  #engine: Engine | null;
  #clientId = 0;
  /** Null when it has to be read anew. */
  #status: Status | null = null;
  #peers: readonly Peer<P>[] | null = null;
  #closing: Promise<void> | null = null;
  #ready: ((error: CollabError | null) => void) | null = null;
  #ended: (() => void) | null = null;
  readonly #stopWatching: () => void;
  #flushing = false;
  /** What the editor has done since the last flush; kept only if someone listens. */
  #local: Operation[] = [];

  /** Resolves when the local copy is loaded. */
  static async open<P extends Presence>(options: OpenOptions<P>, config: EngineConfig): Promise<OpenCollab<P>> {
    const collab = new OpenCollab(options, config);
    const error = await new Promise<CollabError | null>((resolve) => {
      if (collab.#engine === null) resolve(collab.#lastError());
      else if (collab.#isReady) resolve(null);
      else collab.#ready = resolve;
    });
    if (error !== null) {
      await collab.close();
      throw error;
    }
    return collab;
  }

  #isReady = false;

  private constructor(options: OpenOptions<P>, config: EngineConfig) {
    this.id = options.id;
    this.#options = options;
    this.#session = config.session;
    const initial = options.initialValue === undefined ? null : encodeNodes(options.initialValue);
    this[engine] = this.#handle();
    const json = toJson(config, "presence");
    // The engine reports while it is being made: nothing may be read from it before it is there.
    this.#engine = null;
    const made = guarded(() => new Engine(json, initial?.words ?? null, initial?.text ?? "", this.#listener()));
    this.#engine = made;
    this.#clientId = made.clientId;
    this.#stopWatching = watchPage({
      online: (online) => this.#into((to) => to.networkHint(online)),
      suspend: () => {
        this.#flush();
        this.#into((to) => to.suspend());
      },
    });
  }

  get clientId(): number {
    if (this.#engine !== null) this.#clientId = this.#engine.clientId;
    return this.#clientId;
  }

  value(): Descendant[] {
    this.#flush();
    const [words, text] = this.#demand((to) => to.value()) as [Uint32Array, string];
    return decodeNodes(words, text);
  }

  get status(): Status {
    this.#status ??= this.#readStatus();
    return this.#status;
  }

  get peers(): readonly Peer<P>[] {
    this.#peers ??= deepFreeze(JSON.parse(this.#into((to) => to.peers()) ?? "[]"));
    return this.#peers as readonly Peer<P>[];
  }

  on<E extends keyof Events<P>>(event: E, listener: (value: Events<P>[E]) => void): () => void {
    if (!EVENTS.has(event)) throw new CollabError("protocol", `there is no event ${String(event)}`);
    if (typeof listener !== "function") throw new CollabError("protocol", "a listener must be a function");
    return this.#events.on(event, listener);
  }

  setPresence(presence: Partial<P>): void {
    const json = toJson(presence, "presence");
    this.#demand((to) => to.setPresence(json));
  }

  undo(): boolean {
    this.#flush();
    return this.#demand((to) => {
      const can = to.canUndo;
      to.undo();
      return can;
    });
  }

  redo(): boolean {
    this.#flush();
    return this.#demand((to) => {
      const can = to.canRedo;
      to.redo();
      return can;
    });
  }

  get canUndo(): boolean {
    return this.#into((to) => to.canUndo) ?? false;
  }

  get canRedo(): boolean {
    return this.#into((to) => to.canRedo) ?? false;
  }

  connect(): void {
    this.#demand((to) => to.connect());
  }

  disconnect(): void {
    this.#demand((to) => to.disconnect());
  }

  whenSynced(): Promise<void> {
    return this.#when((status) => status.synced);
  }

  whenSaved(): Promise<void> {
    this.#flush();
    return this.#when((status) => status.saved === "server" && status.pending === 0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  stateVector(): Uint8Array {
    this.#flush();
    return this.#demand((to) => to.stateVector());
  }

  encodeState(stateVector?: Uint8Array): Uint8Array {
    if (stateVector !== undefined) checkBytes(stateVector, "a state vector");
    this.#flush();
    return this.#demand((to) => to.encodeState(stateVector));
  }

  applyUpdate(update: Uint8Array): void {
    checkBytes(update, "an update");
    this.#flush();
    this.#demand((to) => to.applyUpdate(update));
  }

  exportPending(): Uint8Array {
    this.#flush();
    return this.#demand((to) => to.exportPending());
  }

  async deleteLocal(options?: { discardPending?: boolean }): Promise<void> {
    this.#flush();
    let refused: CollabError | null = null;
    const stop = this.#events.on("error", (error) => {
      refused ??= error;
    });
    try {
      this.#demand((to) => to.deleteLocal(options?.discardPending === true));
    } finally {
      stop();
    }
    if (refused !== null) throw refused;
    await this.#settled();
  }

  // --- into the engine

  /** Runs `call` if the document is open. */
  #into<T>(call: (engine: Engine) => T): T | undefined {
    return this.#engine === null ? undefined : guarded(() => call(this.#engine as Engine));
  }

  /** Runs `call`, and throws if the document is closed. */
  #demand<T>(call: (engine: Engine) => T): T {
    if (this.#engine === null || this.#closing !== null) throw closedError();
    return guarded(() => call(this.#engine as Engine));
  }

  #flush(): void {
    if (!this.#flushing) return;
    this.#flushing = false;
    const operations = this.#local;
    this.#local = [];
    this.#into((to) => to.flush());
    if (operations.length > 0) this.#events.emit("change", { origin: "local", operations });
  }

  #edit(operation: Operation, options?: EditOptions): void {
    if (operation.type === "set_selection" || this.#engine === null) return;
    try {
      this.#into((to) => queue(to, operation, options?.normalization === true));
    } catch (error) {
      // The editor has applied it already: what it has and the document has not is mended by the binding.
      this.#report(toCollabError(error, "invalid-update"));
      this.#internal.emit("diverged", undefined);
      return;
    }
    if (this.#events.has("change")) this.#local.push(operation);
    if ("text" in operation && wellFormed(operation.text) !== operation.text)
      this.#internal.emit("diverged", undefined);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#quietly(() => this.#flush()));
  }

  /** Waits until the device has what it was given so far. */
  async #settled(): Promise<void> {
    await this.#into((to) => to.settled());
  }

  async #close(): Promise<void> {
    const open = this.#engine;
    if (open === null) return;
    this.#quietly(() => this.#flush());
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    this.#quietly(() => open.close());
    await ended;
    this.#stopWatching();
    this.#status = { ...this.status, connection: "closed", synced: false, retryAt: null };
    Object.freeze(this.#status);
    this.#peers = NOBODY;
    this.#engine = null;
    open.closeStore();
    // Calls into it may still be on the stack: it is freed after them.
    setTimeout(() => open.free());
    this.#events.emit("status", this.#status);
  }

  /** For what the editor and the page cause: there is no one to catch. */
  #quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#report(toCollabError(error, "wasm"));
    }
  }

  // --- out of the engine

  #listener(): EngineListener {
    return {
      ready: () => {
        this.#isReady = true;
        this.#ready?.(null);
      },
      operations: (origin, words, text) => this.#operations(ORIGINS[origin] ?? "remote", words, text),
      select: (words) => {
        const range = decodeRange(words);
        if (range !== null) this.#internal.emit("select", range);
      },
      diverged: () => this.#internal.emit("diverged", undefined),
      update: (origin, update) => this.#events.emit("update", { update, origin: ORIGINS[origin] ?? "remote" }),
      status: () => {
        this.#status = null;
        if (this.#events.has("status") && this.#engine !== null) this.#events.emit("status", this.status);
      },
      peers: () => {
        this.#peers = null;
        if (this.#events.has("peers") && this.#engine !== null) this.#events.emit("peers", this.peers);
      },
      error: (code, message) => this.#report(toCollabError({ code, message }, "protocol")),
      ended: () => {
        this.#ready?.(this.#lastError());
        this.#ended?.();
      },
      address: () => address(this.#options, this.#session),
    };
  }

  #operations(origin: Origin, words: Uint32Array, text: string): void {
    const operations = decodeOperations(words, text);
    this.#internal.emit("operations", { operations, origin });
    this.#events.emit("change", { origin, operations });
  }

  #reported: CollabError | null = null;

  #report(error: CollabError): void {
    this.#reported = error;
    this.#events.emit("error", error);
  }

  #lastError(): CollabError {
    return this.#reported ?? closedError();
  }

  #readStatus(): Status {
    const json = this.#into((to) => to.status());
    if (json === undefined) return CLOSED;
    const status = JSON.parse(json) as Status & { error: { code: string; message: string } | null };
    return deepFreeze({ ...status, error: status.error === null ? null : this.#sameError(status.error) });
  }

  /** The error that was reported, as the same object. */
  #sameError(error: { code: string; message: string }): CollabError {
    const reported = this.#reported;
    if (reported?.code === error.code && reported.message === error.message) return reported;
    return toCollabError(error, "protocol");
  }

  async #when(reached: (status: Status) => boolean): Promise<void> {
    if (this.#options.url === undefined) throw new CollabError("protocol", "this document has no server");
    if (this.#engine === null || this.#closing !== null) throw closedError();
    await new Promise<void>((resolve, reject) => {
      const look = (status: Status): boolean => {
        const failure = REFUSALS.has(status.connection) ? (status.error ?? refusal(status.connection)) : null;
        if (failure === null && !reached(status)) return false;
        stop();
        if (failure === null) resolve();
        else reject(failure);
        return true;
      };
      let stop: () => void = () => {};
      if (!look(this.status)) stop = this.#events.on("status", look);
    });
  }

  #handle(): EngineHandle {
    return {
      edit: (operation, options) => this.#edit(operation, options),
      flush: () => this.#quietly(() => this.#flush()),
      select: (range) => this.#quietly(() => this.#into((to) => to.select(encodeRange(range)))),
      onOperations: (listener) =>
        this.#internal.on("operations", ({ operations, origin }) => listener(operations, origin)),
      onSelect: (listener) => this.#internal.on("select", listener),
      onDiverged: (listener) => this.#internal.on("diverged", () => listener()),
      report: (message) => this.#report(new CollabError("invalid-update", message)),
      anchor: (range) => {
        this.#flush();
        const anchor = this.#demand((to) => to.anchor(encodeRange(range)));
        if (anchor === undefined) throw new CollabError("protocol", "the range does not lie in the document");
        return anchor;
      },
      resolve: (anchor) => {
        this.#flush();
        const words = this.#demand((to) => to.resolve(checkString(anchor, "an anchor")));
        return words === undefined ? null : decodeRange(words);
      },
    };
  }
}

const NOBODY: readonly never[] = Object.freeze([]);
const EVENTS: ReadonlySet<PropertyKey> = new Set<keyof Events<Presence>>([
  "status",
  "peers",
  "change",
  "update",
  "error",
]);
const REFUSALS: ReadonlySet<string> = new Set<Status["connection"]>(["unauthorized", "forbidden", "closed"]);

function refusal(connection: Status["connection"]): CollabError {
  if (connection === "unauthorized" || connection === "forbidden") {
    return new CollabError(connection, `the server answers: ${connection}`);
  }
  return closedError();
}

function closedError(): CollabError {
  return new CollabError("closed", "the document is closed");
}

/** Text operations as scalars, which is what most are; the others as a batch. */
function queue(to: Engine, operation: Exclude<Operation, { type: "set_selection" }>, normalization: boolean): void {
  if (normalization) {
    const { words, text } = encodeOperation(operation);
    to.normalize(words, text);
    return;
  }
  if ((operation.type === "insert_text" || operation.type === "remove_text") && operation.path.length <= 3) {
    const { path, text } = operation;
    for (const index of path) checkIndex(index);
    const offset = checkIndex(operation.offset);
    checkString(text, "text");
    if (operation.type === "insert_text")
      to.insertText(path.length, path[0] ?? 0, path[1] ?? 0, path[2] ?? 0, offset, text);
    else to.removeText(path.length, path[0] ?? 0, path[1] ?? 0, path[2] ?? 0, offset, text);
    return;
  }
  const { words, text } = encodeOperation(operation);
  to.edit(words, text);
}

function checkBytes(value: unknown, what: string): void {
  if (!(value instanceof Uint8Array)) throw new CollabError("protocol", `${what} must be a Uint8Array`);
}

/** The engine's errors as CollabErrors. */
function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toCollabError(error, "wasm");
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !(value instanceof Error)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
