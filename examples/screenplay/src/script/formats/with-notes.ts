// What people have noted on the words of a script, as notes in its text: so that files have them. Pure.
import { type Block, type FormattedText, isBlock, isDual, type Script, type ScriptNode } from "../types.ts";

export interface NoteOnWords {
  /** The block, and how many of its characters stand before the note. `null`: its words are gone. */
  at: { path: readonly number[]; offset: number } | null;
  text: string;
}

/** A copy with each note behind its words; those whose words are gone stand at the end. */
export function withNotes(script: readonly ScriptNode[], notes: readonly NoteOnWords[]): Script {
  const at = new Map<string, NoteOnWords[]>();
  const loose: Block[] = [];
  for (const [n, note] of notes.entries()) {
    const text = plain(note.text);
    const block = note.at && blockAt(script, note.at.path);
    if (text === "") continue;
    if (!note.at || !block) loose.push({ id: `note-${n}`, type: "note", children: [{ text }] });
    else {
      const key = note.at.path.join(".");
      at.set(key, [...(at.get(key) ?? []), { ...note, text }]);
    }
  }
  const noted = (block: Block, ...path: number[]): Block => {
    const own = at.get(path.join("."));
    return own ? { ...block, children: inserted(block.children, own) } : block;
  };
  const written = script.map(
    (node, top): ScriptNode =>
      isDual(node)
        ? {
            ...node,
            children: node.children.map((column, n) => ({
              ...column,
              children: column.children.map((block, m) => noted(block, top, n, m)),
            })),
          }
        : noted(node, top),
  );
  return [...written, ...loose];
}

function blockAt(script: readonly ScriptNode[], path: readonly number[]): Block | null {
  const [top = -1, column = -1, inner = -1] = path;
  const node = script[top];
  const block = isDual(node) ? node.children[column]?.children[inner] : node;
  // What is a note, or was cut, has no notes in it.
  return isBlock(block) && block.type !== "note" && block.type !== "boneyard" ? block : null;
}

/** From the last to the first: what stands before keeps its place. None stands within another. */
function inserted(children: readonly FormattedText[], notes: readonly NoteOnWords[]): FormattedText[] {
  const leaves = [...children];
  for (const { at, text } of notes.toSorted((a, b) => (a.at?.offset ?? 0) - (b.at?.offset ?? 0)).toReversed()) {
    let left = at?.offset ?? 0;
    let leaf = 0;
    while (leaf < leaves.length - 1 && left > (leaves[leaf] as FormattedText).text.length) {
      left -= (leaves[leaf] as FormattedText).text.length;
      leaf += 1;
    }
    const here = leaves[leaf] as FormattedText;
    const note: FormattedText = { text: `[[${text}]]`, aside: true };
    if (here.aside) leaves.splice(leaf + 1, 0, note);
    else {
      const parts = [{ ...here, text: here.text.slice(0, left) }, note, { ...here, text: here.text.slice(left) }];
      leaves.splice(leaf, 1, ...parts.filter((part) => part.text !== ""));
    }
  }
  return leaves;
}

/** Without what would end the note, or begin one in it. */
function plain(text: string): string {
  return text
    .replaceAll(/\s*\n\s*/g, "\n")
    .replaceAll(/\[(?=\[)|\](?=\])/g, "$& ")
    .replaceAll(/\/(?=\*)|\*(?=\/)/g, "$& ")
    .trim()
    .replace(/^\[/, " [")
    .replace(/\]$/, "] ");
}
