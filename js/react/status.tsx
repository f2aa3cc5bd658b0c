// What a writer is told about where the newest words are.
import { type CSSProperties, type ReactElement, useEffect, useState } from "react";
import type { Collab, Status } from "../index.js";
import { useStatus } from "./hooks.js";
import { classes, HIDDEN } from "./style.js";

/** How a status is to be felt: for colours and icons. */
export type StatusKind = "saved" | "saving" | "offline" | "syncing" | "read-only" | "problem";

/** A status in words. */
export interface StatusText {
  readonly kind: StatusKind;
  readonly text: string;
  /** More, for a tooltip; empty where there is no more. */
  readonly detail: string;
}

/** The most important thing to say, problems first. */
export function statusText(status: Status): StatusText {
  const { connection, storage, pending, saved } = status;
  const kept = pending === 0 ? "" : `${changes(pending)} kept ${where(status)}`;
  if (status.conflict === "epoch") return say("problem", "Replaced on the server", kept);
  if (connection === "forbidden") return say("problem", "No access", kept);
  if (connection === "unauthorized") return say("problem", "Sign in again", kept);
  if (storage === "full") return say("problem", "This device's storage is full", kept);
  if (status.setAside > 0) return say("problem", `${changes(status.setAside)} could not be sent`, kept);
  if (status.readOnly) return say("read-only", "Read only", kept);
  if (connection === "closed") return say("offline", "Closed", kept);
  if (connection === "offline" || status.offlineSince !== null) return offline(status, kept);
  if (status.syncingOfflineChanges) return say("syncing", "Offline changes syncing…", kept);
  if (connection === "connecting" || !status.synced) return say("saving", "Connecting…", kept);
  return saved === "server" && pending === 0 ? say("saved", "Saved", "") : say("saving", "Saving…", kept);
}

function offline(status: Status, kept: string): StatusText {
  const detail = status.storage === "indexeddb" ? "" : "Keep this page open: its storage does not work.";
  return say("offline", kept === "" ? "Offline" : `Offline · ${kept}`, detail);
}

const say = (kind: StatusKind, text: string, detail: string): StatusText => ({ kind, text, detail });
const changes = (count: number): string => `${count} ${count === 1 ? "change" : "changes"}`;
const where = (status: Status): string => (status.saved === "memory" ? "in this window only" : "on this device");

const COLORS: Record<StatusKind, string> = {
  saved: "var(--slate-yrs-saved, #2f9e44)",
  saving: "var(--slate-yrs-saving, #868e96)",
  offline: "var(--slate-yrs-offline, #b7791f)",
  syncing: "var(--slate-yrs-syncing, #1c7ed6)",
  "read-only": "var(--slate-yrs-read-only, #868e96)",
  problem: "var(--slate-yrs-problem, #e03131)",
};

const BADGE: CSSProperties = { display: "inline-flex", alignItems: "center", gap: "0.5em", font: "inherit" };
/** Props of {@link StatusBadge}. */
export interface StatusBadgeProps {
  collab: Collab | null;
  /** Added to `slate-yrs-status`. The element also has `data-kind`, a {@link StatusKind}. */
  className?: string;
}

/**
 * Says where the newest words are. Colours: `--slate-yrs-saved`, `-saving`, `-offline`, `-syncing`, `-read-only`,
 * `-problem`. Screen readers hear of lasting changes only, not of each save.
 */
export function StatusBadge({ collab, className }: StatusBadgeProps): ReactElement {
  const status = useStatus(collab);
  const { kind, text, detail } = statusText(status);
  const { progress } = status;
  const spoken = useSpoken(kind, text);
  return (
    <>
      <span
        className={classes("slate-yrs-status", className)}
        data-kind={kind}
        style={BADGE}
        title={detail || undefined}
      >
        <span
          aria-hidden="true"
          className="slate-yrs-status-dot"
          style={{ width: "0.6em", height: "0.6em", borderRadius: "50%", flex: "none", backgroundColor: COLORS[kind] }}
        />
        <span className="slate-yrs-status-text">{text}</span>
        {progress !== null && progress.total > 0 && kind === "syncing" ? (
          <progress
            aria-label={text}
            className="slate-yrs-status-progress"
            max={progress.total}
            style={{ width: "5em", accentColor: COLORS[kind] }}
            value={Math.min(progress.received, progress.total)}
          />
        ) : null}
      </span>
      <span aria-live="polite" role="status" style={HIDDEN}>
        {spoken}
      </span>
    </>
  );
}

/** What is worth saying aloud: a state that has lasted a second. Saving and saved alternate, and only end a trouble. */
function useSpoken(kind: StatusKind, text: string): string {
  const [spoken, setSpoken] = useState("");
  useEffect(() => {
    if (kind === "saving") return;
    const timer = setTimeout(() => setSpoken((before) => (kind === "saved" && before === "" ? "" : text)), 1_000);
    return () => clearTimeout(timer);
  }, [kind, text]);
  return spoken;
}
