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
  /**
   * `update`: the document has changed; `detail` says by whom, and how large the update is. `status`: `detail` says which
   * fields have changed.
   */
  readonly what: "socket" | "sent" | "received" | "update" | "status" | "error" | "broadcast";
  /** For people to read. There is no token in it, and nothing of the document's content. */
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
   * Sent as `?token=`. A function is called before every connection, so that it can renew a token that has expired. It
   * returns `undefined` where there is no token, or none yet.
   */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** More query parameters. */
  params?: Record<string, string>;
  /** What peers see of this user, at most 16 KiB as JSON; without it, they do not see the user. */
  presence?: P;
  /**
   * The content of a new document. It is used only if the document has none, and only once, however many people open the
   * document. It is shown at once, also without a connection. Until the server has said whether the document takes it, it
   * is kept on the device and counts as pending. If the document has other content, that is shown instead, and of the
   * initial value only those blocks stay in which this user has written meanwhile. A user who may only read gives the
   * document nothing.
   */
  initialValue?: Descendant[];
  /** Name of the root `Y.XmlText`. Default `"content"`. */
  root?: string;
  /** Name of a block's id property. A split gives the new block a fresh one. Default `"id"`. */
  blockId?: string;
  /**
   * How the document is laid out. `0`: a new document begins in the layout of `@slate-yjs/core`, whose clients may then
   * write it too; a document of format 1 is never brought back to it. `1`: the layout by reference. A new document begins
   * in it, and one that is there is brought to it, for good; from then on clients that do not know it cannot write the
   * document. Without this option a document keeps its format, and a new one begins in 1 on a slate-yrs server and without
   * a server, and in 0 on any other server, since such a server would let other clients damage a document of format 1. The
   * server's `--format` counts more than this option. A format that this version cannot write is reported as an error
   * `format`, and the document keeps the one that it has.
   */
  format?: 0 | 1;
  /**
   * Whether the document and its edits are kept on this device (IndexedDB). `database`: the name of the database.
   * `durability`: with `"strict"` every write waits for the disk, with `"relaxed"`, the default, only one that replaces or
   * removes something. Default `true`.
   */
  offline?: boolean | { database?: string; durability?: "strict" | "relaxed" };
  /** Whether to connect at once; otherwise with {@link Collab.connect}. Default `true`. */
  connect?: boolean;
  /** `captureTimeout`: edits less than so many milliseconds apart are undone together. Default 500. */
  undo?: { captureTimeout?: number };
  /**
   * The class of sockets to connect with. Default: the global `WebSocket`, which Node has from version 22.
   *
   * @example
   * import { WebSocket } from "ws";
   * const collab = await open({ id, url, WebSocket });
   */
  WebSocket?: WebSocketClass;
  /**
   * What frames go over. `"auto"`: a WebSocket. Where none can be opened though the server answers over HTTP (an office's
   * proxy, a filter), the same frames and acknowledgements go over HTTP; the tab remembers that, and tries a socket again
   * now and then. `"websocket"`, `"http"`: only this. Only the slate-yrs server can be reached over HTTP, at `/http/scenes`
   * beside `/ws/scenes`. {@link Status.transport} says which one it is now. Default `"auto"`.
   */
  transport?: "auto" | "websocket" | "http";
  /**
   * Logs what happens: `true` to the console (`console.debug`), a function to that. In a page,
   * `localStorage["slate-yrs:debug"] = "1"` logs every document that is not opened with `false`. No content of a document is
   * logged, and no token.
   *
   * @example
   * const lines: string[] = [];
   * await open({ id, url, debug: ({ what, detail }) => lines.push(`${what}: ${detail}`) });
   */
  debug?: boolean | ((entry: DebugEntry) => void);
}

/**
 * Who made a change. `local`: this editor. `remote`: somebody else. `undo`: this editor's undo or redo. `store`: the device's
 * copy, when it is loaded, when another tab has changed it, and when the editor had to be mended.
 */
export type Origin = "local" | "remote" | "undo" | "store";

/** A value that {@link SharedMap} takes. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a listener of {@link SharedMap.on} is given. */
export interface SharedMapChange {
  /** The keys that were set to another value, added or deleted. */
  readonly keys: readonly string[];
  readonly origin: Origin;
}

/**
 * Values beside the text, by key, in the same document: they are stored, sent, acknowledged and kept offline like the text. If
 * two people set one key at the same time, everybody gets the same one of the two values; other keys are not touched.
 */
export interface SharedMap<T = Json> {
  /** The value, frozen: to change it, {@link SharedMap.set} another one. */
  get(key: string): T | undefined;
  /**
   * Sets a value, as an undo step of its own. What is kept is what `JSON.stringify` makes of it. Throws a CollabError:
   * `forbidden` where this user may only read; `too-large` for a key of more than 1,000 characters or a value of more than
   * 256 KiB; `protocol` where the value is no JSON, or has more than 63 arrays and objects in one another; `closed`; and
   * `wasm` while the engine is being started again.
   *
   * - `options.undo`: `false` for a value that nobody has set by hand, such as a default or one that was imported: undo does
   *   not take it back.
   */
  set(key: string, value: T, options?: { undo?: boolean }): void;
  /** Deletes a key; without such a key nothing happens. Throws as {@link SharedMap.set} does. */
  delete(key: string): void;
  /** All keys with their values: an immutable snapshot, the same object until something changes. */
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
  /** The others who have the document open: the same array until something changes. */
  readonly peers: readonly Peer<P>[];
  /**
   * Calls `listener` at each event until the returned function is called. An error that a listener throws is reported, and
   * stops nothing else.
   */
  on<E extends keyof Events<P>>(event: E, listener: (value: Events<P>[E]) => void): () => void;

  /** Changes these fields of what peers see of this user; the others stay. Throws `too-large` beyond 16 KiB as JSON. */
  setPresence(presence: Partial<P>): void;
  /**
   * Sends those who have the document open a message that nobody keeps: "look here", a reaction, a pointer. A message is
   * any JSON of up to 1,000 bytes; 20 messages and 8,000 bytes may be sent in two seconds. Whoever shows a presence may
   * send, readers too.
   *
   * Everybody who is connected and in sync hears a message once, and the messages of one sender in their order, on every
   * kind of server; so do the other tabs of this device, also without a connection. Nobody is told later: who is offline
   * for more than two seconds misses the message. The document that sends it does not hear it.
   *
   * @throws CollabError `too-large`, `rate-limited`; `protocol` if it is no JSON, or this user shows no presence; `closed`.
   * @example
   * collab.broadcast({ type: "wave", at: anchor(editor, range) });
   */
  broadcast(message: unknown): void;
  /**
   * Calls `listener` with each message that somebody else has sent by {@link Collab.broadcast}, until the returned function
   * is called. A message is whatever its sender sent: check it before you use it.
   *
   * @example
   * const stop = collab.onBroadcast((message, from) => {
   *   if (isWave(message)) show(`${from.presence.name} waves`);
   * });
   */
  onBroadcast(listener: (message: unknown, from: BroadcastSender<P>) => void): () => void;
  /** Takes back this user's last step, never what others have done. False if nothing that is shown has changed. */
  undo(): boolean;
  /** Does again what was undone last. False if nothing that is shown has changed. */
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
   * Values beside the text: a title page, colours, settings. Each call with the same name returns the same object. In the
   * document the map is a root `Y.Map`; clients of yjs get it by `doc.getMap(name)`.
   *
   * @throws CollabError `protocol` if `name` is that of the text ({@link OpenOptions.root}), begins with `slate-yrs:`, is
   * empty or has more than 200 characters; `closed` if the document is closed, and the map was not asked for before.
   * @example
   * const title = collab.map<string>("title");
   * title.set("author", "Ada");
   */
  map<T = Json>(name: string): SharedMap<T>;

  /** Goes online. Where the next attempt to connect is waited for, it is made at once. */
  connect(): void;
  /** Stays offline until {@link Collab.connect}. */
  disconnect(): void;
  /**
   * Resolves when the server's content is here, and the server has {@link OpenOptions.initialValue} if the document takes
   * it. Rejects if that cannot happen: the document is closed, its server refuses, there is a conflict or no server.
   */
  whenSynced(): Promise<void>;
  /**
   * Resolves when the server has acknowledged every local edit, and the initial value, as stored. Rejects as
   * {@link Collab.whenSynced} does, and while edits are set aside.
   */
  whenSaved(): Promise<void>;
  /** Writes to the device what is not written yet, then frees everything. May be called at any time, and again. */
  close(): Promise<void>;

  /** The document's versions. Needs the slate-yrs server. */
  readonly history: History;
  /**
   * Asks the server who wrote each word of the document, or of a range of it; the answer is in the order of the document. In
   * format 1 it is exact: words stay their author's when somebody divides, joins or moves them, and when undo or
   * {@link History.restore} writes them again. In format 0 a structural edit copies words, and the copies count as written by
   * whoever made that edit. Rejects at once without a connection.
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
   * After a conflict ({@link Status.conflict}): takes the server's document in place of this copy. Edits of this copy that
   * were never acknowledged are set aside. Resolves when the server's document is here. Rejects as
   * {@link Collab.whenSynced} does, and may then be called again.
   */
  takeServer(): Promise<void>;
  /** Gives up the updates that are set aside ({@link Status.setAside}), and the edits in this document that need them. */
  discardSetAside(): void;
  /**
   * Deletes this device's copy. Rejects while there are edits, of this tab or of another, that are not acknowledged, unless
   * `discardPending` says to discard them. From then on no tab keeps this document on the device.
   */
  deleteLocal(options?: { discardPending?: boolean }): Promise<void>;
}

/**
 * What a server keeps of a document's past. Each method rejects with a CollabError where the server cannot be asked, or has
 * not what is asked for.
 */
export interface History {
  /** The newest first; `before` is the id of the last one seen. */
  list(options?: { before?: string; limit?: number }): Promise<Version[]>;
  /** The document as it was. */
  value(versionId: string): Promise<Descendant[]>;
  /**
   * Both versions in one value. Leaves that differ have the mark `added` or `removed`; its value is the author where that is
   * known, else `true`.
   */
  compare(from: string, to: string | "now"): Promise<Descendant[]>;
  /** The values of all maps as they were, by map and key; without comments. */
  values(versionId: string): Promise<Record<string, Record<string, Json>>>;
  /** Which values changed between the two; without comments. */
  compareValues(from: string, to: string | "now"): Promise<ValueChange[]>;
  /** Names the document as it is now. */
  save(label: string): Promise<Version>;
  /**
   * Brings the text and the maps back to what they were, but not the comments, as an edit that everyone sees. Rejects at once
   * without a connection.
   */
  restore(versionId: string): Promise<void>;
  /**
   * Takes back what one person did between two times (both included; without `to`: up to now), as an edit that everyone sees.
   * What they typed is deleted; what they deleted comes back, unless others deleted it too; their breaks, joins, moves and
   * formats are set back. What others wrote in between stays; values of maps and comments stay too. A time is in ms since the
   * epoch, RFC 3339, or a `Date`. For documents of format 1 only; rejects at once without a connection.
   *
   * @throws CollabError `format` in a document of format 0; `forbidden` for who may only read.
   * @example
   * const { removed, restored } = await collab.history.rollback("ben", { from: Date.now() - 3_600_000 });
   */
  rollback(author: string, span: { from: number | string | Date; to?: number | string | Date }): Promise<RolledBack>;
}

/** How many characters {@link History.rollback} has deleted, and how many it has brought back. */
export interface RolledBack {
  readonly removed: number;
  readonly restored: number;
}

/** Consecutive characters of one text that have one author: see {@link Collab.authors}. */
export interface Authored {
  readonly range: Range;
  /** Named as in {@link Version.authors}. `null`: the author is not known, or the server does not have the characters yet. */
  readonly author: string | null;
  /** When the server stored them, in ms since the epoch; for what was written in one sitting, when the sitting ended. */
  readonly at: number | null;
}

/** One value that differs between two versions. */
export interface ValueChange {
  readonly map: string;
  readonly key: string;
  /** Missing where the key was added. */
  readonly before?: Json;
  /** Missing where the key was deleted. */
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
  /** The size of the updates that it is made of; of a named version, that of the whole state. */
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

/** The events of {@link Collab.on}, and what a listener is given. */
export interface Events<P extends Presence = Presence> {
  status: Status;
  peers: readonly Peer<P>[];
  /** Somebody has come: another window, with a client id of its own. Of those who were there before, no event tells. */
  join: Peer<P>;
  /** Somebody has gone; the peer is as it was last seen. One whose connection is lost counts as gone after half a minute. */
  leave: Peer<P>;
  /** The document has changed by these operations. */
  change: { origin: Origin; operations: readonly Operation[] };
  /** The document has changed by this Yjs update. */
  update: { update: Uint8Array; origin: Origin };
  error: CollabError;
}
