// Which operations an editor has applied since the last look.
import type { Editor, Operation } from "slate";

export class NewOperations {
  readonly #editor: Editor;
  /** The array in which they were counted: Slate replaces `editor.operations` each tick. */
  #operations: Operation[];
  /** How many of them have been returned. */
  #seen: number;

  constructor(editor: Editor) {
    this.#editor = editor;
    this.#operations = editor.operations;
    this.#seen = editor.operations.length;
  }

  /** Those that were applied since, in the order in which they took effect. `null`: none. */
  next(): Operation[] | null {
    const { operations } = this.#editor;
    if (operations !== this.#operations) {
      this.#operations = operations;
      this.#seen = 0;
    }
    const from = this.#seen;
    if (operations.length === from) return null;
    this.#seen = operations.length;
    return operations.slice(from);
  }
}
