// What people have noted on the words of a script, as notes in its text: so that files have them. And out of the text of
// a file again. Pure.
import { type Block, type FormattedText, isBlock, isDual, type Script, type ScriptNode } from "../types.ts";
import { findAsides } from "./asides.ts";
import { tidied } from "./emphasis.ts";
import { noteText, quoted, readNoteText, type Said } from "./note-text.ts";

export interface NoteOnWords {
  /** The block, how many of its characters stand before the end of the words, and how many these are. `null`: they are gone. */
  at: { path: readonly number[]; offset: number; length: number } | null;
  said: readonly Said[];
}

type Leaves = readonly FormattedText[];

/** A copy with each note behind its words; those whose words are gone stand at the end. */
export function withNotes(script: readonly ScriptNode[], notes: readonly NoteOnWords[]): Script {
  const at = new Map<string, Placed[]>();
  const loose: Block[] = [];
  for (const [n, { at: place, said }] of notes.entries()) {
    const block = place && blockAt(script, place.path);
    const text = noteText(block ? wordsAt(block.children, place.offset - place.length, place.offset) : "", said);
    if (text === "") continue;
    if (!block) loose.push({ id: `note-${n}`, type: "note", children: [{ text }] });
    else {
      const key = place.path.join(".");
      at.set(key, [...(at.get(key) ?? []), { offset: place.offset, text }]);
    }
  }
  const noted = eachBlock(script, (block, path) => {
    const own = at.get(path.join("."));
    return own ? { ...block, children: inserted(block.children, own) } : block;
  });
  return [...noted, ...loose];
}

/** The script without the notes that name the words which they stand behind, and these. All others stay in the text. */
export function takeNotes(script: readonly ScriptNode[]): { script: Script; notes: NoteOnWords[] } {
  const notes: NoteOnWords[] = [];
  const without = eachBlock(script, (block, path) => {
    if (!mayHaveNotes(block) || !block.children.some(({ aside }) => aside)) return block;
    const { leaves, taken } = takenFrom(block.children);
    if (taken.length === 0) return block;
    notes.push(...taken.map(({ said, offset, length }) => ({ at: { path, offset, length }, said })));
    return { ...block, children: tidied(leaves) };
  });
  return { script: without, notes };
}

interface Placed {
  offset: number;
  text: string;
}

function eachBlock(script: readonly ScriptNode[], change: (block: Block, path: number[]) => Block): Script {
  return script.map((node, top): ScriptNode => {
    if (!isDual(node)) return change(node, [top]);
    const children = node.children.map((column, n) => ({
      ...column,
      children: column.children.map((block, m) => change(block, [top, n, m])),
    }));
    return { ...node, children };
  });
}

/** What is a note, or was cut, has no notes in it. */
const mayHaveNotes = (block: Block): boolean => block.type !== "note" && block.type !== "boneyard";

function blockAt(script: readonly ScriptNode[], path: readonly number[]): Block | null {
  const [top = -1, column = -1, inner = -1] = path;
  const node = script[top];
  const block = isDual(node) ? node.children[column]?.children[inner] : node;
  return isBlock(block) && mayHaveNotes(block) ? block : null;
}

/** The text between two places of a block, without its notes and cuts. */
function wordsAt(leaves: Leaves, from: number, to: number): string {
  let words = "";
  let offset = 0;
  for (const { text, aside } of leaves) {
    if (!aside) words += text.slice(Math.max(0, from - offset), Math.max(0, to - offset));
    offset += text.length;
  }
  return words;
}

/** From the last to the first: what stands before keeps its place. None stands within another. */
function inserted(children: Leaves, notes: readonly Placed[]): FormattedText[] {
  const leaves = [...children];
  for (const { offset, text } of notes.toSorted((a, b) => a.offset - b.offset).toReversed()) {
    let left = offset;
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

interface Taken {
  offset: number;
  length: number;
  said: readonly Said[];
}

function takenFrom(children: Leaves): { leaves: FormattedText[]; taken: Taken[] } {
  const leaves: FormattedText[] = [];
  const taken: Taken[] = [];
  let offset = 0;
  for (const leaf of children) {
    const parts = leaf.aside ? findAsides(leaf.text).map(({ start, end }) => leaf.text.slice(start, end)) : [leaf.text];
    for (const text of parts) {
      const note = leaf.aside && text.startsWith("[[") ? readNoteText(text.slice(2, -2)) : null;
      const length = note ? lengthOf(note.quote, leaves, offset) : 0;
      if (note && length > 0) taken.push({ offset, length, said: note.said });
      else {
        leaves.push({ ...leaf, text });
        offset += text.length;
      }
    }
  }
  return { leaves, taken };
}

/** How long the words are that are named so and end here; 0: they do not. */
function lengthOf(quote: string, leaves: Leaves, offset: number): number {
  if (quote === "") return 0;
  for (let from = offset - 1; from >= 0; from -= 1) {
    const words = wordsAt(leaves, from, offset);
    // Most do not even begin as it does.
    if (quote.startsWith(quoted(words.slice(0, 1))) && quoted(words) === quote) return offset - from;
  }
  return 0;
}
