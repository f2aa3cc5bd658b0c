// One document in the engine: starts the engine for it, feeds it, and starts it again should the whole engine fail.
//
// Its parts: the door through which every call goes in (`door.ts`), the edits on their way (`queue.ts`), where in its
// life the document is (`lifecycle.ts`), what the device's tabs share (`shared-copy.ts`), and the connections
// (`transport.ts`). The engine calls back through the listener, also while a call into it is still running.
import type { Operation, Range } from "slate";
import type { EngineListener } from "../pkg/slate_yrs.js";
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
import { EngineDoor } from "./door.js";
import type { EarlySocket } from "./early.js";
import { type Kinds, ORIGINS } from "./engine.js";
import { CollabError, toCollabError } from "./errors.js";
import { soon } from "./events.js";
import { toJson } from "./json.js";
import { closedError, Lifecycle } from "./lifecycle.js";
import { checkPresence, engineConfig } from "./options.js";
import { askToPersist, watchPage } from "./page.js";
import { EditQueue, type QueuedEdit } from "./queue.js";
import { Backup, isRecovering, type Revivable, register } from "./recovery.js";
import { NOTHING, SharedCopy } from "./shared-copy.js";
import { commitText, isShortText } from "./short-text.js";
import { decodeNews } from "./status.js";
import { Transport } from "./transport.js";
import type { OpenOptions, Origin, Presence, Status } from "./types.js";
import { Engine } from "./wasm.js";

/** Whom the core tells. */
export interface Sink {
  /** Whether anybody is told of operations: nobody is while a document is opened. */
  hears(): boolean;
  /** For the editor: apply as one batch. */
  operations(operations: readonly Operation[], origin: Origin): void;
  /** For the editor: restore the selection. */
  select(range: Range): void;
  /** For the editor: it may differ from the document, and has to be compared with all of it. */
  diverged(): void;
  /** For the editor: compare these of its children with the document's. */
  compare(blocks: Uint32Array): void;
  /** For the application: the document has changed by these operations. */
  change(operations: readonly Operation[], origin: Origin): void;
  update(update: Uint8Array, origin: Origin): void;
  /** `acknowledged`: the server has every own edit. `receiving`: what it sends can be kept on the device. */
  status(acknowledged: boolean, receiving: boolean): void;
  peers(): void;
  /** A map has other values: entries as JSON, and whether these are all that it has. */
  values(map: string, entries: string, whole: boolean, origin: Origin): void;
  /** The engine was started again, and does not follow any map yet. */
  revived(): void;
  error(error: CollabError): void;
}

const NO_NEWS = { acknowledged: false, receiving: false };

/** What the core keeps, to tell it to the next engine should this one fail. */
interface Retold {
  presence: object | null;
  online: boolean;
  selection: Range | null;
  /** Which types of elements are inline or void, as the editor says. */
  kinds: Kinds;
}

export class Core<P extends Presence> implements Revivable {
  readonly #options: OpenOptions<P>;
  readonly #sink: Sink;
  readonly #initial: Batch | null;
  readonly log: DebugLog | null;
  readonly #door: EngineDoor;
  readonly #queue = new EditQueue();
  readonly #life = new Lifecycle();
  readonly #copy: SharedCopy;
  readonly #transport: Transport<P>;
  readonly #backup: Backup | null;
  readonly #told: Retold;
  /** Ends what was begun for as long as the document is open. */
  readonly #leave: (() => void)[];
  /** Counts the starts of engines; calls of an earlier engine's listener are ignored. */
  #start = 0;
  #socket: WebSocket | null = null;
  /** Whether a fresh engine is being told what the one before it had. */
  #restoring = false;

  constructor(options: OpenOptions<P>, sink: Sink, early: EarlySocket | null = null) {
    this.#options = options;
    this.#transport = new Transport(options, early);
    this.#sink = sink;
    this.log = logOf(options.id, options.debug);
    this.#initial = options.initialValue === undefined ? null : encodeNodes(options.initialValue, true);
    this.#told = {
      presence: options.presence === undefined ? null : { ...options.presence },
      online: options.connect ?? true,
      selection: null,
      kinds: () => 0,
    };
    this.#backup = engineConfig(options).store === null ? new Backup() : null;
    const door = new EngineDoor((error) => {
      this.log?.("error", `${error.code}: ${error.message}`);
      sink.error(error);
    });
    this.#door = door;
    this.#copy = new SharedCopy(options.id, {
      update: (update, epoch, kept) => this.quietly(() => this.into((to) => to.tabUpdate(update, epoch, kept))),
      deleted: () => this.quietly(() => door.call((to) => to.copyDeleted())),
      orphaned: async (session) => {
        await this.into((to) => to.takeOver(session));
      },
      keeper: (here) => this.quietly(() => door.call((to) => to.keep(here))),
    });
    this.#run();
    this.#leave = [
      register(this),
      watchPage({
        online: (online) => this.quietly(() => door.call((to) => to.networkHint(online))),
        suspend: () =>
          this.quietly(() => {
            this.flush();
            this.into((to) => to.suspend());
          }),
        awake: () => this.quietly(() => door.call((to) => to.awake())),
      }),
    ];
  }

  get isClosed(): boolean {
    return this.#life.isClosed;
  }

  /** Whether there is an engine that has the document: one that is started again has nothing of it until it is loaded. */
  get #hasDocument(): boolean {
    return this.#door.isOpen && !this.#life.isDown;
  }

  /** What frames go over. */
  get transport(): Status["transport"] {
    return this.#transport.name;
  }

  /** Resolves when the local copy is loaded. */
  async opened(): Promise<void> {
    await this.#life.opened(() => this.#door.lastError ?? closedError());
  }

  /** To be called when somebody begins to listen to operations: see `Sink.hears`. */
  hear(): void {
    if (this.#sink.hears()) this.#door.call((to) => to.hear());
  }

  /** Says which elements are inline or void from now on. */
  setSchema(kinds: Kinds): void {
    this.#told.kinds = kinds;
    this.into((to) => to.schemaChanged());
  }

  /** A word is being composed in an editor, or is finished. */
  composing(begins: boolean): void {
    this.quietly(() => this.into((to) => to.composing(begins)));
  }

  /** The name that others see of this user. */
  get name(): string {
    const { name } = (this.#told.presence ?? {}) as Partial<Presence>;
    return typeof name === "string" ? name : "";
  }

  // --- into the engine

  /** Runs `call` if there is an engine that has the document. */
  into<T>(call: (engine: Engine) => T): T | undefined {
    return this.#hasDocument ? this.#door.call(call) : undefined;
  }

  /** Runs `call`, and throws if the document is closed. */
  demand<T>(call: (engine: Engine) => T): T {
    if (this.isClosed) throw closedError();
    if (!this.#hasDocument) throw new CollabError("wasm", "the engine is being started again");
    return this.into(call) as T;
  }

  /** Runs `work`, and reports what it throws: for calls by the editor or the page, where nobody would catch it. */
  quietly(work: () => void): void {
    this.#door.quietly(work);
  }

  /** Whether there are edits of the editor's that the engine does not have yet. */
  get hasQueued(): boolean {
    return !this.#queue.isEmpty;
  }

  edit(operation: Operation, normalization = false): void {
    if (operation.type === "set_selection" || this.isClosed) return;
    const first = this.#queue.add({ operation, normalization });
    if ("text" in operation && wellFormed(operation.text) !== operation.text) this.#sink.diverged();
    if (first) soon(this.#flushQuietly);
  }

  readonly #flushQuietly = (): void => this.quietly(() => this.flush());

  /** Commits what is queued: each run of edits of the user, and each of normalizers, in one transaction. */
  flush(): void {
    if (!this.#hasDocument || !this.#queue.begin()) return;
    for (let run = this.#queue.next(); run !== null; run = this.#door.isOpen ? this.#queue.next() : null) {
      const { normalization } = run[0]!;
      this.#commit(run, normalization);
      this.#queue.taken();
      // The browser is asked to keep the data only when this user has written something.
      if (!normalization && this.#backup === null) askToPersist();
    }
    this.#tellDone();
  }

  /** Commits edits that the editor has applied already. If the document cannot take one of them, the editor is mended. */
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
      // The engine has trapped: the next one gets these edits.
      if (!this.#door.isOpen) throw error;
      if (run.length > 1) {
        for (const edit of run) this.#commit([edit], normalization);
        return;
      }
      this.#door.reportOnce(error, "invalid-update");
      this.#sink.diverged();
    }
  }

  select(range: Range | null): void {
    this.flush();
    const words = encodeRange(range);
    this.#told.selection = range;
    this.into((to) => to.select(words));
  }

  setPresence(presence: Partial<P>): void {
    const json = toJson(presence, "presence");
    if (this.isClosed) throw closedError();
    const shown = { ...this.#told.presence, ...presence };
    checkPresence(shown);
    this.into((to) => to.setPresence(json));
    this.#told.presence = shown;
  }

  /** What peers see of this user. */
  get presence(): object | null {
    return this.#told.presence;
  }

  /** Shows this beside the presence for a while; an engine that is started again does not get it. */
  show(more: Record<string, unknown>): void {
    this.quietly(() => this.into((to) => to.setPresence(toJson(more, "the messages"))));
  }

  setOnline(online: boolean): void {
    if (this.isClosed) throw closedError();
    this.#told.online = online;
    if (!online) this.#transport.drop();
    this.#door.call((to) => (online ? to.connect() : to.disconnect()));
  }

  /** Resolves when the device's copy is deleted. */
  async deleteLocal(discardPending: boolean): Promise<void> {
    await this.demand((to) => to.deleteLocal(discardPending));
    this.#copy.deleted();
  }

  /** `can`: the server sends changes, and the device can keep them. */
  receives(can: boolean): void {
    this.#copy.receives(can);
  }

  /** To be called when the server has every own edit. */
  acknowledged(): void {
    this.#backup?.acknowledged();
  }

  async close(): Promise<void> {
    if (this.#life.hasEnded) return;
    this.quietly(() => this.flush());
    this.#transport.drop();
    this.#transport.stop();
    await this.#life.shut();
    if (this.#door.isOpen) await this.#life.end(() => this.quietly(() => this.into((to) => to.close())));
    this.#life.closed();
    this.#copy.close();
    for (const leave of this.#leave) leave();
    // If the engine has died meanwhile the door is shut, and this does nothing.
    this.#door.free();
  }

  // --- the engine's life

  #run(): void {
    const config = engineConfig(this.#options, this.#transport.session);
    if (config.remote !== "none") config.remote = this.#told.online ? "connect" : "wait";
    config.presence = this.#told.presence;
    const json = toJson(config, "presence");
    this.#copy.join(config.store === null ? null : (config.store.database ?? ""), config.session);
    this.#start += 1;
    let ready = false;
    const listener = this.#listener(this.#start, config.session, () => {
      ready = true;
      if (this.#door.isOpen) this.#whenReady();
    });
    const initial = this.#initial;
    this.#door.open(() => new Engine(json, initial?.words ?? null, initial?.text ?? "", listener));
    this.hear();
    this.#letOthersKeep();
    if (ready) this.#whenReady();
  }

  /** If the tabs agree on a keeper, this one does not keep what the server sends until it is told to. */
  #letOthersKeep(): void {
    if (this.#copy.agree) this.#door.call((to) => to.keep(false));
  }

  #whenReady(): void {
    if (this.#life.loaded()) this.#restore();
    this.#copy.ready();
    this.#life.ready();
  }

  /** Brings a fresh engine to where the one before it was. */
  #restore(): void {
    this.#restoring = true;
    this.#queue.after(() => {
      let seq = 0;
      for (const { update, own } of [...(this.#backup?.entries() ?? [])]) {
        seq += 1;
        this.quietly(() => this.into((to) => (own ? to.adopt(seq, update) : to.applyUpdate(update))));
      }
    });
    this.quietly(() => this.flush());
    this.#restoring = false;
    if (!this.#door.isOpen) return;
    const { presence, selection } = this.#told;
    if (presence !== null) this.quietly(() => this.into((to) => to.setPresence(toJson(presence, "presence"))));
    if (selection !== null) this.quietly(() => this.select(selection));
    this.#sink.diverged();
    const flat = this.into((to) => to.status());
    const { acknowledged, receiving } = flat === undefined ? NO_NEWS : decodeNews(flat);
    this.#sink.status(acknowledged, receiving);
    this.#sink.peers();
    this.#sink.revived();
  }

  died(error: CollabError): void {
    this.#door.shut();
    this.#transport.died();
    this.#socket?.close();
    this.#socket = null;
    this.#copy.close();
    this.#queue.died(this.#restoring);
    this.#life.died();
    this.#door.report(error);
    this.#sink.status(false, false);
  }

  revive(): void {
    if (this.#life.isOver || this.#door.isOpen) return;
    try {
      this.#run();
    } catch (error) {
      if (!isRecovering()) this.giveUp(toCollabError(error, "wasm"));
    }
  }

  giveUp(error: CollabError): void {
    this.#life.giveUp(error, () => this.#door.report(error));
    this.#sink.status(false, false);
  }

  // --- out of the engine

  #listener(start: number, session: string, ready: () => void): EngineListener {
    const current = () => this.#start === start;
    // A fresh engine loads all of the document again, and would tell all of it. The editor has it already, and is compared with
    // the document at the end.
    const heard = () => current() && !this.#life.isDown;
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
        if (current()) this.quietly(() => this.#copy.keeping(epoch, kept, this.#unsent));
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
        if (current()) this.#door.report(toCollabError({ code, message }, "protocol"));
      },
      ended: () => {
        if (current()) this.#life.ended(this.#door.lastError ?? closedError());
      },
      kinds: (type) => this.#told.kinds(type),
      address: (_fresh, formats) => this.#transport.address(session, formats, current),
      sessions: async (found) => (current() ? this.#copy.others(found) : []),
      taken: () => {
        if (current()) this.#copy.taken();
      },
      socket: (address) => this.#connect(address, current),
    };
  }

  /** Listeners are added here before the engine adds its own, and keep events from those once that engine is gone. */
  #connect(address: string, current: () => boolean): WebSocket {
    const socket = this.#transport.connect(address);
    this.#socket = socket;
    if (this.log !== null) watchSocket(socket, address, this.log);
    for (const type of ["open", "message", "error", "close"]) {
      socket.addEventListener(type, (event) => {
        if (!this.#door.isOpen || !current()) event.stopImmediatePropagation?.();
      });
    }
    return socket;
  }

  #operations(origin: Origin, words: Uint32Array, text: string): void {
    if (!this.#sink.hears()) {
      if (origin === "local") this.#queue.taken();
      return;
    }
    const operations = decodeOperations(words, text);
    if (origin !== "local") this.#tellDone();
    this.#sink.operations(operations, origin);
    if (origin === "local") this.#queue.answered(operations);
    else this.#sink.change(operations, origin);
    // Several frames may come in one turn: what normalizers have written after this one is committed before the next is applied.
    this.quietly(() => this.flush());
  }

  #update(update: Uint8Array, origin: Origin): void {
    // From here on the journal has these edits: they must not be committed again after a trap.
    if (origin === "local") this.#queue.taken();
    const own = origin === "local" || origin === "undo";
    this.#backup?.add(update, own, this.#state, this.#pending);
    this.log?.("update", `${origin}, ${update.length} bytes`);
    if (own) this.#copy.post(update);
    this.#sink.update(update, origin);
  }

  readonly #state = (): Uint8Array => this.demand((to) => to.encodeState());
  readonly #pending = (): Uint8Array => this.demand((to) => to.exportPending());

  readonly #unsent = (): Uint8Array => this.into((to) => to.exportOutbox()) ?? NOTHING;

  /** The copy has moved to where older versions do not look: from now on its tabs talk where those do not listen. */
  #guard(session: string): void {
    if (!this.#copy.guard(engineConfig(this.#options).store?.database, session)) return;
    this.quietly(() => this.#letOthersKeep());
    this.#copy.receives();
  }

  #tellDone(): void {
    const operations = this.#queue.done();
    if (operations.length > 0) this.#sink.change(operations, "local");
  }
}
