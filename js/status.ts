// The status where no session is running: before one is there, after it has ended, on a server.
import type { Status } from "./types.js";

/** Nothing is open: offline, and nothing to save. */
export const OFFLINE: Status = Object.freeze({
  local: false,
  connection: "offline",
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
  format: null,
  conflict: null,
  divergences: 0,
  error: null,
});

/** The document was closed, or has nothing to show yet. */
export const CLOSED: Status = Object.freeze({ ...OFFLINE, connection: "closed" });
