// An open document: the public Collab.
import type { Descendant, Operation, Range } from "slate";
import { authorsOf } from "./authors.js";
import { checkString, decodeNodes, decodeOperations, decodeRange, encodeNodes, encodeRange } from "./codec.js";
import { Core } from "./core.js";
import type { EarlySocket } from "./early.js";
import { type EngineHandle, engine } from "./engine.js";
import { CollabError, type CollabErrorCode, toCollabError } from "./errors.js";
import { Emitter } from "./events.js";
import { historyOf } from "./history.js";
import { closedError } from "./lifecycle.js";
import { LivePeers } from "./live-peers.js";
import { LiveStatus } from "./live-status.js";
import { databaseOf } from "./options.js";
import { mapName, SharedValues } from "./shared.js";
import type {
  Authored,
  BroadcastSender,
  Collab,
  Events,
  History,
  Json,
  OpenOptions,
  Origin,
  Peer,
  Presence,
  SharedMap,
  Status,
} from "./types.js";
import { difference } from "./wasm.js";

type InternalEvents = {
  operations: { operations: readonly Operation[]; origin: Origin };
  select: Range;
  diverged: undefined;
  compare: Uint32Array;
  broadcast: [message: unknown, from: BroadcastSender<Presence>];
};

const EVENTS: ReadonlySet<PropertyKey> = new Set<keyof Events<Presence>>([
  "status",
  "peers",
  "join",
  "leave",
  "change",
  "update",
  "error",
]);

export class OpenCollab<P extends Presence> implements Collab<P> {
  readonly id: string;
  readonly [engine]: EngineHandle;

  readonly #core: Core<P>;
  readonly #hasServer: boolean;
  /** What is asked of the server over HTTP. */
  readonly #asked: Pick<Collab, "history" | "authors">;
  readonly #root: string;
  readonly #maps = new Map<string, SharedValues<Json>>();
  readonly #events = new Emitter<Events<P>>();
  readonly #internal = new Emitter<InternalEvents>();
  #clientId = 0;
  readonly #status: LiveStatus;
  readonly #peers: LivePeers<P>;
  #closing: Promise<void> | null = null;

  /** Resolves when the local copy is loaded. `early`: a socket that is being opened already. */
  static async open<P extends Presence>(options: OpenOptions<P>, early: EarlySocket | null): Promise<OpenCollab<P>> {
    const collab = new OpenCollab(options, early);
    try {
      await collab.#core.opened();
    } catch (error) {
      await collab.close();
      throw error;
    }
    return collab;
  }

  private constructor(options: OpenOptions<P>, early: EarlySocket | null) {
    this.id = options.id;
    this.#hasServer = options.url !== undefined;
    this.#root = options.root ?? "content";
    const saved = () => this.#savedNow();
    this.#asked = {
      history: historyOf(options, saved),
      authors: (range) => saved().then(() => authorsOf(options, () => this.#runs(), range)),
    };
    this[engine] = this.#handle();
    this.#status = this.#statusOf();
    this.#peers = this.#peersOf(databaseOf(options));
    this.#core = new Core(
      options,
      {
        hears: () => this.#internal.has("operations") || this.#events.has("change"),
        operations: (operations, origin) => this.#internal.emit("operations", { operations, origin }),
        select: (range) => this.#internal.emit("select", range),
        diverged: () => this.#internal.emit("diverged", undefined),
        compare: (blocks) => this.#internal.emit("compare", blocks),
        change: (operations, origin) => this.#events.emit("change", { operations, origin }),
        update: (update, origin) => this.#events.emit("update", { update, origin }),
        status: (acknowledged, receiving) => this.#statusChanged(acknowledged, receiving),
        peers: () => this.#peers.changed(),
        values: (map, entries, whole, origin) => this.#maps.get(map)?.receive(entries, whole, origin),
        revived: () => {
          for (const map of this.#maps.values()) this.#core.quietly(() => map.follow());
        },
        error: (error) => this.#reported(error),
      },
      early,
    );
  }

  #statusOf(): LiveStatus {
    // The core calls back while it is made, and before anybody asks for a status.
    const core = () => this.#core;
    return new LiveStatus(
      {
        get isClosed() {
          return core().isClosed;
        },
        get hasQueued() {
          return core().hasQueued;
        },
        get transport() {
          return core().transport;
        },
        numbers: () => core().into((to) => to.status()),
        error: () => core().into((to) => to.statusError()),
      },
      this.#hasServer,
    );
  }

  #peersOf(database: string | null): LivePeers<P> {
    const [isSynced, isHeard] = [() => this.status.synced, () => this.#internal.has("broadcast")];
    return new LivePeers(this.id, database, this.#events, {
      numbers: () => this.#core.into((to) => to.peers()),
      state: (clientId) => this.#core.into((to) => to.peerState(clientId)),
      get isSynced() {
        return isSynced();
      },
      get isHeard() {
        return isHeard();
      },
      me: () => this.#me(),
      show: (value) => this.#core.show(value),
      heard: (message, from) => {
        this.#core.log?.("broadcast", `from ${from.clientId}`);
        this.#internal.emit("broadcast", [message, from]);
      },
    });
  }

  get history(): History {
    return this.#asked.history;
  }

  authors(range?: Range): Promise<readonly Authored[]> {
    return this.#asked.authors(range);
  }

  get clientId(): number {
    this.#clientId = this.#core.into((to) => to.clientId) ?? this.#clientId;
    return this.#clientId;
  }

  value(): Descendant[] {
    this.#core.flush();
    const [words, text] = this.#core.demand((to) => to.value());
    return decodeNodes(words, text);
  }

  get status(): Status {
    return this.#status.now;
  }

  get peers(): readonly Peer<P>[] {
    return this.#peers.now;
  }

  on<E extends keyof Events<P>>(event: E, listener: (value: Events<P>[E]) => void): () => void {
    if (!EVENTS.has(event)) throw new CollabError("protocol", `there is no event ${String(event)}`);
    if (typeof listener !== "function") throw new CollabError("protocol", "a listener must be a function");
    const follows = this.#events.has("join") || this.#events.has("leave");
    const unsubscribe = this.#events.on(event, listener);
    if (event === "change") this.#core.hear();
    if ((event === "join" || event === "leave") && !follows) this.#peers.follow();
    return unsubscribe;
  }

  setPresence(presence: Partial<P>): void {
    this.#core.setPresence(presence);
  }

  broadcast(message: unknown): void {
    if (this.#core.isClosed) throw closedError();
    this.#peers.say(message);
    this.#core.log?.("broadcast", "to everyone");
  }

  onBroadcast(listener: (message: unknown, from: BroadcastSender<P>) => void): () => void {
    if (typeof listener !== "function") throw new CollabError("protocol", "a listener must be a function");
    this.#peers.listen();
    return this.#internal.on("broadcast", ([message, from]) => listener(message, from as BroadcastSender<P>));
  }

  undo(): boolean {
    this.#core.flush();
    return this.#core.demand((to) => to.undo());
  }

  redo(): boolean {
    this.#core.flush();
    return this.#core.demand((to) => to.redo());
  }

  stopCapturing(): void {
    this.#core.flush();
    this.#core.into((to) => to.stopCapturing());
  }

  get canUndo(): boolean {
    return this.#core.into((to) => to.canUndo) ?? false;
  }

  get canRedo(): boolean {
    return this.#core.into((to) => to.canRedo) ?? false;
  }

  map<T = Json>(name: string): SharedMap<T> {
    return this.#map(mapName(name, this.#root), true) as unknown as SharedMap<T>;
  }

  #map(name: string, undoable: boolean): SharedValues<Json> {
    const open = this.#maps.get(name);
    if (open !== undefined) return open;
    if (this.#core.isClosed) throw closedError();
    const map = new SharedValues<Json>(name, {
      follow: (name) => this.#core.into((to) => to.followMap(name)),
      set: (name, key, json, undo) => {
        this.#core.flush();
        // A change that the server is known to refuse is not made.
        const { readOnly, canComment } = this.status;
        if (undoable ? readOnly : !canComment) throw new CollabError("forbidden", "this user may only read");
        this.#core.demand((to) => to.setValue(name, key, json, undoable && undo));
      },
    });
    this.#maps.set(name, map);
    map.follow();
    return map;
  }

  connect(): void {
    this.#core.setOnline(true);
  }

  disconnect(): void {
    this.#core.setOnline(false);
  }

  whenSynced(): Promise<void> {
    return this.#when((status) => status.synced, refusal);
  }

  whenSaved(): Promise<void> {
    this.#core.flush();
    return this.#when(isSaved, (status) => refusal(status) ?? unsendable(status));
  }

  #runs(): ArrayLike<number> {
    this.#core.flush();
    return this.#core.demand((to) => to.runs());
  }

  /** Does not wait for a connection: once there is one, the user may want something else than now. */
  #savedNow(): Promise<void> {
    this.#core.flush();
    return this.#when(isSaved, (status) => refusal(status) ?? unsendable(status) ?? disconnected(status));
  }

  async takeServer(): Promise<void> {
    this.#core.flush();
    if (this.status.conflict === null) return;
    this.#core.demand((to) => to.takeServer());
    await this.#when(({ conflict }) => conflict === null, unreachable);
  }

  discardSetAside(): void {
    this.#core.flush();
    this.#core.demand((to) => to.discardSetAside());
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  stateVector(): Uint8Array {
    this.#core.flush();
    return this.#core.demand((to) => to.stateVector());
  }

  encodeState(stateVector?: Uint8Array): Uint8Array {
    if (stateVector !== undefined) checkBytes(stateVector, "a state vector");
    this.#core.flush();
    return this.#core.demand((to) => to.encodeState(stateVector));
  }

  applyUpdate(update: Uint8Array): void {
    checkBytes(update, "an update");
    this.#core.flush();
    this.#core.demand((to) => to.applyUpdate(update));
  }

  exportPending(): Uint8Array {
    this.#core.flush();
    return this.#core.demand((to) => to.exportPending());
  }

  async deleteLocal(options?: { discardPending?: boolean }): Promise<void> {
    this.#core.flush();
    try {
      await this.#core.deleteLocal(options?.discardPending === true);
    } catch (error) {
      throw toCollabError(error, "storage");
    }
  }

  async #close(): Promise<void> {
    const last = this.status;
    this.#peers.silence();
    await this.#core.close();
    this.#peers.close();
    this.#events.emit("status", this.#status.close(last));
  }

  #reported(error: CollabError): void {
    this.#status.reported(error);
    this.#events.emit("error", error);
  }

  #statusChanged(acknowledged: boolean, receiving: boolean): void {
    this.#status.changed();
    if (this.#core === undefined) return;
    if (acknowledged) this.#core.acknowledged();
    this.#core.receives(receiving);
    if (this.#core.log !== null) this.#status.writeTo(this.#core.log);
    if (this.#events.has("status")) this.#events.emit("status", this.status);
  }

  #me(): BroadcastSender<P> | null {
    const { presence } = this.#core;
    return presence === null ? null : { clientId: this.clientId, presence: presence as unknown as P };
  }

  /** Waits for a status that `reached` accepts. `refusedBy`: why there will be none, if so. */
  async #when(reached: (status: Status) => boolean, refusedBy: (status: Status) => CollabError | null): Promise<void> {
    if (!this.#hasServer) throw new CollabError("protocol", "this document has no server");
    if (this.#core.isClosed) throw closedError();
    await new Promise<void>((resolve, reject) => {
      let stop: () => void = () => {};
      const look = (status: Status): boolean => {
        const refused = refusedBy(status);
        if (refused === null && !reached(status)) return false;
        stop();
        if (refused === null) resolve();
        else reject(refused);
        return true;
      };
      if (!look(this.status)) stop = this.#events.on("status", look);
    });
  }

  #handle(): EngineHandle {
    return {
      edit: (operation, options) => this.#core.edit(operation, options?.normalization === true),
      flush: () => this.#core.quietly(() => this.#core.flush()),
      select: (range) => this.#core.quietly(() => this.#core.select(range)),
      onOperations: (listener) => {
        const unsubscribe = this.#internal.on("operations", ({ operations, origin }) => listener(operations, origin));
        this.#core.hear();
        return unsubscribe;
      },
      onSelect: (listener) => this.#internal.on("select", listener),
      onDiverged: (listener) => this.#internal.on("diverged", () => listener()),
      onCompare: (listener) => this.#internal.on("compare", listener),
      block: (index) => {
        this.#core.quietly(() => this.#core.flush());
        const found = this.#core.into((to) => to.block(index));
        return found === undefined ? null : { node: decodeNodes(found[0], found[1])[0] ?? null, count: found[2] };
      },
      difference: (from, to) => {
        try {
          const [before, after] = [encodeNodes(from), encodeNodes(to)];
          const found = this.#core.into(() => difference(before.words, before.text, after.words, after.text));
          return found === undefined ? null : decodeOperations(found[0], found[1]);
        } catch {
          // The editor's nodes may have properties that no document can have.
          return null;
        }
      },
      schema: (kinds) => this.#core.setSchema(kinds),
      composing: (begins) => this.#core.composing(begins),
      map: (name) => this.#map(name, false),
      me: () => ({ id: this.#core.into((to) => to.user()) ?? null, name: this.#core.name }),
      rank: () => this.#core.into((to) => to.rank()) ?? 0,
      report: (message) => this.#core.quietly(() => this.#core.into((to) => to.mended(message))),
      anchor: (range) => {
        this.#core.flush();
        const words = encodeRange(range);
        const anchor = this.#core.demand((to) => to.anchor(words));
        if (anchor === undefined) throw new CollabError("protocol", "the range does not lie in the document");
        return anchor;
      },
      resolve: (anchor) => {
        this.#core.flush();
        const text = checkString(anchor, "an anchor");
        const words = this.#core.demand((to) => to.resolve(text));
        return words === undefined ? null : decodeRange(words);
      },
    };
  }
}

const isSaved = ({ saved, pending }: Status): boolean => saved === "server" && pending === 0;

/** Why there will be no connection. */
function unreachable({ connection, error }: Status): CollabError | null {
  if (connection === "closed") return closedError();
  if (connection !== "unauthorized" && connection !== "forbidden") return null;
  return error?.code === connection || error?.code === "format"
    ? error
    : new CollabError(connection, `the server answers: ${connection}`);
}

/** Why there will be no sync. */
function refusal(status: Status): CollabError | null {
  if (status.conflict === null) return unreachable(status);
  return ofCode(status, "epoch", "the document was replaced on the server since this copy was made");
}

/** Why there are edits that will never be saved. */
function unsendable(status: Status): CollabError | null {
  const { setAside, error } = status;
  if (setAside === 0) return null;
  const code =
    (["too-large", "forbidden", "epoch", "format"] as const).find((code) => error?.code === code) ?? "invalid-update";
  return ofCode(status, code, `${setAside} edits are set aside: the server does not take them`);
}

function disconnected({ connection, synced }: Status): CollabError | null {
  if (connection === "online" && synced) return null;
  return new CollabError("protocol", "there is no connection to the server");
}

function ofCode({ error }: Status, code: CollabErrorCode, message: string): CollabError {
  return error?.code === code ? error : new CollabError(code, message);
}

function checkBytes(value: unknown, what: string): void {
  if (!(value instanceof Uint8Array)) throw new CollabError("protocol", `${what} must be a Uint8Array`);
}
