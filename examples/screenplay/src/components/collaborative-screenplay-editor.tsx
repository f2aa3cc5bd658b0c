// One scene that several people write: the screenplay editor, bound to the scene's document.
// With `enabled={false}` the same editor works alone, with nothing of slate-yrs but its types.
import { type ReactNode, useCallback, useMemo, useState, useSyncExternalStore } from "react";
import type { CollabError } from "slate-yrs";
import { RemoteCursors } from "slate-yrs/react";
import type { CollabEditor } from "slate-yrs/slate";
import type { Person } from "../app/person.ts";
import { initialScript } from "../app/scenes.ts";
import {
  type SyncStatus,
  useStatusPart,
  useYjsCollaboration,
  type YjsCollaboration,
} from "../hooks/use-yjs-collaboration.ts";
import { type BoundEditor, useYjsSlateBinding } from "../hooks/use-yjs-slate-binding.ts";
import { emptyBlock } from "../script/editor.ts";
import { ScreenplayEditor, type ScreenplayEditorSlots } from "./screenplay-editor.tsx";

export interface CollaborativeScreenplayEditorProps {
  sceneId: string;
  title: string;
  serverUrl: string;
  authToken?: string;
  enabled?: boolean;
  person: Person;
  /** What surrounds the page; it is told about the connection. */
  slots: (collaboration: YjsCollaboration<ScenePresence>) => ScreenplayEditorSlots;
  onSyncStatusChange?: (status: SyncStatus) => void;
  onError?: (error: CollabError) => void;
}

export interface ScenePresence extends Person {
  [key: string]: unknown;
}

export function CollaborativeScreenplayEditor(props: CollaborativeScreenplayEditorProps): ReactNode {
  const { sceneId, serverUrl, authToken, enabled = true, person } = props;
  const initialValue = useCallback(() => initialScript(sceneId), [sceneId]);
  const presence = useMemo<ScenePresence>(() => ({ ...person }), [person]);
  // A server that asks for no tokens takes the author of an edit from here. As it was when the scene was opened.
  const [params] = useState(() => ({ user: person.name }));
  const collaboration = useYjsCollaboration<ScenePresence>({
    sceneId,
    serverUrl,
    enabled,
    presence,
    params,
    initialValue,
    ...(authToken !== undefined && { authToken }),
    ...(props.onSyncStatusChange && { onSyncStatusChange: props.onSyncStatusChange }),
    ...(props.onError && { onError: props.onError }),
  });
  const editor = useYjsSlateBinding({ doc: collaboration.doc, enabled, initialValue });
  const slots = props.slots(collaboration);
  const readOnly = useStatusPart(collaboration.doc, (status) => status.readOnly, false);

  const empty = useIsEmpty(editor, collaboration.doc);
  // Once the server has been asked (or cannot be), an empty script is one that waits for its first line.
  const asked = collaboration.syncStatus === "synced" || collaboration.syncStatus === "offline";

  if (!editor) return <Opening error={collaboration.connectionError} slots={slots} />;
  if (empty)
    return <Opening error={null} slots={slots} onBegin={asked && !readOnly ? () => begin(editor) : undefined} />;
  return (
    <ScreenplayEditor
      key={sceneId}
      editor={editor}
      title={props.title}
      readOnly={readOnly}
      slots={slots}
      cursors={(page) =>
        editor.collab ? (
          <RemoteCursors editor={editor as typeof editor & CollabEditor} className="cursors">
            {page}
          </RemoteCursors>
        ) : (
          page
        )
      }
    />
  );
}

/** Whether there is nothing in the script: `<Slate>` would put a block of its own there, which is not in the document. */
function useIsEmpty(editor: BoundEditor | null, doc: YjsCollaboration<ScenePresence>["doc"]): boolean {
  const subscribe = useCallback((changed: () => void) => doc?.on("change", changed) ?? (() => {}), [doc]);
  const snapshot = () => editor !== null && editor.children.length === 0;
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

function begin(editor: BoundEditor): void {
  editor.insertNodes(emptyBlock(editor, "scene_heading"), { at: [0] });
}

/** While the local copy loads, which takes a moment at most; where there is nothing yet; or if it cannot be opened. */
function Opening(props: { error: CollabError | null; slots: ScreenplayEditorSlots; onBegin?: () => void }): ReactNode {
  const { error, slots, onBegin } = props;
  return (
    <div className="workspace">
      <header className="topbar">{slots.status}</header>
      <main className="desk">
        {error ? (
          <div className="notice" role="alert">
            <h1>This script cannot be opened</h1>
            <p>{error.message}</p>
            <p className="quiet">{error.code}</p>
          </div>
        ) : (
          <div className="paper" aria-busy={!onBegin}>
            {onBegin && (
              <button type="button" className="first-line" onClick={onBegin}>
                Begin with a scene: INT. SOMEWHERE - DAY
              </button>
            )}
          </div>
        )}
      </main>
    </div>
  );
}
