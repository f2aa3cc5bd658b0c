// One scene that several people write: the screenplay editor, bound to the scene's document.
// With `enabled={false}` the same editor works alone, with nothing of slate-yrs but its types.
import { type ReactNode, useCallback, useMemo } from "react";
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
import { useYjsSlateBinding } from "../hooks/use-yjs-slate-binding.ts";
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
  const collaboration = useYjsCollaboration<ScenePresence>({
    sceneId,
    serverUrl,
    enabled,
    presence,
    initialValue,
    ...(authToken !== undefined && { authToken }),
    ...(props.onSyncStatusChange && { onSyncStatusChange: props.onSyncStatusChange }),
    ...(props.onError && { onError: props.onError }),
  });
  const editor = useYjsSlateBinding({ doc: collaboration.doc, enabled, initialValue });
  const slots = props.slots(collaboration);
  const readOnly = useStatusPart(collaboration.doc, (status) => status.readOnly, false);

  if (!editor) return <Opening error={collaboration.connectionError} slots={slots} />;
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

/** While the local copy loads, which takes a moment at most; or instead of the page, if it cannot be opened. */
function Opening({ error, slots }: { error: CollabError | null; slots: ScreenplayEditorSlots }): ReactNode {
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
          <div className="paper paper-opening" aria-busy="true" />
        )}
      </main>
    </div>
  );
}
