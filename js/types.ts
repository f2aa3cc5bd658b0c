// The types of the public API.
import type { Descendant, Operation, Range } from "slate";
import type { CollabError } from "./errors.js";
import type { Status } from "./status.js";

export type { Status } from "./status.js";

/**
 * What peers see of a user. Any JSON object that has a name: give the document a type of your own for more. Names that
 * begin with `slate-yrs:` are the package's.
 *
 * @example
 * interface Writer extends Presence { role: "author" | "editor" }
 * const collab = await open<Writer>({ id, url, presence: { name: "Ada", role: "author" } });
 */
export interface Presence {
  /** Shown beside the caret. */
  name: string;
  /** A CSS color for caret and selection. */
  color?: string;
}

/**
 * A class of sockets: the browser's `WebSocket`, Node's, or that of the package `ws`.
 */
export type WebSocketClass = new (
  url: string,
) => {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: never): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: never, listener: never, options?: never): void;
  removeEventListener(type: never, listener: never, options?: never): void;
};

/** One line of the log for debugging: see {@link OpenOptions.debug}. */
export interface DebugEntry {
  /** In ms since the epoch. */
  readonly at: number;
  /** The room. */
  readonly document: string;
  /** `update`: of the document, by whom and how large. `status`: what of it is another. */
  readonly what: "socket" | "sent" | "received" | "update" | "status" | "error" | "broadcast";
  /** For people. Never a token, and nothing of the document's content. */
  readonly detail: string;
}

/** How to open a document. */
export interface OpenOptions<P extends Presence = Presence> {
  /** The room: which document. At most 256 bytes of UTF-8, without control characters. */
  id: string;
  /**
   * The server, e.g. `wss://host/ws/scenes`; the room is added as one more segment of the path. Without it the document
   * stays on this device.
   */
  url?: string;
  /**
   * Sent as `?token=`. A function is asked before every connection, so that it can renew what has expired; `undefined`
   * from it: there is none (yet).
   */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** More query parameters. */
  params?: Record<string, string>;
  /** What peers see of this user, at most 16 KiB as JSON; without it, they do not see the user. */
  presence?: P;
  /**
   * The content of a new document: used only if the document has none, and once only, whoever opens it first. It is
   * shown at once, also without a connection, and counts as pending until it is decided; it is kept on the device until
   * then. Should the document turn out to have other content, that is shown in its place, and only blocks in which this
   * user has written meanwhile stay beside it. A user who may only read gives the document nothing.
   */
  initialValue?: Descendant[];
  /** Name of the root `Y.XmlText`. Default `"content"`. */
  root?: string;
  /** Name of a block's id property. A split gives the new block a fresh one. Default `"id"`. */
  blockId?: string;
  /**
   * How the document is laid out. `0`: as `@slate-yjs/core` has it, so that its clients may write it too, if the document
   * is new; it is never brought back to that. `1`: by reference; a document that is there is brought to it, for good, and
   * clients that do not know it cannot write it from then on. Without this option a document stays what it is, and a new
   * one begins in 1 on a slate-yrs server and without a server, in 0 on any other: that keeps nobody from damaging it. The
   * server's `--format` counts more than this. A format that this version cannot write is reported as an error `format`,
   * and the document stays what it is.
   */
  format?: 0 | 1;
  /**
   * Whether edits are kept on this device (IndexedDB) until the server has them; and under which database name, and
   * whether every write waits for the disk (`"strict"`; the default `"relaxed"` does so only where something is
   * replaced or removed). Default `true`.
   */
  offline?: boolean | { database?: string; durability?: "strict" | "relaxed" };
  /** Whether to connect at once; otherwise with {@link Collab.connect}. Default `true`. */
  connect?: boolean;
  /** `captureTimeout`: edits less than so many milliseconds apart are undone together. Default 500. */
  undo?: { captureTimeout?: number };
  /**
   * What connects. Default: the global `WebSocket`, which Node has from version 22.
   *
   * @example
   * import { WebSocket } from "ws";
   * const collab = await open({ id, url, WebSocket });
   */
  WebSocket?: WebSocketClass;
  /**
   * What connects. `"auto"`: a WebSocket, and where none can be opened though the server answers over HTTP (an office's
   * proxy, a filter), HTTP, with the same frames and acknowledgements; the tab remembers that, and tries a socket again now
   * and then. `"websocket"`, `"http"`: nothing else. Over HTTP there is the slate-yrs server only, at `/http/scenes` beside
   * `/ws/scenes`. {@link Status.transport} says which it is. Default `"auto"`.
   */
  transport?: "auto" | "websocket" | "http";
  /**
   * Logs what happens: to the console (`console.debug`), or to a function. In a page, `localStorage["slate-yrs:debug"] = "1"`
   * does so for all documents that do not say `false`. Nothing of a document's content is logged, and no token.
   *
   * @example
   * const lines: string[] = [];
   * await open({ id, url, debug: ({ what, detail }) => lines.push(`${what}: ${detail}`) });
   */
  debug?: boolean | ((entry: DebugEntry) => void);
}

/**
 * Who made a change: this editor, another one, this editor's undo or redo, or the local copy: while it loads, from another
 * tab, and where the editor had to be mended.
 */
export type Origin = "local" | "remote" | "undo" | "store";

/** What can be shared beside the text. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What {@link SharedMap.on} tells. */
export interface SharedMapChange {
  /** Those whose value is another one, or that have come or gone. */
  readonly keys: readonly string[];
  readonly origin: Origin;
}

/**
 * Values beside the text, by key, in the same document: stored, sent, acknowledged and kept offline like the text. Of two
 * people who set one key at once, one wins, the same for everybody; other keys are not touched.
 */
export interface SharedMap<T = Json> {
  /** Frozen: set another one instead of changing it. */
  get(key: string): T | undefined;
  /**
   * A step of undo of its own. The value is taken as `JSON.stringify` has it. Throws a CollabError: `forbidden` where this user
   * may only read, `too-large` (a key of more than 1,000 characters, a value of more than 256 KiB), `protocol` where it is
   * no JSON or has more than 63 arrays and objects in one another, `closed`, and `wasm` in the moment in which the engine is started again.
   *
   * - `options.undo`: `false` for what nobody has done by hand, such as a default or what is brought from elsewhere: undo
   *   passes it by.
   */
  set(key: string, value: T, options?: { undo?: boolean }): void;
  /** Throws as {@link SharedMap.set} does. Nothing happens if there is no such key. */
  delete(key: string): void;
  /** An immutable snapshot: the same object until something changes. */
  entries(): ReadonlyMap<string, T>;
  /** Calls `listener` at each change, one's own too, until the returned function is called. */
  on(listener: (change: SharedMapChange) => void): () => void;
}

/** An open document. */
export interface Collab<P extends Presence = Presence> {
  /** The room. */
  readonly id: string;
  /** This replica's Yjs client id. New with every opening. */
  readonly clientId: number;
  /** The document as Slate nodes: a copy, made anew by each call. */
  value(): Descendant[];

  /** An immutable snapshot: the same object until something changes. */
  readonly status: Status;
  /** The others: the same array until something changes. */
  readonly peers: readonly Peer<P>[];
  /** Calls `listener` at each event until the returned function is called. What a listener throws is reported, and stops nothing. */
  on<E extends keyof Events<P>>(event: E, listener: (value: Events<P>[E]) => void): () => void;

  /** Merges into what peers see of this user. Throws `too-large` beyond 16 KiB as JSON. */
  setPresence(presence: Partial<P>): void;
  /**
   * Tells those who have the document open something that nobody keeps: "look here", a reaction, a pointer. Any JSON of up
   * to 1,000 bytes; at most 20 messages and 8,000 bytes in two seconds. Whoever shows a presence may send, readers too.
   *
   * Who is connected and in sync hears a message once, each sender's in the order in which they were sent, on every kind
   * of server; so do the other tabs of this device, also without a connection. Nobody is told later: who is offline for
   * more than two seconds misses it. The sender's own document does not hear it.
   *
   * @throws CollabError `too-large`, `rate-limited`; `protocol` if it is no JSON, or this user shows no presence; `closed`.
   * @example
   * collab.broadcast({ type: "wave", at: anchor(editor, range) });
   */
  broadcast(message: unknown): void;
  /**
   * Calls `listener` with what others {@link Collab.broadcast}, until the returned function is called. A message is
   * whatever its sender sent: look at it before you use it.
   *
   * @example
   * const stop = collab.onBroadcast((message, from) => {
   *   if (isWave(message)) show(`${from.presence.name} waves`);
   * });
   */
  onBroadcast(listener: (message: unknown, from: BroadcastSender<P>) => void): () => void;
  /** Takes back this user's last edits, never those of others. False if nothing that is shown has changed by it. */
  undo(): boolean;
  /** Repeats what was undone. False if nothing that is shown has changed by it. */
  redo(): boolean;
  /**
   * The next edit begins an undo step of its own, however soon it comes.
   *
   * @example
   * collab.stopCapturing();
   * Transforms.setNodes(editor, { type: "heading" });
   */
  stopCapturing(): void;
  /** Whether {@link Collab.undo} would do something. */
  readonly canUndo: boolean;
  /** Whether {@link Collab.redo} would do something. */
  readonly canRedo: boolean;

  /**
   * Values beside the text: a title page, colours, settings. The same object for the same name. In the document it is a root
   * `Y.Map` of that name: to yjs `doc.getMap(name)`.
   *
   * @throws CollabError `protocol` if `name` is that of the text ({@link OpenOptions.root}), begins with `slate-yrs:`, or
   * has not 1 to 200 characters; `closed` if it was not asked for before the document was closed.
   * @example
   * const title = collab.map<string>("title");
   * title.set("author", "Ada");
   */
  map<T = Json>(name: string): SharedMap<T>;

  /** Goes online; while waiting for the next attempt, tries at once. */
  connect(): void;
  /** Stays offline until {@link Collab.connect}. */
  disconnect(): void;
  /**
   * When the server's content is here, and the server has {@link OpenOptions.initialValue} if the document takes it.
   * Rejects if that cannot happen: closed, refused, a conflict, no server.
   */
  whenSynced(): Promise<void>;
  /**
   * When every local edit, the initial value among them, is acknowledged as stored by the server. Rejects like {@link Collab.whenSynced}, and while
   * edits are set aside.
   */
  whenSaved(): Promise<void>;
  /** Writes what is left to the device and lets go of everything. May be called again, and at any time. */
  close(): Promise<void>;

  /** The document's versions. Needs the slate-yrs server. */
  readonly history: History;
  /**
   * Who wrote each word, asked of the server: of the whole document, or of a range of it, in its order. In format 1 it is exact: words
   * stay their author's when somebody divides, joins or moves them, and when undo or {@link History.restore} writes them again. In
   * format 0 what a structural edit copies is then its author's. Rejects at once without a connection.
   *
   * @example
   * for (const { range, author } of await collab.authors()) console.log(author, Editor.string(editor, range));
   */
  authors(range?: Range): Promise<readonly Authored[]>;

  /** The Yjs state vector, v1 encoding. */
  stateVector(): Uint8Array;
  /** What a replica with `stateVector` lacks, or everything, as one Yjs update, v1 encoding. */
  encodeState(stateVector?: Uint8Array): Uint8Array;
  /** Applies a Yjs update as a change of someone else. Throws `invalid-update` if the bytes are none. */
  applyUpdate(update: Uint8Array): void;
  /** The edits which the server has not acknowledged, or refuses, as one update. */
  exportPending(): Uint8Array;
  /**
   * After a conflict ({@link Status.conflict}): takes what the server has in place of this copy. Edits that the other
   * document had not acknowledged are set aside. Resolves when the server's is here; rejects like
   * {@link Collab.whenSynced}, and may be called again.
   */
  takeServer(): Promise<void>;
  /** Gives up what is set aside ({@link Status.setAside}), and what was built upon it in this document. */
  discardSetAside(): void;
  /**
   * Deletes this device's copy. Refused while edits, of this tab or of another, are not acknowledged, unless they are to
   * be discarded. From then on no tab keeps this document on the device.
   */
  deleteLocal(options?: { discardPending?: boolean }): Promise<void>;
}

/** What a server keeps of a document's past. Everything rejects with a CollabError where it cannot be had. */
export interface History {
  /** The newest first; `before` is the id of the last one seen. */
  list(options?: { before?: string; limit?: number }): Promise<Version[]>;
  /** The document as it was. */
  value(versionId: string): Promise<Descendant[]>;
  /** Both in one value: leaves have the mark `added` or `removed`, which is the author where it is known, else `true`. */
  compare(from: string, to: string | "now"): Promise<Descendant[]>;
  /** The values of all maps as they were, by map and key; without comments. */
  values(versionId: string): Promise<Record<string, Record<string, Json>>>;
  /** Which values changed between the two; without comments. */
  compareValues(from: string, to: string | "now"): Promise<ValueChange[]>;
  /** Names the document as it is now. */
  save(label: string): Promise<Version>;
  /** Makes the document what it was, its maps too but not its comments, as an edit that everyone sees. Rejects at once without a connection. */
  restore(versionId: string): Promise<void>;
  /**
   * Takes back what one person did between two times (both included; without `to`: up to now), as an edit that everyone sees: what
   * they typed goes, what they deleted comes back, unless others deleted it too; breaks, joins, moves and formats are set back.
   * What others wrote in between stays; values of maps and comments do too. A time is in ms since the epoch, RFC 3339, or a `Date`. For documents of format 1;
   * rejects at once without a connection.
   *
   * @throws CollabError `format` in a document of format 0; `forbidden` for who may only read.
   * @example
   * const { removed, restored } = await collab.history.rollback("ben", { from: Date.now() - 3_600_000 });
   */
  rollback(author: string, span: { from: number | string | Date; to?: number | string | Date }): Promise<RolledBack>;
}

/** How many characters {@link History.rollback} took away, and brought back. */
export interface RolledBack {
  readonly removed: number;
  readonly restored: number;
}

/** Characters of one text that follow each other, of one author: see {@link Collab.authors}. */
export interface Authored {
  readonly range: Range;
  /** As in {@link Version.authors}; `null`: nobody knows, or the server does not have it yet. */
  readonly author: string | null;
  /** When the server stored it, in ms since the epoch; what was written in one sitting has the time of its end. */
  readonly at: number | null;
}

/** One value that differs between two versions. */
export interface ValueChange {
  readonly map: string;
  readonly key: string;
  /** Missing where the key has come. */
  readonly before?: Json;
  /** Missing where the key has gone. */
  readonly after?: Json;
}

/** One state of a document in its past. */
export interface Version {
  readonly id: string;
  /** When, RFC 3339. */
  readonly at: string;
  /** `null` unless somebody named it. */
  readonly label: string | null;
  readonly authors: readonly string[];
  readonly kind: "edit" | "hourly" | "daily" | "named";
  /** Of the updates it is made of; of the whole state if it is named. */
  readonly bytes: number;
}

/** Someone else in the same document. */
export interface Peer<P extends Presence = Presence> {
  readonly clientId: number;
  readonly presence: P;
  readonly selection: Range | null;
  readonly typing: boolean;
  /** When they last did something, by this device's clock, in ms since the epoch. */
  readonly lastActive: number;
}

/** Who has sent a message: see {@link Collab.onBroadcast}. */
export interface BroadcastSender<P extends Presence = Presence> {
  readonly clientId: number;
  readonly presence: P;
}

/** What {@link Collab.on} tells. */
export interface Events<P extends Presence = Presence> {
  status: Status;
  peers: readonly Peer<P>[];
  /** Somebody has come: another window, with a client id of its own. Who is there already is told to nobody. */
  join: Peer<P>;
  /** Somebody has gone: as they were last seen. One whose connection is lost goes after half a minute. */
  leave: Peer<P>;
  /** The document has changed by these operations. */
  change: { origin: Origin; operations: readonly Operation[] };
  /** The document has changed by this Yjs update. */
  update: { update: Uint8Array; origin: Origin };
  error: CollabError;
}
