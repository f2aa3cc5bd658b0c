// Finding words in a script, and replacing them. What is found is worked out of a block's text alone, and remembered
// with the block: so it is right for whatever anybody has just typed, and looking again costs little. Pure.
import { Editor, Path, type Point, Range } from "slate";
import { recorded } from "./revising.ts";
import { type Block, isBlock, isDual, textOf } from "./types.ts";

export interface Wanted {
  text: string;
  matchCase: boolean;
  wholeWords: boolean;
}

/** Words in a block, by offsets in its text. */
export interface Found {
  path: Path;
  block: Block;
  start: number;
  end: number;
}

type Span = readonly [start: number, end: number];

/** Who types straight quotes finds the curly ones too. */
const ALIKE: Record<string, string> = { "'": "['’‘]", '"': '["“”]', " ": "[ \\u00a0\\n]" };

function patternOf({ text, matchCase, wholeWords }: Wanted): RegExp | null {
  if (text === "") return null;
  const literal = text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replace(/['" ]/g, (sign) => ALIKE[sign] ?? sign);
  const [before, after] = wholeWords ? ["(?<![\\p{L}\\p{N}_])", "(?![\\p{L}\\p{N}_])"] : ["", ""];
  return new RegExp(before + literal + after, matchCase ? "gu" : "giu");
}

/** Looks for the same words again and again. */
export class Finder {
  private readonly pattern: RegExp | null;
  private readonly known = new WeakMap<Block, readonly Span[]>();

  constructor(readonly wanted: Wanted) {
    this.pattern = patternOf(wanted);
  }

  in(block: Block): readonly Span[] {
    const { pattern } = this;
    if (pattern === null) return NOWHERE;
    let spans = this.known.get(block);
    if (spans === undefined) {
      const found = Array.from(
        textOf(block).matchAll(pattern),
        ({ index, 0: words }): Span => [index, index + words.length],
      );
      spans = found.length === 0 ? NOWHERE : found;
      this.known.set(block, spans);
    }
    return spans;
  }

  /** In reading order. */
  all(script: readonly unknown[]): Found[] {
    const found: Found[] = [];
    const look = (block: unknown, path: Path) => {
      if (!isBlock(block)) return;
      for (const [start, end] of this.in(block)) found.push({ path, block, start, end });
    };
    for (const [index, node] of script.entries()) {
      if (!isDual(node)) {
        look(node, [index]);
        continue;
      }
      for (const [side, column] of node.children.entries()) {
        for (const [line, block] of column.children.entries()) look(block, [index, side, line]);
      }
    }
    return found;
  }
}

const NOWHERE: readonly Span[] = [];

/** Begins in the leaf that has the first of the words, ends in that of the last. */
export function rangeOf({ path, block, start, end }: Found): Range {
  return { anchor: pointAt(block, path, start, 1), focus: pointAt(block, path, end, 0) };
}

function pointAt(block: Block, path: Path, offset: number, ahead: 0 | 1): Point {
  let left = offset;
  const last = block.children.length - 1;
  for (const [index, leaf] of block.children.entries()) {
    if (left + ahead <= leaf.text.length || index === last) return { path: [...path, index], offset: left };
    left -= leaf.text.length;
  }
  return { path: [...path, 0], offset: 0 };
}

/** Before, at or behind: a place in a block's text, among those of others. */
function compare(editor: Editor, path: Path, offset: number, point: Point): number {
  const order = Path.compare(path, point.path);
  if (order !== 0) return order;
  const [block] = Editor.node(editor, path);
  let before = point.offset;
  if (isBlock(block)) {
    for (const leaf of block.children.slice(0, point.path[path.length] ?? 0)) before += leaf.text.length;
  }
  return offset - before;
}

/** Which of them is selected; -1: none. */
export function foundAt(editor: Editor, found: readonly Found[], selection: Range | null): number {
  if (selection === null || Range.isCollapsed(selection)) return -1;
  const [start, end] = Range.edges(selection);
  const low = firstFrom(editor, found, start);
  const at = found[low];
  if (!at || !Editor.hasPath(editor, at.path)) return -1;
  return compare(editor, at.path, at.start, start) === 0 && compare(editor, at.path, at.end, end) === 0 ? low : -1;
}

/** The first that begins at the point or behind it. */
function firstFrom(editor: Editor, found: readonly Found[], point: Point): number {
  let low = 0;
  let high = found.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { path, start } = found[middle] as Found;
    if (compare(editor, path, start, point) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The next one from the selection on (or the one before it), round the end of the script; -1: there is none. */
export function nextFound(editor: Editor, found: readonly Found[], selection: Range | null, back = false): number {
  if (found.length === 0) return -1;
  if (selection === null) return back ? found.length - 1 : 0;
  const [start, end] = Range.edges(selection);
  const at = firstFrom(editor, found, back ? start : end);
  return (back ? at - 1 + found.length : at) % found.length;
}

/** Puts other words in the place of these. They look as the first of these did. */
export function replaceFound(editor: Editor, found: Found, words: string): void {
  recorded(editor, () => replaceWords(editor, found, words));
}

function replaceWords(editor: Editor, found: Found, words: string): void {
  const { anchor, focus } = rangeOf(found);
  Editor.withoutNormalizing(editor, () => {
    const first = anchor.path.at(-1) ?? 0;
    const last = focus.path.at(-1) ?? 0;
    for (let leaf = last; leaf >= first; leaf -= 1) {
      const { text } = found.block.children[leaf] ?? { text: "" };
      const from = leaf === first ? anchor.offset : 0;
      const old = text.slice(from, leaf === last ? focus.offset : text.length);
      const path = [...found.path, leaf];
      // The new words first: a leaf of which nothing is left would lose its look.
      if (leaf === first && words !== "") editor.apply({ type: "insert_text", path, offset: from, text: words });
      const offset = leaf === first ? from + words.length : from;
      if (old !== "") editor.apply({ type: "remove_text", path, offset, text: old });
    }
  });
}

/** Returns how many there were. */
export function replaceAll(editor: Editor, finder: Finder, words: string): number {
  const found = finder.all(editor.children);
  recorded(editor, () =>
    Editor.withoutNormalizing(editor, () => {
      // From the end: what is before keeps its place. Of each block the leaves are those of now.
      for (const each of found.toReversed()) {
        const [block] = Editor.node(editor, each.path);
        if (isBlock(block)) replaceFound(editor, { ...each, block }, words);
      }
    }),
  );
  return found.length;
}
