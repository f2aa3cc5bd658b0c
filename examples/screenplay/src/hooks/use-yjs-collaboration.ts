// The connection of one scene, in the shape the application's plan gives it: a document, a provider, awareness and a
// status in five words. All the work is done by slate-yrs; `enabled: false` is the feature flag that leaves it out.
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Descendant } from "slate";
import type { Collab, CollabError, Peer, Presence, Status } from "slate-yrs";
import { useCollab, usePeers, useStatus } from "slate-yrs/react";

export type SyncStatus = "connecting" | "connected" | "synced" | "offline" | "error";

export interface YjsCollaborationOptions<P extends Presence = Presence> {
  sceneId: string;
  authToken?: string | (() => string | Promise<string>);
  enabled?: boolean;
  /** Where the server keeps its scenes, e.g. `wss://host/ws/scenes`. */
  serverUrl: string;
  presence?: P;
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
  provider: { connect(): void; disconnect(): void; status: Status } | null;
  awareness: { peers: readonly Peer<P>[]; setLocalState(presence: Partial<P>): void } | null;
  isConnected: boolean;
  syncStatus: SyncStatus;
  connectionError: CollabError | null;
  reconnect(): void;
}

export function syncStatusOf(status: Status): SyncStatus {
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
  const { sceneId, serverUrl, enabled = true, presence } = options;
  // Callbacks and the token may be other functions at every render; only the scene and the server reopen the document.
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  const scene = useMemo(
    () => ({ id: sceneId, url: serverUrl, initialValue: latest.current.initialValue?.() }),
    [sceneId, serverUrl],
  );
  const token = options.authToken === undefined ? {} : { token: options.authToken };
  const { collab, error } = useCollab<P>(enabled ? { ...scene, ...token, presence } : null);
  const status = useStatus(collab);
  const peers = usePeers(collab);
  const syncStatus = error ? "error" : collab ? syncStatusOf(status) : enabled ? "connecting" : "offline";
  const connectionError = error ?? status.error;

  useEffect(() => latest.current.onSyncStatusChange?.(syncStatus), [syncStatus]);
  useEffect(() => {
    if (error) latest.current.onError?.(error);
  }, [error]);
  useEffect(() => {
    if (!collab) return;
    const offError = collab.on("error", (failure) => latest.current.onError?.(failure));
    const offUpdate = latest.current.onUpdate
      ? collab.on("update", ({ update }) => latest.current.onUpdate?.(update))
      : undefined;
    return () => {
      offError();
      offUpdate?.();
    };
  }, [collab]);

  const reconnect = useCallback(() => collab?.connect(), [collab]);
  return useMemo(
    () => ({
      doc: collab,
      provider: collab && { connect: () => collab.connect(), disconnect: () => collab.disconnect(), status },
      awareness: collab && { peers, setLocalState: (changes) => collab.setPresence(changes) },
      isConnected: status.connection === "online",
      syncStatus,
      connectionError,
      reconnect,
    }),
    [collab, status, peers, syncStatus, connectionError, reconnect],
  );
}
