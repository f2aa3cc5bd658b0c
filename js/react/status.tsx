// What a writer is told about where the newest words are.
import { type CSSProperties, type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";
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

/**
 * The most important thing to say, problems first. Where the newest words are is said in each state in which they are
 * not on the server.
 *
 * @example
 * const { kind, text } = statusText(collab.status);
 */
export function statusText(status: Status): StatusText {
  const { connection, storage, pending, saved } = status;
  const kept = pending === 0 && saved !== "memory" ? "" : `${changes(Math.max(1, pending))} kept ${where(status)}`;
  const problem = (text: string) => say("problem", kept === "" ? text : `${text} · ${kept}`, stay(status));
  if (status.conflict === "epoch") return problem("Replaced on the server");
  if (connection === "forbidden") return problem("No access");
  if (connection === "unauthorized") return problem("Sign in again");
  if (storage === "full") return problem("This device's storage is full");
  if (status.setAside > 0) return problem(`${changes(status.setAside)} could not be sent`);
  if (status.local && connection !== "closed") return onDevice(status);
  if (connection === "closed") return say("offline", kept === "" ? "Closed" : `Closed · ${kept}`, "");
  if (connection === "offline" || status.offlineSince !== null) {
    return say("offline", kept === "" ? "Offline" : `Offline · ${kept}`, both(stay(status), why(status)));
  }
  if (status.readOnly) return say("read-only", kept === "" ? "Read only" : `Read only · ${kept}`, stay(status));
  if (status.syncingOfflineChanges) return say("syncing", "Offline changes syncing…", kept);
  if (status.progress !== null && !status.synced) return say("syncing", "Loading…", kept);
  if (connection === "connecting" || !status.synced) {
    return say("saving", kept === "" ? "Connecting…" : `Connecting… · ${kept}`, both(stay(status), why(status)));
  }
  return saved === "server" && pending === 0 ? say("saved", "Saved", "") : say("saving", "Saving…", kept);
}

/** A document without a server is not offline: there is nowhere else for it to be. */
function onDevice(status: Status): StatusText {
  if (status.storage !== "indexeddb") return say("problem", "Kept in this window only", stay(status));
  return status.saved === "memory" ? say("saving", "Saving…", "") : say("saved", "Saved on this device", "");
}

/** What is known of why there is no connection. */
const why = ({ error, connection }: Status): string => (error === null || connection === "online" ? "" : error.message);
const both = (one: string, other: string): string => [one, other].filter((text) => text !== "").join(" ");

/** What a writer has to do so that nothing is lost. */
function stay(status: Status): string {
  if (status.saved === "memory") return "Keep this page open until it says Saved.";
  return status.storage === "indexeddb" ? "" : "Keep this page open: this device's storage does not work.";
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
  /** Without inline styles: classes and `data-kind` are there to be styled. */
  unstyled?: boolean;
  /** Draws what is shown. What is read out stays. */
  children?: (status: StatusText & { readonly progress: Status["progress"] }) => ReactNode;
}

/**
 * Says where the newest words are. Colours: `--slate-yrs-saved`, `-saving`, `-offline`, `-syncing`, `-read-only`,
 * `-problem`. Screen readers hear of lasting changes only, not of each save.
 */
export function StatusBadge({ collab, className, unstyled, children }: StatusBadgeProps): ReactElement {
  const status = useStatus(collab);
  const { kind, text, detail } = statusText(status);
  const { progress } = status;
  const spoken = useSpoken(kind, text);
  return (
    <>
      <span
        className={classes("slate-yrs-status", className)}
        data-kind={kind}
        style={unstyled ? undefined : BADGE}
        title={detail || undefined}
      >
        {children === undefined ? (
          <Shown kind={kind} progress={progress} text={text} unstyled={unstyled === true} />
        ) : null}
        {children?.({ kind, text, detail, progress })}
      </span>
      <span aria-live="polite" role="status" style={HIDDEN}>
        {spoken}
      </span>
    </>
  );
}

function Shown(props: {
  kind: StatusKind;
  text: string;
  progress: Status["progress"];
  unstyled: boolean;
}): ReactElement {
  const { kind, text, progress, unstyled } = props;
  const dot = { width: "0.6em", height: "0.6em", borderRadius: "50%", flex: "none", backgroundColor: COLORS[kind] };
  return (
    <>
      <span aria-hidden="true" className="slate-yrs-status-dot" style={unstyled ? undefined : dot} />
      <span className="slate-yrs-status-text">{text}</span>
      {progress !== null && progress.total > 0 && kind === "syncing" ? (
        <progress
          aria-label={text}
          className="slate-yrs-status-progress"
          max={progress.total}
          style={unstyled ? undefined : { width: "5em", accentColor: COLORS[kind] }}
          value={Math.min(progress.received, progress.total)}
        />
      ) : null}
    </>
  );
}

/**
 * What is worth saying aloud: a state that has lasted a second. Saving and saved alternate, and only end a trouble; how
 * many changes there are is said with a state, and not again with each of them.
 */
function useSpoken(kind: StatusKind, text: string): string {
  const [spoken, setSpoken] = useState("");
  const latest = useRef(text);
  const [state] = text.split(" · ");
  useEffect(() => {
    latest.current = text;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a state begins when its first words are others
  useEffect(() => {
    if (kind === "saving") return;
    const say = () => setSpoken((before) => (kind === "saved" && before === "" ? "" : latest.current));
    const timer = setTimeout(say, 1_000);
    return () => clearTimeout(timer);
  }, [kind, state]);
  return spoken;
}
