// In the place of the editor: while the local copy loads, which takes a moment at most; where nobody has written anything
// yet; or if the script cannot be opened.
import type { ReactNode } from "react";
import { Editor, Transforms } from "slate";
import { importedScript } from "../app/imports.ts";
import type { YjsCollaboration } from "../hooks/use-yjs-collaboration.ts";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { emptyBlock } from "../script/editor.ts";
import { Frame, type ScreenplayEditorSlots } from "./frame.tsx";

export function Opening(props: {
  sceneId: string;
  title: string;
  slots: ScreenplayEditorSlots;
  connection: Pick<YjsCollaboration, "syncStatus" | "connectionError" | "reconnect">;
  /** `null`: not yet, or not at all. */
  editor: BoundEditor | null;
  readOnly: boolean;
  /** The writer has begun the script. */
  onBegun: () => void;
}): ReactNode {
  const { sceneId, title, slots, connection, editor, readOnly, onBegun } = props;
  const { syncStatus, reconnect } = connection;
  const error = editor ? null : connection.connectionError;
  // Once the server has been asked (or cannot be), an empty script is one that waits for its first line.
  const asked = syncStatus === "synced" || syncStatus === "offline";
  const waiting = asked && importedScript(sceneId) !== undefined;
  const mayBegin = editor !== null && asked && !waiting && !readOnly;
  return (
    <Frame title={title} slots={slots}>
      {error && (
        <div className="notice" role="alert">
          <h2>This script cannot be opened</h2>
          <p>{error.message}</p>
          <p className="quiet">{error.code}</p>
          <button type="button" className="secondary" onClick={reconnect}>
            Try again
          </button>
        </div>
      )}
      {waiting && (
        <p className="notice" role="status">
          What you have opened is in this window only, and appears when the server can be reached. Keep the window open.
        </p>
      )}
      {!error && (
        <div className="paper" aria-busy={!mayBegin}>
          {mayBegin && (
            <button
              type="button"
              className="first-line"
              onClick={() => {
                begin(editor);
                onBegun();
              }}
            >
              Begin with a scene: INT. SOMEWHERE - DAY
            </button>
          )}
        </div>
      )}
    </Frame>
  );
}

function begin(editor: BoundEditor): void {
  editor.insertNodes(emptyBlock(editor, "scene_heading"), { at: [0] });
  Transforms.select(editor, Editor.start(editor, []));
}
