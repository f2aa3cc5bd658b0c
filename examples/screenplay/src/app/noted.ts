// The notes of a script, and the script with them in its text, for files; and notes out of files, as notes on words again.
import { createEditor, type Descendant, Editor, Node, type Point, Range } from "slate";
import type { Collab } from "slate-yrs";
import { type Comments, comments } from "slate-yrs/comments";
import { type CollabEditor, withCollab } from "slate-yrs/slate";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { type NoteOnWords, withNotes } from "../script/formats/with-notes.ts";
import { isBlock, type Script } from "../script/types.ts";
import { currentToken } from "./token.ts";

export const notesOf = (editor: BoundEditor | null): Comments | null =>
  editor?.collab ? comments(editor.collab as unknown as Collab, editor as unknown as CollabEditor) : null;

/** The script with its open notes behind their words: who wrote them, what, and what others answered. */
export function withOpenNotes(editor: BoundEditor): Descendant[] {
  return noted(editor, notesOf(editor));
}

/** As whom a server signs what this user says in notes; `null`: none asks who that is. */
export const signature = (notes: Comments | null): string | null =>
  currentToken() === undefined ? null : (notes?.me.name ?? "");

/** The same of a document that no editor shows, and how its notes are signed. */
export function openNotesIn(collab: Collab): { script: Descendant[]; signed: string | null } {
  try {
    const editor = withCollab(createEditor(), collab, { cursors: false });
    try {
      const notes = comments(collab, editor);
      return { script: noted(editor, notes), signed: signature(notes) };
    } finally {
      editor.disconnect();
    }
  } catch {
    // The words, whatever is the matter with what is said of them.
    return { script: collab.value(), signed: signature(null) };
  }
}

function noted(editor: Editor, notes: Comments | null): Descendant[] {
  const open = notes?.threads.filter(({ resolved }) => resolved === null) ?? [];
  const written = open.map(
    ({ range, comments }): NoteOnWords => ({
      at: range && placeOf(editor, range),
      said: comments.map(({ author, body }) => ({ by: author.name, text: body })),
    }),
  );
  return withNotes(editor.children as Script, written);
}

/** The words in the block in which they end. */
function placeOf(editor: Editor, range: Range): NoteOnWords["at"] {
  const [start, end] = Range.edges(range);
  const path = end.path.slice(0, -1);
  // The script may have changed a moment ago.
  const [block] = Editor.hasPath(editor, path) ? Editor.node(editor, path) : [];
  if (!isBlock(block)) return null;
  const before = ({ path, offset }: Point) =>
    block.children.slice(0, path.at(-1)).reduce((sum, { text }) => sum + text.length, 0) + offset;
  const from = Editor.hasPath(editor, start.path) && path.join() === start.path.slice(0, -1).join() ? before(start) : 0;
  return { path, offset: before(end), length: before(end) - from };
}

/**
 * Notes on the words of a document that has just begun with the script which they were taken from. `signed`: a server says
 * who writes, so that they are of whoever brings them, with the name of those who said it in the text.
 */
export async function addNotes(collab: Collab, notes: readonly NoteOnWords[], signed: string | null): Promise<void> {
  const editors: (Editor & CollabEditor)[] = [];
  const writers = new Map<string, Comments>();
  const writerFor = (name: string): Comments => {
    const known = writers.get(name);
    if (known) return known;
    const editor = withCollab(createEditor(), collab, { cursors: false });
    editors.push(editor);
    const made = comments(collab, editor, { author: { name } });
    writers.set(name, made);
    return made;
  };
  for (const { at, said } of notes) {
    let thread: string | null = null;
    for (const { by, text } of said) {
      const writer = writerFor(signed ?? by);
      const body = signed === null || signed === by ? text : `${by}: ${text}`;
      if (thread !== null) writer.reply(thread, body);
      else {
        const range = at && rangeOf(writer.editor as unknown as Editor, at);
        if (!range) break;
        thread = writer.create(range, body);
      }
      // By their time they are in their order.
      await momentAfter(Date.now());
    }
  }
  for (const editor of editors) editor.disconnect();
}

function rangeOf(editor: Editor, { path, offset, length }: NonNullable<NoteOnWords["at"]>): Range {
  const point = (count: number): Point => {
    let left = count;
    for (const [text, at] of Node.texts(Node.get(editor, [...path]))) {
      if (left <= text.text.length) return { path: [...path, ...at], offset: left };
      left -= text.text.length;
    }
    return Editor.end(editor, [...path]);
  };
  return { anchor: point(offset - length), focus: point(offset) };
}

async function momentAfter(time: number): Promise<void> {
  while (Date.now() <= time) await new Promise((wake) => setTimeout(wake, 1));
}
