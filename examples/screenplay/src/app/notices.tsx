// What a writer has to know or decide about the connection, above the page. Where everything is fine: nothing.
import { type ReactNode, useEffect, useState } from "react";
import { askBeforeLeaving, type Collab, type Status } from "slate-yrs";
import { useStatus } from "slate-yrs/react";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { go } from "./address.ts";
import { save } from "./files.ts";
import { addScene } from "./scenes.ts";

interface Notice {
  text: string;
  action?: { label: string; run: () => void };
}

export function Notices({ collab, title }: { collab: Collab<ScenePresence>; title: string }): ReactNode {
  const status = useStatus(collab as unknown as Collab);
  useEffect(() => askBeforeLeaving(collab as unknown as Collab), [collab]);
  if (status.conflict === "epoch") return <ConflictDialog collab={collab} title={title} />;
  if (status.connection === "unauthorized") return <SignIn collab={collab} />;
  const notice = noticeFor(status, collab, title);
  if (!notice) return null;
  const { text, action } = notice;
  return (
    <div className="notice" role="status">
      <p>{text}</p>
      {action && (
        <button type="button" className="secondary" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}

function noticeFor(status: Status, collab: Collab<ScenePresence>, title: string): Notice | null {
  const download = {
    label: "Download them",
    run: () =>
      save(`${title} (not sent).yjs`, collab.exportPending() as Uint8Array<ArrayBuffer>, "application/octet-stream"),
  };
  if (status.connection === "forbidden") {
    return {
      text: "You no longer have access to this script. What you wrote is kept on this device.",
      action: download,
    };
  }
  if (status.storage === "full" || status.storage === "corrupt" || status.storage === "blocked") {
    const why = {
      full: "This device’s storage is full",
      corrupt: "This device’s copy cannot be read",
      blocked: "Another window holds this device’s copy",
    }[status.storage];
    return { text: `${why}. Keep this window open until everything is saved on the server.` };
  }
  if (status.setAside > 0) {
    return { text: "Some of your changes are refused by the server. They are kept on this device.", action: download };
  }
  if (status.readOnly) return { text: "You can read this script, but not change it." };
  return null;
}

/** An application would show its own sign-in here. This one has none: it takes the token itself. */
function SignIn({ collab }: { collab: Collab<ScenePresence> }): ReactNode {
  return (
    <form
      className="notice"
      aria-label="Sign in again"
      onSubmit={(event) => {
        event.preventDefault();
        const token = String(new FormData(event.currentTarget).get("token") ?? "").trim();
        if (token) go({ token }, { replace: true });
        // Asks for the token again, after the render that brings the new one.
        setTimeout(() => collab.connect());
      }}
    >
      <p role="status">You are signed out. What you write is kept on this device until you have signed in again.</p>
      <input name="token" type="password" autoComplete="off" placeholder="Access token" aria-label="Access token" />
      <button type="submit" className="secondary">
        Sign in again
      </button>
    </form>
  );
}

/** The script was made anew on the server; merging would put both texts into one. */
function ConflictDialog({ collab, title }: { collab: Collab<ScenePresence>; title: string }): ReactNode {
  const [busy, setBusy] = useState(false);
  const join = async () => {
    setBusy(true);
    await collab.deleteLocal({ discardPending: true });
    location.reload();
  };
  const copy = () => {
    const script = structuredClone(collab.value());
    go({ scene: addScene(`${title} (my copy)`, script) });
  };
  const bytes = () => save(`${title}.yjs`, collab.encodeState() as Uint8Array<ArrayBuffer>, "application/octet-stream");
  return (
    <dialog
      className="dialog"
      aria-labelledby="conflict-title"
      ref={(dialog) => {
        if (dialog && !dialog.open) dialog.showModal();
      }}
      onCancel={(event) => event.preventDefault()}
    >
      <h2 id="conflict-title">This script was replaced on the server</h2>
      <p>Your copy belongs to an earlier version, and the two do not fit together. Nothing of yours has been lost.</p>
      <div className="choices">
        <button type="button" className="primary" disabled={busy} onClick={copy}>
          Keep mine as a new script
        </button>
        <button type="button" className="secondary" disabled={busy} onClick={join}>
          Continue with the server’s version
        </button>
        <button type="button" className="secondary" onClick={bytes}>
          Download mine
        </button>
      </div>
    </dialog>
  );
}
