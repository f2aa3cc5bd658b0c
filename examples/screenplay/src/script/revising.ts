// Marks what a writer changes as belonging to the open revision set, and lets locked pages begin where they began. It
// is done in the same turn as the change, so it is taken back with it. What others write is marked by them.
import { Editor, Node, type Path, type Point, Range, Text, Transforms } from "slate";
import { blockTextPoint } from "./block-text.ts";
import { changesBetween, type PageMove, type TextRange } from "./changes.ts";
import type { ScriptEditor } from "./slate.ts";
import { type Block, isBlock, type ScriptNode, textOf } from "./types.ts";

interface State {
  /** The number of the open set; `null`: nothing is marked. */
  set: number | null;
  running: boolean;
}

const states = new WeakMap<object, State>();

/** From now on, what is written in the editor belongs to this set. */
export function reviseIn(editor: Editor, set: number | null): void {
  const state = states.get(editor);
  if (state) state.set = set;
}

/** What of an editor's own changes something. */
const METHODS = [
  "insertText",
  "insertBreak",
  "insertSoftBreak",
  "insertNode",
  "insertFragment",
  "insertData",
  "deleteBackward",
  "deleteForward",
  "deleteFragment",
  "addMark",
  "removeMark",
] as const;

/** The outermost plugin but for collaboration: what the others make of a key is part of it. */
export function withRevisions<T extends ScriptEditor>(editor: T): T {
  states.set(editor, { set: null, running: false });
  const methods = editor as unknown as Record<string, ((...given: unknown[]) => unknown) | undefined>;
  for (const name of METHODS) {
    const method = methods[name];
    if (method) methods[name] = (...given) => recorded(editor, () => method(...given));
  }
  return editor;
}

/** Runs a change that the writer makes. */
export function recorded<T>(editor: Editor, change: () => T): T {
  const state = states.get(editor);
  if (!state || state.running) return change();
  const before = editor.children;
  state.running = true;
  try {
    const result = change();
    if (editor.children !== before) settle(editor, before, state.set);
    return result;
  } finally {
    state.running = false;
  }
}

function settle(editor: Editor, before: Editor["children"], set: number | null): void {
  const { texts, pages } = changesBetween(before, editor.children, { texts: set !== null }, caretIn(editor));
  if (texts.length === 0 && pages.length === 0) return;
  Editor.withoutNormalizing(editor, () => {
    for (const move of pages) movePage(editor, move);
    if (set === null) return;
    const last = (a: TextRange, b: TextRange) => comparePaths(b.path, a.path) || b.from - a.from;
    for (const range of texts.sort(last)) setText(editor, range, { revision: set });
  });
  if (set !== null) stayInside(editor, set);
}

function caretIn(editor: Editor): { id: string; offset: number } | undefined {
  const { selection } = editor;
  if (!selection || !Range.isCollapsed(selection)) return undefined;
  const { path, offset } = selection.anchor;
  const block = Node.has(editor, path.slice(0, -1)) ? Node.get(editor, path.slice(0, -1)) : undefined;
  if (!isBlock(block)) return undefined;
  const before = block.children.slice(0, path.at(-1));
  return { id: block.id, offset: before.reduce((sum, { text }) => sum + text.length, offset) };
}

const comparePaths = (a: readonly number[], b: readonly number[]): number => {
  for (let n = 0; n < Math.min(a.length, b.length); n += 1) {
    if (a[n] !== b[n]) return (a[n] as number) - (b[n] as number);
  }
  return a.length - b.length;
};

function movePage(editor: Editor, { label, at, range }: PageMove): void {
  if (range && label !== null) setText(editor, range, { page: label });
  else if (label !== null) Transforms.setNodes<ScriptNode>(editor, { page: label }, { at: [at] });
  else {
    Transforms.unsetNodes<ScriptNode>(editor, "page", { at: [at] });
    Transforms.unsetNodes<Text>(editor, "page", { at: [at], match: Text.isText, mode: "all" });
  }
}

/** Gives text a property, where it has not got it. */
export function setText(
  editor: Editor,
  { path, from, to }: TextRange,
  properties: Partial<Pick<Text, "revision" | "page">>,
): void {
  const block = Node.get(editor, path) as Block;
  if (from === 0 && to >= textOf(block).length) {
    setAll(editor, block, path, properties);
    return;
  }
  const at = {
    anchor: blockTextPoint(block, path, from, "forward"),
    focus: blockTextPoint(block, path, to, "backward"),
  };
  const [name, value] = Object.entries(properties)[0] as ["revision" | "page", unknown];
  const lacks = block.children
    .slice(at.anchor.path.at(-1), (at.focus.path.at(-1) ?? 0) + 1)
    .some((leaf) => leaf[name] !== value);
  if (lacks) Transforms.setNodes<Text>(editor, properties, { at, match: Text.isText, split: true });
}

/** Of a script that is pasted, thousands of blocks: without looking for what is in the range. */
function setAll(editor: Editor, block: Block, path: Path, properties: Partial<Pick<Text, "revision" | "page">>): void {
  const [name, value] = Object.entries(properties)[0] as ["revision" | "page", unknown];
  for (const [leaf, text] of block.children.entries()) {
    if (text[name] === value || text.text === "") continue;
    const before = text[name] === undefined ? {} : { [name]: text[name] };
    editor.apply({ type: "set_node", path: [...path, leaf], properties: before, newProperties: properties });
  }
}

/** Who goes on writing goes on in the text that is marked: else each letter would be a change of its own. */
function stayInside(editor: Editor, set: number): void {
  const { selection } = editor;
  if (!selection || !Range.isCollapsed(selection) || selection.anchor.offset !== 0) return;
  const { path } = selection.anchor;
  const leaf = path.at(-1) ?? 0;
  if (leaf === 0) return;
  const before: Path = [...path.slice(0, -1), leaf - 1];
  const text = Node.get(editor, before);
  if (!Text.isText(text) || text.revision !== set) return;
  const point: Point = { path: before, offset: text.text.length };
  Transforms.select(editor, point);
}
