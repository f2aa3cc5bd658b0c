// The screenplay editor of a scene: bound to its document, or alone with a history of its own.
import { useMemo } from "react";
import { type Ancestor, createEditor, type Descendant } from "slate";
import { type HistoryEditor, withHistory } from "slate-history";
import { withReact } from "slate-react";
import type { Collab } from "slate-yrs";
import { useCollabEditor } from "slate-yrs/react";
import { type CollabEditor, withQuickNormalizing } from "slate-yrs/slate";
import { withScreenplay } from "../script/editor.ts";
import { pasteFragment, pasteText } from "../script/paste.ts";
import { withRevisions } from "../script/revising.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { withFollowers } from "./followed.ts";

export interface YjsSlateBindingOptions {
  doc: Collab | null;
  /** Without collaboration the editor holds the text itself. */
  enabled: boolean;
  initialValue: () => Descendant[];
}

/** Bound to a document, or with a history of its own, whose undo says nothing. */
export type BoundEditor = ScriptEditor &
  Partial<Omit<CollabEditor, "undo" | "redo"> & Pick<HistoryEditor, "undo" | "redo">>;

/** `null` until there is something to edit. */
export function useYjsSlateBinding({ doc, enabled, initialValue }: YjsSlateBindingOptions): BoundEditor | null {
  const bound = useCollabEditor(doc, createScreenplayEditor);
  const alone = useMemo(() => {
    if (enabled) return null;
    const editor = withHistory(createScreenplayEditor());
    editor.children = initialValue();
    return editor;
  }, [enabled, initialValue]);
  return enabled ? bound : alone;
}

/** Several lines of plain text are read as Fountain, which plain screenplays are; the place they come to counts. */
function pasteAsScript(editor: ScriptEditor): void {
  const { insertTextData, insertFragment } = editor;
  editor.insertTextData = (data) =>
    pasteText(editor, data.getData("text/plain"), data.getData("text/html")) || insertTextData(data);
  editor.insertFragment = (...given: Parameters<typeof insertFragment>) => {
    const [fragment, options] = given;
    if (options?.at || !pasteFragment(editor, fragment as Descendant[])) insertFragment(fragment, options);
  };
}

/** A screenplay editor with a view. Long scripts are rendered in chunks, so that a keystroke touches few of them. */
export function createScreenplayEditor(): ScriptEditor {
  const editor = withScreenplay(withReact(withQuickNormalizing(createEditor())));
  pasteAsScript(editor);
  editor.getChunkSize = (node: Ancestor) => (node === editor ? 50 : null);
  return withFollowers(withRevisions(editor));
}
