// The methods of an editor that a binding puts its own before.
import type { Editor, Operation } from "slate";

/** The methods that Plate's own transforms call instead of the editor's. */
export interface PlateTransforms {
  apply: Editor["apply"];
  undo?: () => void;
  redo?: () => void;
}

/** The transforms of a Plate editor; any other editor has none. */
export function transformsOf(editor: object): PlateTransforms | undefined {
  const { tf } = editor as { tf?: Partial<PlateTransforms> };
  return typeof tf?.apply === "function" ? (tf as PlateTransforms) : undefined;
}

/** An editor whose `apply` and `onChange` go through others, until they are restored. */
export class Patched {
  /** The editor's own `apply`. */
  readonly original: Editor["apply"];
  /** A plugin may hold the methods that stand before the editor's own, and call them after these are restored. */
  isActive = true;
  readonly #restore: () => void;

  /** `before`: called before the editor's own `onChange`. */
  constructor(editor: Editor, apply: (op: Operation) => void, before: () => void) {
    const { apply: original, onChange } = editor;
    const transforms = transformsOf(editor);
    const transform = transforms?.apply;
    const patched: Editor["apply"] = (op) => (this.isActive ? apply(op) : original(op));
    const changed: Editor["onChange"] = (options) => {
      if (this.isActive) before();
      onChange.call(editor, options);
    };
    this.original = original;
    this.#restore = () => {
      if (editor.apply === patched) editor.apply = original;
      if (editor.onChange === changed) editor.onChange = onChange;
      if (transforms?.apply === patched) transforms.apply = transform!;
    };
    editor.apply = patched;
    editor.onChange = changed;
    if (transforms !== undefined) transforms.apply = patched;
  }

  restore(): void {
    this.isActive = false;
    this.#restore();
  }
}
