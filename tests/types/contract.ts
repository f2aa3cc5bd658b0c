// The interface as other programs are written against it: each of its names is there, with a type that takes and gives what it
// did. `tsc` is the test: it has no code to run. What has come since is listed, so that nothing joins or leaves the interface unseen.
import type { BaseEditor, DecoratedRange, Descendant, NodeEntry, Operation, Range } from "slate";
import type * as comments from "../../js/comments.js";
import type * as core from "../../js/index.js";
import type * as react from "../../js/react.js";
import type * as slate from "../../js/slate.js";
import type * as testing from "../../js/testing.js";

// --- what was agreed

interface Presence {
  name: string;
  color?: string;
}

interface OpenOptions<P extends Presence> {
  id: string;
  url?: string;
  token?: string | (() => string | Promise<string>);
  params?: Record<string, string>;
  presence?: P;
  initialValue?: Descendant[];
  root?: string;
  blockId?: string;
  format?: 0 | 1;
  offline?: boolean | { database?: string; durability?: "strict" | "relaxed" };
  connect?: boolean;
  undo?: { captureTimeout?: number };
}

type Origin = "local" | "remote" | "undo" | "store";

interface Status {
  connection: "offline" | "connecting" | "online" | "unauthorized" | "forbidden" | "closed";
  synced: boolean;
  saved: "memory" | "local" | "server";
  pending: number;
  setAside: number;
  storage: "indexeddb" | "memory" | "full" | "blocked" | "corrupt";
  offlineSince: number | null;
  retryAt: number | null;
  syncingOfflineChanges: boolean;
  progress: { received: number; total: number } | null;
  readOnly: boolean;
  conflict: "epoch" | null;
  /** Agreed on as 0 or 1: it has become null where it is not known yet, and any number, for those of later versions. */
  format: number | null;
  error: CollabError | null;
}

interface Peer<P> {
  clientId: number;
  presence: P;
  selection: Range | null;
  typing: boolean;
  lastActive: number;
}

interface Events<P> {
  status: Status;
  peers: readonly Peer<P>[];
  change: { origin: Origin; operations: readonly Operation[] };
  update: { update: Uint8Array; origin: Origin };
  error: CollabError;
}

type Code =
  | "unauthorized"
  | "forbidden"
  | "protocol"
  | "invalid-update"
  | "too-large"
  | "storage"
  | "epoch"
  | "root-mismatch"
  | "format"
  | "wasm"
  | "closed";

interface CollabError extends Error {
  readonly code: core.CollabErrorCode;
}

interface Version {
  id: string;
  at: string;
  label: string | null;
  authors: readonly string[];
  // `daily` came later, for versions older than those.
  kind: "edit" | "hourly" | "daily" | "named";
  bytes: number;
}

interface History {
  list(options?: { before?: string; limit?: number }): Promise<Version[]>;
  value(versionId: string): Promise<Descendant[]>;
  compare(from: string, to: string | "now"): Promise<Descendant[]>;
  save(label: string): Promise<Version>;
  restore(versionId: string): Promise<void>;
}

interface Collab<P extends Presence> {
  readonly id: string;
  readonly clientId: number;
  value(): Descendant[];
  readonly status: Status;
  readonly peers: readonly Peer<P>[];
  on<E extends keyof Events<P>>(event: E, listener: (value: Events<P>[E]) => void): () => void;
  setPresence(presence: Partial<P>): void;
  undo(): boolean;
  redo(): boolean;
  stopCapturing(): void;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  connect(): void;
  disconnect(): void;
  whenSynced(): Promise<void>;
  whenSaved(): Promise<void>;
  close(): Promise<void>;
  readonly history: History;
  stateVector(): Uint8Array;
  encodeState(stateVector?: Uint8Array): Uint8Array;
  applyUpdate(update: Uint8Array): void;
  exportPending(): Uint8Array;
  deleteLocal(options?: { discardPending?: boolean }): Promise<void>;
}

interface CollabEditor {
  readonly collab: core.Collab;
  undo(): boolean;
  redo(): boolean;
  disconnect(): void;
}

// --- that it is so

/** Compiles only where `Given` can be used as `Wanted`. */
type Fits<Wanted, Given extends Wanted> = Given;

interface Writer extends Presence {
  role: "author" | "editor";
}

/** An instance of what `new` makes of a class. */
type Instance<C extends abstract new (...args: never) => unknown> = InstanceType<C>;

export type Contract = [
  // What a program hands over.
  Fits<core.OpenOptions<Writer>, OpenOptions<Writer>>,
  Fits<core.Presence, Presence>,
  Fits<core.CollabErrorCode, Code>,
  // What it is given.
  Fits<Presence, core.Presence>,
  Fits<Status, core.Status>,
  Fits<Peer<Writer>, core.Peer<Writer>>,
  Fits<Events<Writer>, Pick<core.Events<Writer>, keyof Events<Writer>>>,
  Fits<Version, core.Version>,
  Fits<History, core.History>,
  Fits<Collab<Writer>, core.Collab<Writer>>,
  Fits<CollabError, Instance<typeof core.CollabError>>,
  Fits<CollabEditor, slate.CollabEditor>,
  // What it calls.
  Fits<(source?: URL | RequestInfo | BufferSource | WebAssembly.Module) => Promise<void>, typeof core.init>,
  Fits<(options: OpenOptions<Writer>) => Promise<Collab<Writer>>, typeof core.open<Writer>>,
  Fits<
    (editor: BaseEditor, collab: core.Collab, options?: { cursors?: boolean }) => BaseEditor & CollabEditor,
    typeof slate.withCollab<BaseEditor>
  >,
  Fits<(editor: slate.CollabEditor, range: Range) => string, typeof slate.anchor>,
  Fits<(editor: slate.CollabEditor, anchor: string) => Range | null, typeof slate.resolve>,
  Fits<(editor: slate.CollabEditor, edit: () => void) => void, typeof slate.withoutSaving>,
  Fits<
    (options: OpenOptions<Writer> | null) => { collab: Collab<Writer> | null; error: CollabError | null },
    typeof react.useCollab<Writer>
  >,
  Fits<
    (collab: core.Collab | null, create: () => BaseEditor) => (BaseEditor & CollabEditor) | null,
    typeof react.useCollabEditor<BaseEditor>
  >,
  Fits<(collab: core.Collab | null) => Status, typeof react.useStatus>,
  Fits<(collab: core.Collab<Writer> | null) => readonly Peer<Writer>[], typeof react.usePeers<Writer>>,
  Fits<(editor: slate.CollabEditor) => (entry: NodeEntry) => DecoratedRange[], typeof react.useDecorateCursors>,
  Fits<
    (props: { editor: slate.CollabEditor; children: never; className?: string }) => unknown,
    typeof react.RemoteCursors
  >,
  Fits<(props: { collab: core.Collab; max?: number }) => unknown, typeof react.PresenceAvatars>,
  Fits<(props: { collab: core.Collab }) => unknown, typeof react.StatusBadge>,
];

// --- what has come since

type Grown<Ours, Agreed> = Exclude<keyof Ours, keyof Agreed>;
/** Neither more nor fewer. */
type Exactly<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const exactly = <A, B>(_: Exactly<A, B>): void => {};

exactly<Grown<core.OpenOptions, OpenOptions<Presence>>, "WebSocket" | "debug" | "transport">(true);
exactly<Grown<core.Presence, Presence>, never>(true);
exactly<
  Grown<core.Collab, Collab<Presence>>,
  "authors" | "broadcast" | "onBroadcast" | "map" | "takeServer" | "discardSetAside"
>(true);
exactly<Grown<core.Status, Status>, "local" | "transport" | "canComment" | "divergences">(true);
exactly<Grown<core.Peer, Peer<Presence>>, never>(true);
exactly<Grown<core.Events, Events<Presence>>, "join" | "leave">(true);
exactly<Grown<core.Version, Version>, never>(true);
exactly<Grown<core.History, History>, "values" | "compareValues" | "rollback">(true);
exactly<Grown<slate.CollabEditor, CollabEditor>, "divergences">(true);
exactly<Exclude<core.CollabErrorCode, Code>, "rate-limited">(true);
exactly<keyof typeof core, "CollabError" | "init" | "open" | "askBeforeLeaving" | "localDocuments">(true);
exactly<keyof typeof slate, "withCollab" | "anchor" | "resolve" | "withoutSaving" | "withQuickNormalizing">(true);
exactly<
  Exclude<
    keyof typeof react,
    | "useCollab"
    | "useCollabEditor"
    | "useStatus"
    | "usePeers"
    | "useDecorateCursors"
    | "RemoteCursors"
    | "PresenceAvatars"
    | "StatusBadge"
  >,
  | "CommentForm"
  | "CommentHighlights"
  | "ThreadCard"
  | "ThreadList"
  | "colorOf"
  | "initialsOf"
  | "nameOf"
  | "statusText"
  | "useBoundEditor"
  | "useBroadcast"
  | "useDecorateComments"
  | "usePeople"
  | "useReadOnly"
  | "useRemoteSelections"
  | "useSharedMap"
  | "useThreads"
>(true);
exactly<keyof typeof comments, "comments">(true);
exactly<keyof typeof testing, "fakeClock" | "openTogether">(true);
