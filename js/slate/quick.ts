// After each key, Slate's own normalizer looks at every top-level block for something that may not be there: text, or an
// inline element. In a long document that is most of what a key costs. Here it looks again only after an operation
// that can have brought such a thing.
//
// Invariant: what is skipped would have found nothing. After anything that was not seen (a value assigned to `children`,
// another `isInline`, an operation of an unknown kind) the normalizer looks at everything. Plugins applied later, rules
// for the whole document among them, run as ever.
import { type BaseEditor, createEditor, type Descendant, type Editor, type Node, type Operation } from "slate";
import { isElement, nodeAt } from "./neutral.js";

const quick = new WeakSet<BaseEditor>();

/**
 * Makes Slate's normalizer skip what an edit cannot have put out of order at the top of the document. Changes nothing
 * else; in a feature film that pass is most of what a key costs. The innermost plugin:
 * `withRules(withReact(withQuickNormalizing(createEditor())))`, for a plugin that was applied before it is taken for a
 * part of Slate's normalizer, and no longer asked about the whole document after each key.
 *
 * `withCollab` does this by itself for an editor whose `normalizeNode` no plugin has replaced.
 */
export function withQuickNormalizing<T extends BaseEditor>(editor: T): T {
  if (!quick.has(editor)) {
    quick.add(editor);
    new TopLevel(editor as unknown as Editor).install();
  }
  return editor;
}

/** The same for an editor with a normalizer that is Slate's own: known by its text, for every editor has a closure. */
export function quicken(editor: Editor): void {
  if (String(editor.normalizeNode) === String(createEditor().normalizeNode)) withQuickNormalizing(editor);
}

class TopLevel {
  readonly #editor: Editor;
  /** Whether the top level is in order: looked at whole, and nothing since can have changed that. */
  #settled = false;
  /** The value that all operations so far have led to. Means nothing while one is applied. */
  #known: Descendant[];
  #isInline: Editor["isInline"];
  #depth = 0;

  constructor(editor: Editor) {
    this.#editor = editor;
    this.#known = editor.children;
    this.#isInline = editor.isInline;
  }

  install(): void {
    const editor = this.#editor;
    const { apply, normalizeNode } = editor;
    editor.apply = (op) => {
      this.#settled = this.#isSettled() && keepsOrder(editor, op);
      this.#depth += 1;
      try {
        apply(op);
      } catch (error) {
        this.#settled = false;
        throw error;
      } finally {
        this.#depth -= 1;
        this.#known = editor.children;
      }
    };
    editor.normalizeNode = (entry, options) => {
      if (entry[1].length > 0) return normalizeNode(entry, options);
      if (this.#isSettled() && !options?.force) return;
      const before = editor.children;
      this.#settled = false;
      normalizeNode(entry, options);
      if (editor.children !== before) return;
      this.#settled = true;
      this.#isInline = editor.isInline;
      if (this.#depth === 0) this.#known = before;
    };
  }

  #isSettled(): boolean {
    const { children, isInline } = this.#editor;
    return this.#settled && isInline === this.#isInline && (this.#depth > 0 || children === this.#known);
  }
}

/** Whether a top level that has nothing but blocks has nothing else after `op`, which is about to be applied. */
function keepsOrder(editor: Editor, op: Operation): boolean {
  switch (op.type) {
    case "set_selection":
    case "remove_node":
    case "merge_node":
      return true;
    case "insert_text":
    case "remove_text":
      return op.path.length > 1;
    case "insert_node":
      return op.path.length > 1 || isBlock(editor, op.node);
    case "split_node":
      return op.path.length > 1 || isBlock(editor, { ...op.properties, children: [] } as Descendant);
    case "set_node": {
      if (op.path.length > 1) return true;
      const node = nodeAt(editor, op.path);
      return node !== null && isBlock(editor, { ...node, ...op.newProperties } as Descendant);
    }
    case "move_node": {
      if (op.newPath.length > 1 || op.path.length === 1) return true;
      const node = nodeAt(editor, op.path);
      return node !== null && isBlock(editor, node);
    }
    default:
      return false;
  }
}

const isBlock = (editor: Editor, node: Node): boolean => isElement(node) && !editor.isInline(node);
