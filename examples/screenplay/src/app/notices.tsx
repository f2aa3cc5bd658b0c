// What a writer has to know or decide about the connection, above the page. Where everything is fine: nothing.
import { type ReactNode, useEffect, useState } from "react";
import { askBeforeLeaving, type Collab, type Status } from "slate-yrs";
import { useStatus } from "slate-yrs/react";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { guardScript } from "./address.ts";
import { ConflictDialog } from "./conflict-dialog.tsx";
import { save } from "./files.ts";
import { signIn } from "./token.ts";

interface Action {
  label: string;
  run: () => void;
}

interface Notice {
  text: string;
  actions?: Action[];
}

export function Notices({ collab, title }: { collab: Collab<ScenePresence>; title: string }): ReactNode {
  const status = useStatus(collab as unknown as Collab);
  useLeaveGuards(collab);
  const signedOut = useSignedOut(status);
  if (status.conflict === "epoch") return <ConflictDialog collab={collab} title={title} />;
  if (signedOut) return <SignIn collab={collab} status={status} />;
  const notice = noticeFor(status, collab, title);
  if (!notice) return null;
  const { text, actions = [] } = notice;
  return (
    <div className="notice" role="status">
      <p>{text}</p>
      {actions.length > 0 && (
        <span className="actions">
          {actions.map(({ label, run }) => (
            <button key={label} type="button" className="secondary" onClick={run}>
              {label}
            </button>
          ))}
        </span>
      )}
    </div>
  );
}

/** Neither the page nor the script is left without a question while words are in this window only. */
function useLeaveGuards(collab: Collab<ScenePresence>): void {
  useEffect(() => {
    const stopAsking = askBeforeLeaving(collab as unknown as Collab);
    const unguard = guardScript(
      () =>
        collab.status.saved !== "memory" ||
        confirm(
          "The last words are in this window only: neither this device nor the server could keep them yet. " +
            "Leave the script all the same, and lose them?",
        ),
    );
    return () => {
      stopAsking();
      unguard();
    };
  }, [collab]);
}

/** From the refusal on until the server has let somebody in: while a token is being tried, the form stays. */
function useSignedOut({ connection, synced }: Status): boolean {
  const [before, setSignedOut] = useState(false);
  const trying = before && !synced && connection !== "forbidden" && connection !== "closed";
  const signedOut = connection === "unauthorized" || trying;
  if (signedOut !== before) setSignedOut(signedOut);
  return signedOut;
}

/** Where what is not on the server is. `null`: there is nothing of the kind. */
export function whereKept({ pending, setAside, saved }: Status): string | null {
  if (saved === "memory") return "What you wrote last is in this window only: keep it open.";
  return pending + setAside > 0 ? "What you wrote is kept on this device." : null;
}

const WHY = {
  full: "This device’s storage is full.",
  corrupt: "This device’s copy cannot be read.",
  blocked: "This browser does not let the script be kept on this device (or another window holds it).",
};

function noticeFor(status: Status, collab: Collab<ScenePresence>, title: string): Notice | null {
  const kept = whereKept(status);
  const download = {
    label: "Download them",
    run: () =>
      save(`${title} (not sent).yjs`, collab.exportPending() as Uint8Array<ArrayBuffer>, "application/octet-stream"),
  };
  const withDownload = kept === null ? {} : { actions: [download] };
  if (status.connection === "forbidden") {
    return { text: `You have no access to this script. ${kept ?? ""}`.trim(), ...withDownload };
  }
  if (status.storage === "full" || status.storage === "corrupt" || status.storage === "blocked") {
    return { text: `${WHY[status.storage]} Keep this window open until everything is saved on the server.` };
  }
  if (status.setAside > 0) {
    const actions = [download, ...discarding(collab)];
    return { text: `Some of your changes are refused by the server. ${kept ?? ""}`.trim(), actions };
  }
  if (status.readOnly) return { text: "You can read this script, but not change it.", ...withDownload };
  return null;
}

const PROMISE = {
  device: "What you write is kept on this device until you have signed in again.",
  window: "What you write is in this window only until you have signed in again.",
};

function discarding(collab: Collab<ScenePresence>): Action[] {
  const run = () => {
    if (confirm("They are on this device only, and will be gone for good. Discard them?")) collab.discardSetAside();
  };
  return [{ label: "Discard them", run }];
}

/** An application would show its own sign-in here. This one has none: it takes the token itself. */
function SignIn({ collab, status }: { collab: Collab<ScenePresence>; status: Status }): ReactNode {
  return (
    <form
      className="notice"
      aria-label="Sign in again"
      onSubmit={(event) => {
        event.preventDefault();
        const token = String(new FormData(event.currentTarget).get("token") ?? "").trim();
        if (token) signIn(token);
        collab.connect();
      }}
    >
      <p role="status">
        You are signed out. {whereKept(status) ?? PROMISE[status.storage === "indexeddb" ? "device" : "window"]}
      </p>
      <input name="token" type="password" autoComplete="off" placeholder="Access token" aria-label="Access token" />
      <button type="submit" className="secondary">
        Sign in again
      </button>
    </form>
  );
}
