// Takes a script off the list of this browser. Asks, and says what goes with it: this device's copy, and nothing else.
import { type ReactNode, useEffect, useState } from "react";
import { localDocuments, open as openDocument } from "slate-yrs";
import { FIRST_SCENE, go, useAddress } from "./address.ts";
import { forgetAlone } from "./alone.ts";
import { dropScene, type SceneInfo } from "./scenes.ts";

export function RemoveDialog(props: { scene: SceneInfo; open: boolean; onClose: () => void }): ReactNode {
  const { scene, open, onClose } = props;
  const { collaborate } = useAddress();
  const pending = usePending(scene.id);
  const [problem, setProblem] = useState<string | null>(null);
  const remove = async () => {
    // Whoever would rather not leave it keeps it.
    if (open && !go({ scene: FIRST_SCENE })) return onClose();
    try {
      await forget(scene.id);
      dropScene(scene.id);
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <dialog
      className="dialog"
      aria-labelledby="remove-title"
      ref={(dialog) => {
        if (dialog && !dialog.open) dialog.showModal();
      }}
      onClose={onClose}
    >
      <h2 id="remove-title">Remove “{scene.title}” from the list?</h2>
      <p>
        {collaborate
          ? "This device’s copy is deleted. What is on the server stays there: who has the script’s address can open it again."
          : "Its text is in this browser only: it is lost."}
      </p>
      {pending > 0 && (
        <p className="danger">
          {pending === 1 ? "One change has" : `${pending} changes have`} not reached the server yet, and would be lost.
        </p>
      )}
      {problem && <p role="alert">It could not be removed: {problem}</p>}
      <div className="choices">
        <button type="button" className="secondary" onClick={() => void remove()}>
          {pending > 0 || !collaborate ? "Remove it, and lose that" : "Remove it"}
        </button>
        <button type="button" className="primary" onClick={(event) => event.currentTarget.closest("dialog")?.close()}>
          Keep it
        </button>
      </div>
    </dialog>
  );
}

/** Changes of a script that are on this device only. */
function usePending(id: string): number {
  const [pending, setPending] = useState(0);
  useEffect(() => {
    let current = true;
    const look = (found: { id: string; pending: number }[]) => {
      if (current) setPending(found.find((each) => each.id === id)?.pending ?? 0);
    };
    // Where nothing can be read, nothing is kept.
    localDocuments().then(look, () => {});
    return () => {
      current = false;
    };
  }, [id]);
  return pending;
}

/** Deletes what this device has of a script. */
async function forget(id: string): Promise<void> {
  forgetAlone(id);
  const kept = await localDocuments();
  if (!kept.some((each) => each.id === id)) return;
  const collab = await openDocument({ id });
  try {
    await collab.deleteLocal({ discardPending: true });
  } finally {
    await collab.close();
  }
}
