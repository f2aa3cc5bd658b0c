// The keys of the editor, and what they do.
import type { KeyboardEvent } from "react";
import { Path } from "slate";
import { cycleType, setType, toggleDual, toggleMark } from "../script/editor.ts";
import { ELEMENTS, typeOfKey } from "../script/elements.ts";
import type { ScriptEditor } from "../script/slate.ts";
import type { BlockType, Mark } from "../script/types.ts";

export const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);
const MOD = isMac ? "⌘" : "Ctrl+";
const MOD_ALT = isMac ? "⌥⌘" : "Ctrl+Alt+";

const MARK_KEYS: Record<string, Mark> = { b: "bold", i: "italic", u: "underline" };
const keyOfMark = new Map(Object.entries(MARK_KEYS).map(([key, mark]) => [mark, MOD + key.toUpperCase()]));

export const keyOf = {
  /** Striking out is in the toolbar only. */
  mark: (mark: Mark) => keyOfMark.get(mark),
  type: (type: BlockType) => (ELEMENTS[type].key === undefined ? undefined : MOD_ALT + ELEMENTS[type].key),
  dual: `${MOD_ALT}D`,
  find: `${MOD}F`,
  replace: isMac ? "⌥⌘F" : "Ctrl+H",
  undo: `${MOD}Z`,
  redo: isMac ? "⇧⌘Z" : "Ctrl+Y",
};

export const MOVE_SCENE = isMac ? "⌥↑, ⌥↓" : "Alt+↑, Alt+↓";

/** Editors in which Escape was the last key: the next Tab is the browser's. */
const leaving = new WeakSet<ScriptEditor>();
/** Editors whose page was reached by Tab, and in which nothing has been done since: Tab goes on through the window. */
const passing = new WeakSet<ScriptEditor>();
const MODIFIERS: ReadonlySet<string> = new Set(["Shift", "Control", "Alt", "Meta"]);

/** Whether the page got the focus by Tab: who only passes through it shall change no line. */
export function entered(editor: ScriptEditor, byTab: boolean): void {
  if (byTab) passing.add(editor);
  else passing.delete(editor);
}

/** Acts on a key pressed in the page, if it is one of the editor's. */
export function pressed(editor: ScriptEditor, event: KeyboardEvent): void {
  if (event.nativeEvent.isComposing || MODIFIERS.has(event.key)) return;
  const leaves = leaving.delete(editor);
  if (event.key === "Escape") leaving.add(editor);
  if (event.key === "Tab" && (leaves || passing.has(editor))) return;
  passing.delete(editor);
  if (act(editor, event)) event.preventDefault();
}

function inSeveralBlocks({ selection }: ScriptEditor): boolean {
  return selection !== null && !Path.equals(Path.parent(selection.anchor.path), Path.parent(selection.focus.path));
}

function act(editor: ScriptEditor, event: KeyboardEvent): boolean {
  const mod = isMac ? event.metaKey : event.ctrlKey;
  if (event.key === "Tab" && !mod && !event.altKey) {
    if (!editor.selection) return false;
    // Of many lines at once nobody changes the type by a key: that is a choice from the list of types.
    if (inSeveralBlocks(editor)) return true;
    cycleType(editor, event.shiftKey);
    return true;
  }
  if (!mod || event.shiftKey) return false;
  if (event.altKey) {
    // By place, not by character: with Alt held, the digits of many layouts are other characters.
    const digit = /^Digit(\d)$/.exec(event.code)?.[1];
    const type = digit === undefined ? undefined : typeOfKey(Number(digit));
    if (type) setType(editor, type);
    else if (event.code === "KeyD") toggleDual(editor);
    else return false;
    return true;
  }
  const mark = MARK_KEYS[event.key.toLowerCase()];
  if (mark) toggleMark(editor, mark);
  return mark !== undefined;
}
