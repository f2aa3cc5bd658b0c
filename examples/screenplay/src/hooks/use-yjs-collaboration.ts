// The connection of one scene, in the shape the application's plan gives it: a document, a provider, awareness and a
// status in five words. All the work is done by slate-yrs; `enabled: false` is the feature flag that leaves it out.
import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { Descendant } from "slate";
import type { Collab, CollabError, Peer, Presence, Status } from "slate-yrs";
import { useCollab } from "slate-yrs/react";

export type SyncStatus = "connecting" | "connected" | "synced" | "offline" | "error";

export interface YjsCollaborationOptions<P extends Presence = Presence> {
  sceneId: string;
  /** A function is asked before each connection; it may have none yet. */
  authToken?: string | (() => string | undefined | Promise<string | undefined>);
  enabled?: boolean;
  /** Where the server keeps its scenes, e.g. `wss://host/ws/scenes`. */
  serverUrl: string;
  presence?: P;
  /** More for the server's address. Other ones reopen the document. */
  params?: Record<string, string>;
  /** What a scene begins with that nobody has written in. */
  initialValue?: () => Descendant[];
  onSyncStatusChange?: (status: SyncStatus) => void;
  onError?: (error: CollabError) => void;
  /** Every change of the document as a Yjs update, one's own ones included. */
  onUpdate?: (update: Uint8Array) => void;
}

export interface YjsCollaboration<P extends Presence = Presence> {
  /** The document; `null` until its local copy is loaded. */
  doc: Collab<P> | null;
  /** `status` and `peers` are the current ones; `useStatus(doc)` and `usePeers(doc)` render with them. */
  provider: { connect(): void; disconnect(): void; readonly status: Status } | null;
  awareness: { readonly peers: readonly Peer<P>[]; setLocalState(presence: Partial<P>): void } | null;
  isConnected: boolean;
  syncStatus: SyncStatus;
  /** Why there is no connection: gone when there is one again. */
  connectionError: CollabError | null;
  /** Tries at once; opens again what could not be opened. */
  reconnect(): void;
}

export function syncStatusOf(status: Status): SyncStatus {
  // The document was replaced on the server: this copy no longer syncs, and time will not mend it.
  if (status.conflict !== null) return "error";
  switch (status.connection) {
    case "connecting":
      return "connecting";
    case "online":
      return status.synced ? "synced" : "connected";
    case "offline":
    case "closed":
      return "offline";
    case "unauthorized":
    case "forbidden":
      return "error";
  }
}

export function useYjsCollaboration<P extends Presence = Presence>(
  options: YjsCollaborationOptions<P>,
): YjsCollaboration<P> {
  const { sceneId, serverUrl, enabled = true, presence, initialValue } = options;
  // Callbacks and the token may be other functions at every render; only the scene and the server reopen the document.
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: what a scene begins with is asked once, with the scene
  const scene = useMemo(() => ({ id: sceneId, url: serverUrl, initialValue: initialValue?.() }), [sceneId, serverUrl]);
  const token = options.authToken === undefined ? {} : { token: options.authToken };
  const params = options.params === undefined ? {} : { params: options.params };
  const { collab, error, retry } = useCollab<P>(enabled ? { ...scene, ...token, ...params, presence } : null);
  // Only what this hook returns makes its component render again: not each keystroke that is saved, not others' carets.
  const state = useStatusPart(collab, syncStatusOf, enabled ? "connecting" : "offline");
  const lastError = useStatusPart(collab, connectionErrorOf, null);
  const syncStatus = error ? "error" : state;
  const connectionError = error ?? lastError;

  useEffect(() => {
    latest.current.onSyncStatusChange?.(syncStatus);
  }, [syncStatus]);
  useEffect(() => {
    if (error) latest.current.onError?.(error);
  }, [error]);
  useEffect(() => {
    if (!collab) return;
    const offError = collab.on("error", (failure) => latest.current.onError?.(failure));
    const offUpdate = collab.on("update", ({ update }) => latest.current.onUpdate?.(update));
    return () => {
      offError();
      offUpdate();
    };
  }, [collab]);

  const reconnect = useCallback(() => (collab ? collab.connect() : retry()), [collab, retry]);
  return useMemo(
    () => ({
      doc: collab,
      provider: collab && providerOf(collab),
      awareness: collab && awarenessOf(collab),
      isConnected: syncStatus === "connected" || syncStatus === "synced",
      syncStatus,
      connectionError,
      reconnect,
    }),
    [collab, syncStatus, connectionError, reconnect],
  );
}

/** What went wrong, while there is no working connection. */
function connectionErrorOf(status: Status): CollabError | null {
  return status.synced && status.conflict === null ? null : status.error;
}

/** One thing of a document's status; renders again when it, and not when anything else, changes. */
export function useStatusPart<P extends Presence, T>(
  collab: Collab<P> | null,
  part: (status: Status) => T,
  without: T,
): T {
  const subscribe = useCallback((changed: () => void) => collab?.on("status", changed) ?? (() => {}), [collab]);
  const snapshot = () => (collab ? part(collab.status) : without);
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

function providerOf<P extends Presence>(collab: Collab<P>): YjsCollaboration<P>["provider"] {
  return {
    connect: () => collab.connect(),
    disconnect: () => collab.disconnect(),
    get status() {
      return collab.status;
    },
  };
}

function awarenessOf<P extends Presence>(collab: Collab<P>): YjsCollaboration<P>["awareness"] {
  return {
    get peers() {
      return collab.peers;
    },
    setLocalState: (presence) => collab.setPresence(presence),
  };
}
