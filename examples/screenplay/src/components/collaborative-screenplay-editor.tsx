// One scene that several people write: the screenplay editor, bound to the scene's document.
// With `enabled={false}` the same editor works alone, with nothing of slate-yrs but its types.
import { type ReactNode, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { CollabError } from "slate-yrs";
import { RemoteCursors } from "slate-yrs/react";
import type { CollabEditor } from "slate-yrs/slate";
import { keepWhatIsWritten, recallAlone } from "../app/alone.ts";
import { importArrived } from "../app/imports.ts";
import { NotedPage } from "../app/notes.tsx";
import type { Person } from "../app/person.ts";
import { useRemembered } from "../app/remembered.ts";
import { useRevising, useRevisions } from "../app/revisions.tsx";
import { initialScript, retitleScene } from "../app/scenes.ts";
import { useTitle } from "../app/title-page.tsx";
import { useReadOnly } from "../hooks/use-read-only.ts";
import {
  type SyncStatus,
  useYjsCollaboration,
  type YjsCollaboration,
  type YjsCollaborationOptions,
} from "../hooks/use-yjs-collaboration.ts";
import { type BoundEditor, useYjsSlateBinding } from "../hooks/use-yjs-slate-binding.ts";
import type { ScreenplayEditorSlots } from "./frame.tsx";
import { Opening } from "./opening.tsx";
import { RevisionContext, type RevisionLook } from "./revision-look.ts";
import { ScreenplayEditor } from "./screenplay-editor.tsx";
import { renderLeaf } from "./script-page.tsx";

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
  const { sceneId, serverUrl, authToken, enabled = true, person } = props;
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
  const title = useTitle(doc, editor, props.title);
  useEffect(() => retitleScene(sceneId, title), [sceneId, title]);
  useRevising(doc, editor);
  const { sets } = useRevisions(doc, editor);
  const [marks] = useRemembered("marks");
  const look = useMemo<RevisionLook>(() => ({ sets, marks: marks === "all" ? "all" : "newest" }), [sets, marks]);
  const readOnly = useReadOnly(doc, `${serverUrl} ${sceneId}`);
  const empty = useIsEmpty(editor, doc);
  const [begun, setBegun] = useState(false);
  useEffect(() => {
    if (editor && !empty) importArrived(sceneId);
    return editor && !enabled ? keepWhatIsWritten(sceneId, editor) : undefined;
  }, [editor, empty, enabled, sceneId]);

  const slots = props.slots(collaboration, editor);
  if (!editor || empty) {
    return (
      <Opening
        sceneId={sceneId}
        title={title}
        slots={slots}
        connection={collaboration}
        editor={editor}
        readOnly={readOnly}
        onBegun={() => setBegun(true)}
      />
    );
  }
  return (
    <RevisionContext value={look}>
      <ScreenplayEditor
        key={sceneId}
        editor={editor}
        title={title}
        readOnly={readOnly}
        slots={slots}
        focused={begun}
        around={(page) =>
          editor.collab ? (
            <RemoteCursors editor={editor as typeof editor & CollabEditor} className="cursors">
              <NotedPage editor={editor} renderLeaf={renderLeaf}>
                {page}
              </NotedPage>
            </RemoteCursors>
          ) : (
            page({})
          )
        }
      />
    </RevisionContext>
  );
}

/** Whether there is nothing in the script. Its first line shall be a scene heading, which `<Slate>`'s own would not be. */
function useIsEmpty(editor: BoundEditor | null, doc: YjsCollaboration<ScenePresence>["doc"]): boolean {
  const subscribe = useCallback((changed: () => void) => doc?.on("change", changed) ?? (() => {}), [doc]);
  const snapshot = () => editor !== null && editor.children.length === 0;
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}
