// The notes of a script, and the script with them in its text, for files.
import { type Descendant, Editor, Range } from "slate";
import type { Collab } from "slate-yrs";
import { type Comments, comments } from "slate-yrs/comments";
import type { CollabEditor } from "slate-yrs/slate";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { type NoteOnWords, withNotes } from "../script/formats/with-notes.ts";
import { isBlock, type Script } from "../script/types.ts";

export const notesOf = (editor: BoundEditor | null): Comments | null =>
  editor?.collab ? comments(editor.collab as unknown as Collab, editor as unknown as CollabEditor) : null;

/** The script with its open notes behind their words: who wrote them, what, and what others answered. */
export function withOpenNotes(editor: BoundEditor): Descendant[] {
  const open = notesOf(editor)?.threads.filter(({ resolved }) => resolved === null) ?? [];
  const notes = open.map(
    ({ range, comments }): NoteOnWords => ({
      at: range && endOf(editor, range),
      text: comments.map(({ author, body }) => `${author.name}: ${body}`).join("\n"),
    }),
  );
  return withNotes(editor.children as Script, notes);
}

function endOf(editor: BoundEditor, range: Range): NoteOnWords["at"] {
  const { path, offset } = Range.end(range);
  const above = path.slice(0, -1);
  // The script may have changed a moment ago.
  const [block] = Editor.hasPath(editor, above) ? Editor.node(editor, above) : [];
  if (!isBlock(block)) return null;
  const before = block.children.slice(0, path.at(-1)).reduce((sum, { text }) => sum + text.length, 0);
  return { path: above, offset: before + offset };
}
