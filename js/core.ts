// One document's place in the engine: starts it, feeds it, and starts it again should the whole engine fail.
//
// Every call into the engine passes `into` or `demand`, which make its errors CollabErrors, notice when it has failed,
// and stop at the door what comes after the end. The engine calls back through the listener, which may happen in the
// midst of a call into it.
import type { Operation, Range } from "slate";
import {
  type Batch,
  decodeOperations,
  decodeRange,
  encodeNodes,
  encodeOperations,
  encodeRange,
  wellFormed,
} from "./codec.js";
import { type DebugLog, logOf, watchSocket } from "./debug.js";
import type { EarlySocket } from "./early.js";
import { type EngineListener, type Kinds, ORIGINS } from "./engine.js";
import { CollabError, toCollabError } from "./errors.js";
import { soon } from "./events.js";
import { toJson } from "./json.js";
import { address, engineConfig } from "./options.js";
import { askToPersist, watchPage } from "./page.js";
import { Backup, instance, isRecovering, isTrap, type Revivable, register, trapped } from "./recovery.js";
import { commitText, isShortText } from "./short-text.js";
import { decodeNews } from "./status.js";
import { Tabs, type TabWatcher } from "./tabs.js";
import type { OpenOptions, Origin, Presence } from "./types.js";
import { Engine } from "./wasm.js";

/** `normalization`: made by the editor's normalizers after a change by others. */
interface QueuedEdit {
  operation: Operation;
  normalization: boolean;
}

/** Who is told. */
export interface Sink {
  /** Whether anybody is told of operations: nobody is while a document is opened. */
  hears(): boolean;
  /** For the editor: apply as one batch. */
  operations(operations: readonly Operation[], origin: Origin): void;
  /** For the editor: restore the selection. */
  select(range: Range): void;
  /** For the editor: it may differ from the document. */
  diverged(): void;
  /** For the editor: compare these of its children with the document's. */
  compare(blocks: Uint32Array): void;
  /** For the application. */
  change(operations: readonly Operation[], origin: Origin): void;
  update(update: Uint8Array, origin: Origin): void;
  /** `acknowledged`: the server has every own edit. `receiving`: what it sends can be kept on the device. */
  status(acknowledged: boolean, receiving: boolean): void;
  peers(): void;
  /** Of a map: entries as JSON, and whether these are all. */
  values(map: string, entries: string, whole: boolean, origin: Origin): void;
  /** The engine was started again: it follows no map. */
  revived(): void;
  error(error: CollabError): void;
}

const NO_NEWS = { acknowledged: false, receiving: false };
const CLOSE_TIMEOUT_MS = 8_000;

/** The update that changes nothing. */
const NOTHING = new Uint8Array(2);

/** Where in its life a document is. `down`: the engine has failed and is being started again. */
type Life = "opening" | "open" | "down" | "closing" | "closed";

export class Core<P extends Presence> implements Revivable {
  readonly #options: OpenOptions<P>;
  readonly #sink: Sink;
  readonly #initial: Batch | null;
  readonly #leave: (() => void)[];
  readonly log: DebugLog | null;
  #life: Life = "opening";
  #engine: Engine | null = null;
  /** Counts the starts; what an earlier one still says is not heard. */
  #start = 0;
  #socket: WebSocket | null = null;
  /** What the first connection may begin with. */
  #early: EarlySocket | null;
  #opened: { resolve: () => void; reject: (error: CollabError) => void } | null = null;
  #ended: (() => void) | null = null;
  #lastError: CollabError | null = null;

  /** What the editor has done and the document has not yet. */
  #queued: QueuedEdit[] = [];
  /** How many of these the engine is being told. */
  #committing = 0;
  /** What the document has and the application was not told yet. */
  #done: Operation[] = [];
  #flushScheduled = false;

  // What a fresh engine has to be told again.
  #presence: object | null;
  #online: boolean;
  #selection: Range | null = null;
  /** What the editor says of types of elements. */
  #kinds: Kinds = () => 0;
  #restoring = false;
  /** Nothing more is taken; a document that is down is still brought back, for what it has not written. */
  #shut = false;
  #back: (() => void) | null = null;
  /** What the other tabs have to know of changes made here. */
  #epoch: string | undefined;
  #kept = false;
  readonly #backup: Backup | null;
  #tabs: Tabs | null = null;
  #receiving = false;
  /** The engine that runs has the document. */
  #isReady = false;

  constructor(options: OpenOptions<P>, sink: Sink, early: EarlySocket | null = null) {
    this.#options = options;
    this.#early = early;
    this.#sink = sink;
    this.log = logOf(options.id, options.debug);
    this.#initial = options.initialValue === undefined ? null : encodeNodes(options.initialValue);
    this.#presence = options.presence === undefined ? null : { ...options.presence };
    this.#online = options.connect ?? true;
    this.#backup = engineConfig(options).store === null ? new Backup() : null;
    this.#run();
    this.#leave = [
      register(this),
      watchPage({
        online: (online) => this.quietly(() => this.#call(this.#engine, (to) => to.networkHint(online))),
        suspend: () =>
          this.quietly(() => {
            this.flush();
            this.into((to) => to.suspend());
          }),
        awake: () => this.quietly(() => this.#call(this.#engine, (to) => to.awake())),
      }),
    ];
  }

  get isClosed(): boolean {
    return this.#shut || this.#life === "closing" || this.#life === "closed";
  }

  /** One that is started again has nothing of the document until it is loaded. */
  get #loaded(): Engine | null {
    return this.#life === "down" ? null : this.#engine;
  }

  /** Resolves when the local copy is loaded. */
  async opened(): Promise<void> {
    if (this.#life !== "opening") return this.isClosed ? Promise.reject(this.#lastError ?? closedError()) : undefined;
    await new Promise<void>((resolve, reject) => {
      this.#opened = { resolve, reject };
    });
  }

  /** Somebody may listen to operations from now on: see `Sink.hears`. */
  hear(): void {
    if (this.#sink.hears()) this.#call(this.#engine, (to) => to.hear());
  }

  /** Which elements are inline and void from now on. */
  setSchema(kinds: Kinds): void {
    this.#kinds = kinds;
    this.into((to) => to.schemaChanged());
  }

  /** A word is being composed in an editor, or is finished. */
  composing(begins: boolean): void {
    this.quietly(() => this.into((to) => to.composing(begins)));
  }

  /** What others see of this user's name. */
  get name(): string {
    const { name } = (this.#presence ?? {}) as Partial<Presence>;
    return typeof name === "string" ? name : "";
  }

  // --- into the engine

  /** Runs `call` if there is an engine that has the document. */
  into<T>(call: (engine: Engine) => T): T | undefined {
    return this.#call(this.#loaded, call);
  }

  #call<T>(engine: Engine | null, call: (engine: Engine) => T): T | undefined {
    if (engine === null) return undefined;
    try {
      return call(engine);
    } catch (error) {
      throw isTrap(error) ? trapped(error) : toCollabError(error, "wasm");
    }
  }

  /** Runs `call`, and throws if the document is closed. */
  demand<T>(call: (engine: Engine) => T): T {
    if (this.isClosed) throw closedError();
    if (this.#loaded === null) throw new CollabError("wasm", "the engine is being started again");
    return this.into(call) as T;
  }

  /** For what the editor and the page cause: there is nobody to catch. A trap is reported by itself. */
  quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error !== this.#lastError) this.#report(toCollabError(error, "wasm"));
    }
  }

  /** Whether the editor has done what the engine was not told yet. */
  get hasQueued(): boolean {
    return this.#queued.length > 0;
  }

  edit(operation: Operation, normalization = false): void {
    if (operation.type === "set_selection" || this.isClosed) return;
    this.#queued.push({ operation, normalization });
    if ("text" in operation && wellFormed(operation.text) !== operation.text) this.#sink.diverged();
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    soon(this.#flushQuietly);
  }

  readonly #flushQuietly = (): void => this.quietly(() => this.flush());

  /** What is queued becomes one transaction; two or more where user and normalizers take turns. */
  flush(): void {
    if (!this.#flushScheduled || this.#loaded === null) return;
    this.#flushScheduled = false;
    // A listener of the engine's may have led here: what it is at is not for a second time.
    this.#taken();
    while (this.#queued.length > 0 && this.#engine !== null) {
      const { normalization } = this.#queued[0]!;
      const end = this.#queued.findIndex((edit) => edit.normalization !== normalization);
      const run = end < 0 ? [...this.#queued] : this.#queued.slice(0, end);
      this.#committing = run.length;
      this.#commit(run, normalization);
      this.#taken();
      // Not before there is something of this user's to keep.
      if (!normalization && this.#backup === null) askToPersist();
    }
    this.#tellDone();
  }

  /** The editor has applied it all already: what the engine cannot be told, the editor is mended of. */
  #commit(run: readonly QueuedEdit[], normalization: boolean): void {
    const first = run[0]!.operation;
    try {
      if (run.length === 1 && !normalization && isShortText(first)) {
        this.into((to) => commitText(to, first));
        return;
      }
      const { words, text } = encodeOperations(run.map(({ operation }) => operation));
      this.into((to) => to.commit(words, text, normalization));
    } catch (error) {
      // After a trap, they are told again to the next engine.
      if (this.#engine === null) throw error;
      if (run.length > 1) {
        for (const edit of run) this.#commit([edit], normalization);
        return;
      }
      if (error !== this.#lastError) this.#report(toCollabError(error, "invalid-update"));
      this.#sink.diverged();
    }
  }

  select(range: Range | null): void {
    this.flush();
    const words = encodeRange(range);
    this.#selection = range;
    this.into((to) => to.select(words));
  }

  setPresence(presence: Partial<P>): void {
    const json = toJson(presence, "presence");
    if (this.isClosed) throw closedError();
    this.into((to) => to.setPresence(json));
    this.#presence = { ...this.#presence, ...presence };
  }

  /** What peers see of this user. */
  get presence(): object | null {
    return this.#presence;
  }

  /** Shows this beside the presence for a while: an engine that is started again is not told of it. */
  show(more: Record<string, unknown>): void {
    this.quietly(() => this.into((to) => to.setPresence(toJson(more, "the messages"))));
  }

  setOnline(online: boolean): void {
    if (this.isClosed) throw closedError();
    this.#online = online;
    if (!online) this.#early?.drop();
    this.#call(this.#engine, (to) => (online ? to.connect() : to.disconnect()));
  }

  /** Resolves when the device's copy is deleted. */
  async deleteLocal(discardPending: boolean): Promise<void> {
    await this.demand((to) => to.deleteLocal(discardPending));
    this.#tabs?.deleted();
  }

  /** Whether the server sends changes, and the device takes them. */
  receives(can: boolean): void {
    this.#receiving = can;
    this.#tabs?.receives(can);
  }

  /** The server has every own edit. */
  acknowledged(): void {
    this.#backup?.acknowledged();
  }

  async close(): Promise<void> {
    if (this.#life === "closed") return;
    this.quietly(() => this.flush());
    this.#shut = true;
    this.#early?.drop();
    if (this.#life === "down") await this.#restarted();
    this.#life = "closing";
    const open = this.#engine;
    if (open !== null) {
      const ended = new Promise<void>((resolve) => {
        this.#ended = resolve;
      });
      // The session itself waits no longer than five seconds for the device.
      const late = setTimeout(() => this.#ended?.(), CLOSE_TIMEOUT_MS);
      this.quietly(() => this.into((to) => to.close()));
      await ended;
      clearTimeout(late);
    }
    this.#life = "closed";
    this.#tabs?.close();
    for (const leave of this.#leave) leave();
    // It may have died meanwhile, and then nothing may touch it.
    if (this.#engine !== null) this.#free(this.#engine);
    this.#engine = null;
  }

  /** When an engine that is started again has the document, and what was queued; or when there will be none. */
  async #restarted(): Promise<void> {
    let late: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#back = resolve;
      late = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    clearTimeout(late);
  }

  #free(engine: Engine): void {
    engine.closeStore();
    // Calls into it may be on the stack, down to the one that closed it: it is freed after them.
    const born = instance();
    setTimeout(() => {
      if (instance() === born && !isRecovering()) this.quietly(() => engine.free());
    });
  }

  // --- the engine's life

  #run(): void {
    const config = engineConfig(this.#options, this.#early?.session);
    if (config.remote !== "none") config.remote = this.#online ? "connect" : "wait";
    config.presence = this.#presence;
    const json = toJson(config, "presence");
    if (config.store !== null) this.#tabs = this.#joinTabs(config.store.database ?? "", config.session);
    this.#epoch = undefined;
    this.#kept = false;
    this.#start += 1;
    this.#isReady = false;
    let ready = false;
    const listener = this.#listener(this.#start, config.session, () => {
      ready = true;
      if (this.#engine !== null) this.#whenReady();
    });
    try {
      this.#engine = new Engine(json, this.#initial?.words ?? null, this.#initial?.text ?? "", listener);
    } catch (error) {
      throw isTrap(error) ? trapped(error) : toCollabError(error, "wasm");
    }
    this.hear();
    if (this.#tabs?.agree) this.#call(this.#engine, (to) => to.keep(false));
    if (ready) this.#whenReady();
  }

  #whenReady(): void {
    const revived = this.#life === "down";
    if (revived || this.#life === "opening") this.#life = "open";
    if (revived) this.#restore();
    this.#isReady = true;
    this.#tabs?.ready();
    this.#back?.();
    this.#opened?.resolve();
    this.#opened = null;
  }

  /** Brings a fresh engine to where the one before it was. */
  #restore(): void {
    const edits = this.#queued;
    this.#queued = [];
    this.#restoring = true;
    let seq = 0;
    for (const { update, own } of [...(this.#backup?.entries() ?? [])]) {
      seq += 1;
      this.quietly(() => this.into((to) => (own ? to.adopt(seq, update) : to.applyUpdate(update))));
    }
    this.#queued = [...edits, ...this.#queued];
    this.#flushScheduled = true;
    this.quietly(() => this.flush());
    this.#restoring = false;
    if (this.#engine === null) return;
    const presence = this.#presence;
    if (presence !== null) this.quietly(() => this.into((to) => to.setPresence(toJson(presence, "presence"))));
    const selection = this.#selection;
    if (selection !== null) this.quietly(() => this.select(selection));
    this.#sink.diverged();
    const flat = this.into((to) => to.status());
    const { acknowledged, receiving } = flat === undefined ? NO_NEWS : decodeNews(flat);
    this.#sink.status(acknowledged, receiving);
    this.#sink.peers();
    this.#sink.revived();
  }

  died(error: CollabError): void {
    this.#engine = null;
    this.#early?.drop();
    this.#early = null;
    this.#socket?.close();
    this.#socket = null;
    this.#tabs?.close();
    this.#flushScheduled = false;
    this.#committing = 0;
    // Should it be one of these that the engine cannot bear, it is not told again.
    if (this.#restoring) this.#queued = [];
    if (this.#life === "open") this.#life = "down";
    this.#ended?.();
    this.#report(error);
    this.#sink.status(false, false);
  }

  revive(): void {
    if (this.#life === "closing" || this.#life === "closed" || this.#engine !== null) return;
    try {
      this.#run();
    } catch (error) {
      if (!isRecovering()) this.giveUp(toCollabError(error, "wasm"));
    }
  }

  giveUp(error: CollabError): void {
    this.#life = "closed";
    this.#back?.();
    this.#report(error);
    this.#opened?.reject(error);
    this.#opened = null;
    this.#sink.status(false, false);
  }

  // --- out of the engine

  #listener(start: number, session: string, ready: () => void): EngineListener {
    const current = () => this.#start === start;
    // A fresh engine goes through the document's history again: the editor has it, and is compared with it at the end.
    const heard = () => current() && this.#life !== "down";
    return {
      ready: () => {
        if (current()) ready();
      },
      operations: (origin, words, text) => {
        if (heard()) this.#operations(ORIGINS[origin] ?? "remote", words, text);
      },
      select: (words) => {
        const range = heard() ? decodeRange(words) : null;
        if (range !== null) this.#sink.select(range);
      },
      diverged: () => {
        if (heard()) this.#sink.diverged();
      },
      compare: (blocks) => {
        if (heard()) this.#sink.compare(blocks);
      },
      update: (origin, update) => {
        if (heard()) this.#update(update, ORIGINS[origin] ?? "remote");
      },
      status: (acknowledged, receiving) => {
        if (heard()) this.#sink.status(acknowledged, receiving);
      },
      keeping: (epoch, kept) => {
        if (current()) this.#keeping(epoch, kept);
      },
      guarded: () => {
        if (current()) this.#guard(session);
      },
      peers: () => {
        if (heard()) this.#sink.peers();
      },
      values: (origin, map, entries, whole) => {
        if (heard()) this.#sink.values(map, entries, whole, ORIGINS[origin] ?? "remote");
      },
      error: (code, message) => {
        if (current()) this.#report(toCollabError({ code, message }, "protocol"));
      },
      ended: () => {
        if (!current()) return;
        this.#ended?.();
        this.#opened?.reject(this.#lastError ?? closedError());
        this.#opened = null;
      },
      kinds: (type) => this.#kinds(type),
      address: (_fresh, formats) => this.#early?.address(formats) ?? address(this.#options, session, formats),
      sessions: async () => (current() ? ((await this.#tabs?.others()) ?? []) : []),
      socket: (address) => this.#connect(address, current),
    };
  }

  /** The engine's own listeners come after these, and not at all once their engine is gone. */
  #connect(address: string, current: () => boolean): WebSocket {
    const Socket = (this.#options.WebSocket ?? WebSocket) as typeof WebSocket;
    const socket = this.#early?.take(address) ?? new Socket(address);
    this.#socket = socket;
    if (this.log !== null) watchSocket(socket, address, this.log);
    for (const type of ["open", "message", "error", "close"]) {
      socket.addEventListener(type, (event) => {
        if (this.#engine === null || !current()) event.stopImmediatePropagation?.();
      });
    }
    return socket;
  }

  #operations(origin: Origin, words: Uint32Array, text: string): void {
    if (!this.#sink.hears()) {
      if (origin === "local") this.#taken();
      return;
    }
    const operations = decodeOperations(words, text);
    if (origin !== "local") this.#tellDone();
    this.#sink.operations(operations, origin);
    // What a transaction answers, such as a fresh id, belongs behind what it answers.
    if (origin === "local") {
      this.#taken();
      this.#done.push(...operations);
    } else this.#sink.change(operations, origin);
    // Sockets may hand over several messages in one turn: what normalizers made of this one is told before the next.
    this.quietly(() => this.flush());
  }

  #update(update: Uint8Array, origin: Origin): void {
    // From here on the journal has it: it must not be told again after a trap.
    if (origin === "local") this.#taken();
    const own = origin === "local" || origin === "undo";
    this.#backup?.add(update, own, this.#state, this.#pending);
    this.log?.("update", `${origin}, ${update.length} bytes`);
    if (own) {
      this.#tabs?.post(update, this.#epoch, this.#kept);
      this.#tabs?.typing();
    }
    this.#sink.update(update, origin);
  }

  /** What this one cannot store any more, the other tabs take for their own. */
  #keeping(epoch: string | undefined, kept: boolean): void {
    const lost = this.#kept && !kept;
    const news = epoch !== undefined && epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#kept = kept;
    if (lost) {
      this.quietly(() => {
        const pending = this.into((to) => to.exportOutbox()) ?? NOTHING;
        if (pending.length > NOTHING.length) this.#tabs?.post(pending, epoch, false);
      });
    } else if (news) this.#tabs?.post(NOTHING, epoch, true);
  }

  readonly #state = (): Uint8Array => this.demand((to) => to.encodeState());
  readonly #pending = (): Uint8Array => this.demand((to) => to.exportPending());

  /** The tabs go on where those of older versions do not listen. */
  #guard(session: string): void {
    const database = engineConfig(this.#options).store?.database;
    if (database === undefined || this.#tabs === null) return;
    this.#tabs.close();
    this.#tabs = this.#joinTabs(database ?? "", session, true);
    if (this.#isReady) this.#tabs.ready();
    if (this.#tabs.agree) this.quietly(() => this.#call(this.#engine, (to) => to.keep(false)));
    this.#tabs.receives(this.#receiving);
  }

  #joinTabs(database: string, session: string, guarded = false): Tabs {
    const watcher: TabWatcher = {
      update: (update, epoch, kept) => this.quietly(() => this.into((to) => to.tabUpdate(update, epoch, kept))),
      deleted: () => this.quietly(() => this.#call(this.#engine, (to) => to.copyDeleted())),
      orphaned: async (session) => {
        await this.into((to) => to.takeOver(session));
      },
      keeper: (here) => this.quietly(() => this.#call(this.#engine, (to) => to.keep(here))),
    };
    return new Tabs(database, this.#options.id, session, watcher, guarded);
  }

  #taken(): void {
    if (this.#committing === 0) return;
    for (const { operation } of this.#queued.splice(0, this.#committing)) this.#done.push(operation);
    this.#committing = 0;
  }

  #tellDone(): void {
    if (this.#done.length === 0) return;
    const operations = this.#done;
    this.#done = [];
    this.#sink.change(operations, "local");
  }

  #report(error: CollabError): void {
    this.#lastError = error;
    this.log?.("error", `${error.code}: ${error.message}`);
    this.#sink.error(error);
  }
}

export function closedError(): CollabError {
  return new CollabError("closed", "the document is closed");
}
