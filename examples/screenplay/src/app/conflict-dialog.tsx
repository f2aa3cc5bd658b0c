// The script was made anew on the server; merging would put both texts into one. The writer says what becomes of theirs.
import { type ReactNode, useState } from "react";
import type { Collab } from "slate-yrs";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { withTitlePage } from "../script/formats/title-page.ts";
import type { Script } from "../script/types.ts";
import { go } from "./address.ts";
import { save, saveFountain } from "./files.ts";
import { plant } from "./imports.ts";
import { openNotesIn } from "./noted.ts";
import { addScene } from "./scenes.ts";
import { titlePageIn } from "./title-page.tsx";

export function ConflictDialog({ collab, title }: { collab: Collab<ScenePresence>; title: string }): ReactNode {
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const run = (work: () => Promise<unknown>) => {
    setBusy(true);
    setFailed(null);
    work()
      .catch((error: unknown) => setFailed(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  const copy = async () => {
    const id = addScene(`${title} (my copy)`);
    const { script, signed } = openNotesIn(collab as unknown as Collab);
    await plant(id, withTitlePage(structuredClone(script) as Script, titlePageIn(collab)), true, signed);
    go({ scene: id });
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
      {failed && (
        <p className="problem" role="alert">
          That did not work: {failed}
        </p>
      )}
      <div className="choices">
        <button type="button" className="primary" disabled={busy} onClick={() => run(copy)}>
          Keep mine as a new script
        </button>
        <button
          type="button"
          className="secondary"
          onClick={() => saveFountain(title, openNotesIn(collab as unknown as Collab).script, titlePageIn(collab))}
        >
          Download mine as Fountain
        </button>
        <button type="button" className="secondary" onClick={bytes}>
          Download mine as a Yjs document
        </button>
        {sure ? (
          <div className="sure">
            <p>Your copy will no longer be on this page. What the server never had of it stays to be downloaded.</p>
            <button type="button" className="secondary" disabled={busy} onClick={() => run(() => collab.takeServer())}>
              Yes, show the server’s version
            </button>
            <button type="button" className="secondary" disabled={busy} onClick={() => setSure(false)}>
              No
            </button>
          </div>
        ) : (
          <button type="button" className="secondary" disabled={busy} onClick={() => setSure(true)}>
            Continue with the server’s version
          </button>
        )}
      </div>
    </dialog>
  );
}
