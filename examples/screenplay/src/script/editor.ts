// Makes a Slate editor write screenplays: what Enter, Tab, Backspace and typing do, and the commands of the toolbar.
// Every change is made of ordinary Slate operations, so undo and collaboration need to know nothing about screenplays.
import { createEditor, type Descendant, Editor, Element, Node, type NodeEntry, Path, Range, Transforms } from "slate";
import { afterTab, ELEMENTS, looksLikeHeading, looksLikeTransition } from "./elements.ts";
import { normalizeScript } from "./normalize.ts";
import { recorded } from "./revising.ts";
import type { ScriptEditor } from "./slate.ts";
import {
  type Block,
  type BlockType,
  type Column,
  isBlock,
  isColumn,
  isDual,
  type Mark,
  randomId,
  type ScriptNode,
  textOf,
} from "./types.ts";

/** What belongs to the place where something was written. */
const BELONGS = ["page", "revision", "revisions"] as const;
/** What only the first half of a split has: there is one of it. */
const ONCE = [
  "sceneNumber",
  "color",
  "startsNewPage",
  "titlePage",
  "page",
  "revisions",
] as const satisfies (keyof Block)[];

export function withScreenplay<T extends ScriptEditor>(editor: T, newId: () => string = randomId): T {
  const { apply, insertText, insertFragment, deleteBackward, normalizeNode } = editor;
  editor.newId = newId;

  // Slate copies all properties to the new half of a split, the id among them: no two blocks may share one. Nor what
  // there is once in a script.
  editor.apply = (operation) => {
    if (operation.type === "split_node" && "id" in operation.properties) {
      const node = Node.get(editor, operation.path);
      if ("id" in node && node.id === operation.properties.id) {
        const properties = { ...(operation.properties as Partial<Block>), id: newId() };
        for (const name of ONCE) delete properties[name];
        apply({ ...operation, properties });
        return;
      }
    }
    apply(operation);
  };

  editor.normalizeNode = (entry, options) => {
    if (!normalizeScript(editor, entry)) normalizeNode(entry, options);
  };

  editor.insertBreak = () => breakBlock(editor);
  editor.insertSoftBreak = () => editor.insertText("\n");

  editor.insertText = (...[text, options]: Parameters<ScriptEditor["insertText"]>) => {
    if (text === "(" && openParenthetical(editor)) return;
    if (text === ")" && closesParenthetical(editor)) return;
    insertText(text, options);
    if (/^[./e\s]$/i.test(text)) recogniseHeading(editor);
  };

  // Pasted blocks are new blocks, also where they are pasted beside the ones they were copied from.
  editor.insertFragment = (...[fragment, options]: Parameters<ScriptEditor["insertFragment"]>) =>
    insertFragment(withFreshIds(fragment, newId), options);

  editor.deleteBackward = (unit) => {
    if (!backspaceAtStart(editor)) deleteBackward(unit);
  };
  return editor;
}

/** An editor without a view, for tests and tools. */
export function createScriptEditor(children: Descendant[] = [], newId?: () => string): ScriptEditor {
  const editor = withScreenplay(createEditor() as ScriptEditor, newId);
  editor.children = children;
  return editor;
}

export function blockAt(editor: Editor, at = editor.selection?.anchor.path): NodeEntry<Block> | undefined {
  if (!at) return undefined;
  return Editor.above<Block>(editor, { at, match: isBlock, mode: "lowest" });
}

export function setType(editor: Editor, type: BlockType): void {
  recorded(editor, () =>
    Editor.withoutNormalizing(editor, () => {
      if (type === "parenthetical") {
        for (const entry of Editor.nodes<Block>(editor, { match: isBlock, mode: "lowest" }))
          bareParentheses(editor, entry);
      }
      Transforms.setNodes<Block>(editor, { type }, { match: isBlock, mode: "lowest" });
    }),
  );
}

/** A parenthetical's parentheses are shown, not stored: those that were typed before it was one are taken away. */
function bareParentheses(editor: Editor, [block, path]: NodeEntry<Block>): void {
  const text = textOf(block);
  if (block.type === "parenthetical" || !/^\([^()]*\)$/.test(text)) return;
  const end = Editor.end(editor, path);
  Transforms.delete(editor, { at: { anchor: { ...end, offset: end.offset - 1 }, focus: end } });
  const start = Editor.start(editor, path);
  Transforms.delete(editor, { at: { anchor: start, focus: { ...start, offset: 1 } } });
}

/** Tab and Shift+Tab: the next or the previous type for the block with the caret. */
export function cycleType(editor: Editor, back: boolean): void {
  const entry = blockAt(editor);
  if (entry) setType(editor, afterTab(entry[0].type, back));
}

export function hasMark(editor: Editor, mark: Mark): boolean {
  return Editor.marks(editor)?.[mark] === true;
}

export function toggleMark(editor: Editor, mark: Mark): void {
  if (hasMark(editor, mark)) Editor.removeMark(editor, mark);
  else Editor.addMark(editor, mark, true);
}

function breakBlock(editor: ScriptEditor): void {
  if (editor.selection && Range.isExpanded(editor.selection)) Transforms.delete(editor);
  const { selection } = editor;
  const entry = blockAt(editor);
  if (!selection || !entry) return;
  const [block, path] = entry;
  if (textOf(block) === "") {
    if (leaveColumn(editor, path)) return;
    // Nothing more of this kind is wanted. On an empty line of action there is nothing to change: a blank line it is.
    if (block.type !== "action") {
      setType(editor, "action");
      return;
    }
  }
  if (Editor.isStart(editor, selection.anchor, path) && textOf(block) !== "") {
    // The block keeps its identity (and with it everybody's carets); a new one comes in above.
    const type = block.type === "scene_heading" ? "action" : block.type;
    Transforms.insertNodes(editor, emptyBlock(editor, type), { at: path });
    return;
  }
  if (!Editor.isEnd(editor, selection.anchor, path)) {
    Transforms.splitNodes(editor, { always: true });
    return;
  }
  Editor.withoutNormalizing(editor, () => {
    let type = block.type;
    if (type === "action" && looksLikeTransition(textOf(block))) {
      type = "transition";
      Transforms.setNodes<Block>(editor, { type }, { at: path });
    }
    const next = Path.next(path);
    Transforms.insertNodes(editor, emptyBlock(editor, ELEMENTS[type].next), { at: next });
    Transforms.select(editor, Editor.start(editor, next));
  });
}

export function emptyBlock(editor: ScriptEditor, type: BlockType): Block {
  return { id: editor.newId(), type, children: [{ text: "" }] };
}

/** Enter on an empty last line of a column: on to the other column, or out of the dual dialogue. */
function leaveColumn(editor: ScriptEditor, path: Path): boolean {
  if (path.length < 3) return false;
  const columnPath = Path.parent(path);
  const column = Node.get(editor, columnPath) as Column;
  const last = path[path.length - 1] === column.children.length - 1;
  if (!last || column.children.length < 2) return false;
  Editor.withoutNormalizing(editor, () => {
    const outside = Path.next(Path.parent(columnPath));
    if (Path.hasPrevious(columnPath)) {
      Transforms.moveNodes(editor, { at: path, to: outside });
      Transforms.setNodes<Block>(editor, { type: "action" }, { at: outside });
    } else {
      Transforms.select(editor, Editor.start(editor, Path.next(columnPath)));
      Transforms.removeNodes(editor, { at: path });
    }
  });
  return true;
}

/** `(` at the start of an empty line of dialogue begins a parenthetical, whose parentheses are not typed. */
function openParenthetical(editor: Editor): boolean {
  const entry = blockAt(editor);
  if (!entry || textOf(entry[0]) !== "") return false;
  if (entry[0].type === "dialogue") setType(editor, "parenthetical");
  return entry[0].type === "dialogue" || entry[0].type === "parenthetical";
}

/** `)` at the end of a parenthetical, in which none is open: it is there already. */
function closesParenthetical(editor: Editor): boolean {
  const entry = blockAt(editor);
  if (entry?.[0].type !== "parenthetical" || !editor.selection || Range.isExpanded(editor.selection)) return false;
  const text = textOf(entry[0]);
  const open = text.split("(").length - text.split(")").length;
  return open <= 0 && Editor.isEnd(editor, editor.selection.anchor, entry[1]);
}

const HEADING_FROM: ReadonlySet<BlockType> = new Set([
  "action",
  "character",
  "general",
  "shot",
  "transition",
  "new_act",
]);

function recogniseHeading(editor: Editor): void {
  const entry = blockAt(editor);
  if (!entry || !editor.selection || !HEADING_FROM.has(entry[0].type)) return;
  const before = Editor.string(editor, { anchor: Editor.start(editor, entry[1]), focus: editor.selection.focus });
  // Only while the prefix itself is being typed: who makes it action again gets to keep it.
  if (before.length <= 9 && looksLikeHeading(before) && !looksLikeHeading(before.slice(0, -1))) {
    setType(editor, "scene_heading");
  }
}

/** Backspace where a plain merge would tear dual dialogue apart. Returns whether that was the case. */
function backspaceAtStart(editor: Editor): boolean {
  const { selection } = editor;
  const entry = blockAt(editor);
  if (!selection || Range.isExpanded(selection) || !entry) return false;
  const [block, path] = entry;
  if (!Editor.isStart(editor, selection.anchor, path)) return false;
  const previous = Path.hasPrevious(path) ? Node.get(editor, Path.previous(path)) : undefined;
  if (isBlock(previous)) return false;
  const before = Editor.before(editor, path);
  if (!previous && path.length === 1) {
    // The first line: nothing to merge with, but a way back to plain action.
    if (block.type !== "action" && textOf(block) === "") setType(editor, "action");
    return true;
  }
  if (before) Transforms.select(editor, before);
  const column = path.length > 1 ? (Node.parent(editor, path) as Column) : undefined;
  const alone = column?.children.length === 1;
  if (textOf(block) === "" && !alone) Transforms.removeNodes(editor, { at: path });
  return true;
}

/** The fragment with an id of its own for each element in it, and without what belongs to where it was copied. */
export function withFreshIds<T extends Node>(nodes: T[], newId: () => string): T[] {
  return nodes.map((node) => {
    const copy = freed(node);
    if (!Element.isElement(node)) return copy;
    const { children } = node as Element;
    return { ...copy, id: newId(), children: withFreshIds<Descendant>(children, newId) };
  });
}

/** A copy is on no locked page, and of no revision yet. */
export function freed<T extends Node>(node: T): T {
  const own = Object.entries(node).filter(([name]) => !(BELONGS as readonly string[]).includes(name));
  return Object.fromEntries(own) as T;
}

export function inDual(editor: Editor): NodeEntry | undefined {
  return editor.selection ? Editor.above(editor, { match: isDual }) : undefined;
}

/** The run of character, parenthetical and dialogue around `index`: one person's speech. */
function speechAt(children: readonly Descendant[], index: number): [number, number] | undefined {
  const type = (at: number) => {
    const node = children[at];
    return isBlock(node) ? node.type : undefined;
  };
  const spoken = (at: number) => type(at) === "dialogue" || type(at) === "parenthetical" || type(at) === "lyrics";
  let start = index;
  while (spoken(start)) start -= 1;
  if (type(start) !== "character") return undefined;
  let end = start + 1;
  while (spoken(end)) end += 1;
  return end > start + 1 ? [start, end] : undefined;
}

/**
 * Sets the speech with the caret beside the one before it (or after it, for the first of two), or takes dual dialogue
 * apart again. Returns false where there are no two speeches to set side by side.
 */
export function toggleDual(editor: ScriptEditor): boolean {
  return recorded(editor, () => toggleColumns(editor));
}

function toggleColumns(editor: ScriptEditor): boolean {
  const dual = inDual(editor);
  if (dual) {
    Editor.withoutNormalizing(editor, () => {
      Transforms.unwrapNodes(editor, { at: dual[1], match: isColumn, mode: "all" });
      Transforms.unwrapNodes(editor, { at: dual[1], match: isDual });
    });
    return true;
  }
  const index = editor.selection?.anchor.path[0];
  const here = index === undefined ? undefined : speechAt(editor.children, index);
  if (!here) return false;
  const before = here[0] > 0 ? speechAt(editor.children, here[0] - 1) : undefined;
  const after = speechAt(editor.children, here[1]);
  const pair = before ? { left: before, right: here } : after ? { left: here, right: after } : undefined;
  if (!pair) return false;
  const { left, right } = pair;
  Editor.withoutNormalizing(editor, () => {
    const at = [left[0]];
    const column = (): Column => ({ id: editor.newId(), type: "column", children: [] });
    Transforms.insertNodes(
      editor,
      { id: editor.newId(), type: "dualDialogueBlock", children: [column(), column()] },
      { at },
    );
    const move = ([start, end]: [number, number], to: number) => {
      for (let step = 0; step < end - start; step += 1) {
        Transforms.moveNodes(editor, { at: [left[0] + 1], to: [left[0], to, step] });
      }
    };
    move(left, 0);
    move(right, 1);
  });
  return true;
}

/** Inserts whole blocks at the caret: in the place of an empty block, after a block at its end, else into the text. */
export function insertBlocks(editor: ScriptEditor, nodes: readonly ScriptNode[]): void {
  recorded(editor, () => insertNodes(editor, nodes));
}

function insertNodes(editor: ScriptEditor, nodes: readonly ScriptNode[]): void {
  // Nothing to insert is no reason to delete.
  if (nodes.length === 0) return;
  if (editor.selection && Range.isExpanded(editor.selection)) Transforms.delete(editor);
  const { selection } = editor;
  const entry = blockAt(editor);
  const fresh = withFreshIds<Descendant>([...nodes], editor.newId);
  if (!selection || !entry) return;
  const [block, path] = entry;
  const empty = textOf(block) === "";
  if (path.length > 1 || !(empty || Editor.isEnd(editor, selection.anchor, path))) {
    Transforms.insertFragment(editor, fresh);
    return;
  }
  Editor.withoutNormalizing(editor, () => {
    Transforms.insertNodes(editor, fresh, { at: Path.next(path) });
    if (empty) Transforms.removeNodes(editor, { at: path });
    const last = (path[0] ?? 0) + fresh.length - (empty ? 1 : 0);
    Transforms.select(editor, Editor.end(editor, [last]));
  });
}
