// Tells of an editor's changes, wherever they come from. The document tells of what others do a moment before the editor
// has it where React is putting the page together: who reads the editor goes by the editor.
import type { Operation } from "slate";
import type { ScriptEditor } from "../script/slate.ts";

const followers = new WeakMap<object, Set<() => void>>();

export function withFollowers<T extends ScriptEditor>(editor: T): T {
  const { onChange } = editor;
  const all = new Set<() => void>();
  followers.set(editor, all);
  editor.onChange = (options) => {
    onChange(options);
    for (const follower of [...all]) follower();
  };
  return editor;
}

/** Calls back after each turn in which the editor changed. */
export function follow(editor: object, changed: () => void): () => void {
  const all = followers.get(editor);
  all?.add(changed);
  return () => void all?.delete(changed);
}

/** Whether blocks may have come, gone or got other properties: keys do none of it. Without operations all is new. */
export function mayHaveOtherBlocks({ operations }: { operations: readonly Operation[] }): boolean {
  return (
    operations.length === 0 ||
    operations.some(({ type }) => type !== "insert_text" && type !== "remove_text" && type !== "set_selection")
  );
}
