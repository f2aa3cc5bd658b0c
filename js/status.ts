// What the application is told of how a document is doing: from the engine's flat numbers, whose names and order are those
// of `src/js/flat.rs` (`tsc` says where they are not); and where no session is running: before one is there, after it has ended, on a server.
import type { ConnectionNames, SavedNames, StatusFlags, StatusNumbers, StorageNames } from "../pkg/slate_yrs.js";
import type { CollabError } from "./errors.js";

/** How a document is doing. */
export interface Status {
  /** There is no server: the document was opened without `url` and stays on this device. It is always `offline`. */
  readonly local: boolean;
  /** `unauthorized`: the token is refused. `forbidden`: refused for good, be it for the document's format. `closed`: by {@link Collab.close}. */
  readonly connection: "offline" | "connecting" | "online" | "unauthorized" | "forbidden" | "closed";
  /**
   * What goes to and from the server goes over a WebSocket, or over HTTP where none can be opened
   * ({@link OpenOptions.transport}): of the connection there is, or the last one.
   */
  readonly transport: "websocket" | "http";
  /** Whether the server's content has arrived on this connection, and the server has `initialValue` if it takes it. */
  readonly synced: boolean;
  /** The least safe place in which the newest local edit is. `server` means acknowledged as stored. */
  readonly saved: "memory" | "local" | "server";
  /** Number of local updates that the server has not acknowledged; {@link OpenOptions.initialValue} is one of them. */
  readonly pending: number;
  /** Number of updates that the server refuses, or that cannot be without one; see {@link Collab.exportPending}. */
  readonly setAside: number;
  /** `full`, `blocked` and `corrupt`: editing goes on in memory while the device's storage is retried. */
  readonly storage: "indexeddb" | "memory" | "full" | "blocked" | "corrupt";
  /** Since when, in ms since the epoch. */
  readonly offlineSince: number | null;
  /** When the next attempt to connect is due, in ms since the epoch. */
  readonly retryAt: number | null;
  /** Reconnected, and edits made offline are still on their way. */
  readonly syncingOfflineChanges: boolean;
  /** Bytes of a large first sync. */
  readonly progress: { readonly received: number; readonly total: number } | null;
  /**
   * The server lets this user read only, or did so the last time it was heard; or the document is of a format that must not
   * be written here.
   */
  readonly readOnly: boolean;
  /** Whether this user may comment: everybody who may write, and readers whom the server lets. */
  readonly canComment: boolean;
  /**
   * The document's format; `null` until it is known. One that this version does not know is shown as well, with
   * `readOnly` and an error `format`.
   */
  readonly format: number | null;
  /** `epoch`: the document was deleted and made anew on the server; this copy no longer syncs. */
  readonly conflict: "epoch" | null;
  /**
   * How often what is shown was found to differ from the document since it was opened here, and was mended. Anything but 0
   * is a bug to report; each comes with an `error` event.
   */
  readonly divergences: number;
  /**
   * The last error. Why there is no connection stands here too, as far as a browser says it, until there is one: no
   * `error` event comes with that.
   */
  readonly error: CollabError | null;
}

/** Nothing is open: offline, and nothing to save. */
export const OFFLINE: Status = Object.freeze({
  local: false,
  connection: "offline",
  transport: "websocket",
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
  canComment: true,
  format: null,
  conflict: null,
  divergences: 0,
  error: null,
});

/** The document was closed, or has nothing to show yet. */
export const CLOSED: Status = Object.freeze({ ...OFFLINE, connection: "closed" });

// In the engine's order: the module declares the types.
const CONNECTIONS: ConnectionNames = ["offline", "connecting", "online", "unauthorized", "forbidden", "closed"];
const SAVED: SavedNames = ["memory", "local", "server"];
const STORAGES: StorageNames = ["indexeddb", "memory", "full", "blocked", "corrupt"];
const NUMBERS: StatusNumbers = [
  "connection",
  "saved",
  "storage",
  "flags",
  "pending",
  "setAside",
  "offlineSince",
  "retryAt",
  "received",
  "total",
  "divergences",
  "format",
];
const FLAGS: StatusFlags = [
  "synced",
  "syncingOfflineChanges",
  "readOnly",
  "epochConflict",
  "hasOfflineSince",
  "hasRetryAt",
  "hasProgress",
  "hasError",
  "canComment",
];

/** The numbers by their names, and the names that some of them stand for. */
function named(flat: Float64Array) {
  const of = Object.fromEntries(NUMBERS.map((name, at) => [name, flat[at]])) as Record<StatusNumbers[number], number>;
  const connection = CONNECTIONS[of.connection] ?? "offline";
  return { ...of, connection, saved: SAVED[of.saved] ?? "memory", storage: STORAGES[of.storage] ?? "memory" };
}

/** `local`: there is no server. `error` is asked for if there is one. */
export function decodeStatus(
  flat: Float64Array,
  local: boolean,
  transport: Status["transport"],
  error: () => CollabError,
): Status {
  const { connection, saved, storage, pending, setAside, received, total, divergences, ...of } = named(flat);
  const has = (flag: StatusFlags[number]) => ((of.flags >> FLAGS.indexOf(flag)) & 1) === 1;
  return Object.freeze({
    local,
    connection,
    transport,
    synced: has("synced"),
    saved,
    pending,
    setAside,
    storage,
    offlineSince: has("hasOfflineSince") ? of.offlineSince : null,
    retryAt: has("hasRetryAt") ? of.retryAt : null,
    syncingOfflineChanges: has("syncingOfflineChanges"),
    progress: has("hasProgress") ? Object.freeze({ received, total }) : null,
    readOnly: has("readOnly"),
    canComment: has("canComment"),
    format: of.format < 0 ? null : of.format,
    conflict: has("epochConflict") ? ("epoch" as const) : null,
    divergences,
    error: has("hasError") ? error() : null,
  });
}

/** The two things that are told with every change of the status; see `EngineListener`. */
export function decodeNews(flat: Float64Array): { acknowledged: boolean; receiving: boolean } {
  const { connection, saved, storage, pending } = named(flat);
  return {
    acknowledged: saved === "server" && pending === 0,
    receiving: connection === "online" && storage === "indexeddb",
  };
}
