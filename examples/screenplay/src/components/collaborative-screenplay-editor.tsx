// One scene that several people write: the screenplay editor, bound to the scene's document.
// With `enabled={false}` the same editor works alone, with nothing of slate-yrs but its types.
import { type ReactNode, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Editor, Transforms } from "slate";
import type { CollabError } from "slate-yrs";
import { RemoteCursors } from "slate-yrs/react";
import type { CollabEditor } from "slate-yrs/slate";
import { keepWhatIsWritten, recallAlone } from "../app/alone.ts";
import { importArrived, importedScript } from "../app/imports.ts";
import type { Person } from "../app/person.ts";
import { initialScript } from "../app/scenes.ts";
import { useReadOnly } from "../hooks/use-read-only.ts";
import {
  type SyncStatus,
  useYjsCollaboration,
  type YjsCollaboration,
  type YjsCollaborationOptions,
} from "../hooks/use-yjs-collaboration.ts";
import { type BoundEditor, useYjsSlateBinding } from "../hooks/use-yjs-slate-binding.ts";
import { emptyBlock } from "../script/editor.ts";
import { Frame, type ScreenplayEditorSlots } from "./frame.tsx";
import { ScreenplayEditor } from "./screenplay-editor.tsx";

export interface CollaborativeScreenplayEditorProps {
  sceneId: string;
  title: string;
  serverUrl: string;
  authToken?: YjsCollaborationOptions["authToken"];
  enabled?: boolean;
  person: Person;
  /** What surrounds the page; it is told about the connection, and of the editor once there is one. */
  slots: (collaboration: YjsCollaboration<ScenePresence>, editor: BoundEditor | null) => ScreenplayEditorSlots;
  onSyncStatusChange?: (status: SyncStatus) => void;
  onError?: (error: CollabError) => void;
}

export interface ScenePresence extends Person {
  [key: string]: unknown;
}

export function CollaborativeScreenplayEditor(props: CollaborativeScreenplayEditorProps): ReactNode {
  const { sceneId, serverUrl, authToken, enabled = true, person, title } = props;
  const initialValue = useCallback(
    () => (enabled ? null : recallAlone(sceneId)) ?? initialScript(sceneId),
    [sceneId, enabled],
  );
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
  const { doc } = collaboration;
  const editor = useYjsSlateBinding({ doc, enabled, initialValue });
  const readOnly = useReadOnly(doc, `${serverUrl} ${sceneId}`);
  const empty = useIsEmpty(editor, doc);
  const [begun, setBegun] = useState(false);
  useEffect(() => {
    if (editor && !empty) importArrived(sceneId);
    return editor && !enabled ? keepWhatIsWritten(sceneId, editor) : undefined;
  }, [editor, empty, enabled, sceneId]);

  const slots = props.slots(collaboration, editor);
  if (!editor || empty) {
    // Once the server has been asked (or cannot be), an empty script is one that waits for its first line.
    const asked = collaboration.syncStatus === "synced" || collaboration.syncStatus === "offline";
    const mayBegin = editor && asked && !readOnly && importedScript(sceneId) === undefined;
    const onBegin = () => {
      if (editor) begin(editor);
      setBegun(true);
    };
    return (
      <Opening
        title={title}
        slots={slots}
        error={editor ? null : collaboration.connectionError}
        onRetry={collaboration.reconnect}
        waiting={importedScript(sceneId) !== undefined && asked}
        {...(mayBegin && { onBegin })}
      />
    );
  }
  return (
    <ScreenplayEditor
      key={sceneId}
      editor={editor}
      title={title}
      readOnly={readOnly}
      slots={slots}
      focused={begun}
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
  Transforms.select(editor, Editor.start(editor, []));
}

/** While the local copy loads, which takes a moment at most; where there is nothing yet; or if it cannot be opened. */
function Opening(props: {
  title: string;
  slots: ScreenplayEditorSlots;
  error: CollabError | null;
  onRetry: () => void;
  /** What was read from a file is not in the document yet. */
  waiting: boolean;
  onBegin?: () => void;
}): ReactNode {
  const { title, slots, error, onRetry, waiting, onBegin } = props;
  return (
    <Frame title={title} slots={slots}>
      {error && (
        <div className="notice" role="alert">
          <h2>This script cannot be opened</h2>
          <p>{error.message}</p>
          <p className="quiet">{error.code}</p>
          <button type="button" className="secondary" onClick={onRetry}>
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
        <div className="paper" aria-busy={!onBegin}>
          {onBegin && (
            <button type="button" className="first-line" onClick={onBegin}>
              Begin with a scene: INT. SOMEWHERE - DAY
            </button>
          )}
        </div>
      )}
    </Frame>
  );
}
