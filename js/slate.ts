// `slate-yrs/slate`: binds a Slate editor to a document. What the user does goes to the document, what others do comes
// back as operations, and undo is the document's: only one's own edits, whatever others did meanwhile.
import type { BaseEditor, Editor, Range } from "slate";
import { handleOf } from "./engine.js";
import type { Collab } from "./index.js";
import { Binding } from "./slate/binding.js";
import { hubOf } from "./slate/hub.js";
import { transformsOf } from "./slate/patched.js";
import { quicken } from "./slate/quick.js";

export { withQuickNormalizing } from "./slate/quick.js";

/** What {@link withCollab} adds to an editor. */
export interface CollabEditor {
  /** The document the editor is bound to. */
  readonly collab: Collab;
  /**
   * Undoes this user's last edits, never those of others. Takes the place of slate-history's `undo`. False if nothing that is
   * shown has changed by it.
   */
  undo(): boolean;
  /** Repeats what was undone. False if nothing that is shown has changed by it. */
  redo(): boolean;
  /** How often the editor was found to differ from the document, and was mended. Anything but 0 is a bug to report. */
  readonly divergences: number;
  /** Unbinds the editor, which keeps its value and works alone from then on. Idempotent. */
  disconnect(): void;
}

/** Options of {@link withCollab}. */
export interface CollabEditorOptions {
  /** Whether peers see this editor's selection. Default: true. */
  cursors?: boolean;
}

const bound = new WeakMap<BaseEditor, () => void>();

/**
 * Binds `editor` to `collab`: its value becomes the document's, and from now on each follows the other.
 *
 * Comes after `withReact` and other plugins: `withCollab(withReact(createEditor()), collab)`. The editor's own value is
 * dropped, never written. Binding again to the same document does nothing; binding to another one disconnects first.
 * slate-history is not needed: where it is present its stacks are not used, `editor.undo()` is this one's.
 *
 * @throws CollabError `closed` if the document is closed.
 */
export function withCollab<T extends BaseEditor>(
  editor: T,
  collab: Collab,
  options: CollabEditorOptions = {},
): T & CollabEditor {
  const target = editor as T & CollabEditor;
  if (bound.has(editor)) {
    if (target.collab === collab) return target;
    bound.get(editor)?.();
  }
  const hub = hubOf(collab);
  hub.schema(editor as unknown as Editor);
  const value = hub.value();
  quicken(editor as unknown as Editor);
  const binding = new Binding(editor as unknown as Editor, hub, options.cursors !== false);
  const undo = () => isOpen(collab) && collab.undo();
  const redo = () => isOpen(collab) && collab.redo();
  const restore = [member(editor, "undo", undo), member(editor, "redo", redo), ofPlate(editor, undo, redo)];
  const disconnect = () => {
    if (!bound.delete(editor)) return;
    hub.remove(binding);
    for (const each of restore) each();
  };
  bound.set(editor, disconnect);
  const define = (key: keyof CollabEditor, property: PropertyDescriptor) =>
    Object.defineProperty(editor, key, { configurable: true, enumerable: true, ...property });
  define("collab", { value: collab, writable: true });
  define("disconnect", { value: disconnect, writable: true });
  define("divergences", { get: () => binding.divergences });
  hub.add(binding, value);
  return target;
}

/**
 * A position that survives edits, splits, merges and moves: for comments and bookmarks. It may be stored: it means the
 * same to every client of this document.
 */
export function anchor(editor: CollabEditor, range: Range): string {
  const handle = handleOf(editor.collab);
  handle.flush();
  return handle.anchor(range);
}

/**
 * Where an {@link anchor} is now. `null`: what it stood on is gone, or it is not one of this document.
 *
 * @example
 * const bookmark = anchor(editor, editor.selection!);
 * // Later, whatever anybody has written:
 * const range = resolve(editor, bookmark);
 * if (range) Transforms.select(editor, range);
 */
export function resolve(editor: CollabEditor, anchor: string): Range | null {
  const handle = handleOf(editor.collab);
  handle.flush();
  return handle.resolve(anchor);
}

/**
 * Runs `edit`. What it changes is written and sent like any edit, but stands in no undo step: for what the application
 * does by itself, such as numbering scenes.
 *
 * @example
 * withoutSaving(editor, () => Transforms.setNodes(editor, { number: 12 }, { at: [3] }));
 */
export function withoutSaving(editor: CollabEditor, edit: () => void): void {
  hubOf(editor.collab).withoutSaving(editor as unknown as BaseEditor, edit);
}

const isOpen = (collab: Collab): boolean => collab.status.connection !== "closed";

/** Plate's transforms have an undo of their own: it is this one as long as the editor is bound. */
function ofPlate(editor: BaseEditor, undo: () => void, redo: () => void): () => void {
  const transforms = transformsOf(editor);
  if (transforms === undefined) return () => {};
  const before = { undo: transforms.undo, redo: transforms.redo };
  Object.assign(transforms, { undo, redo });
  return () => void Object.assign(transforms, before);
}

/**
 * Puts `action` in the place of `undo` or `redo`; what was there comes back when the returned function is called.
 * slate-history, applied later than this plugin, would put its own there: that one assignment is refused, for two
 * stacks would undo everything twice. Wrappers of the application are welcome.
 */
function member(editor: BaseEditor, key: "undo" | "redo", action: () => void): () => void {
  const holder = editor as { history?: unknown };
  const earlier = Object.getOwnPropertyDescriptor(editor, key);
  let known = holder.history;
  let current = action;
  Object.defineProperty(editor, key, {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (next: () => void) => {
      if (holder.history === known) current = next;
      else known = holder.history;
    },
  });
  return () => {
    Object.defineProperty(editor, key, earlier ?? { configurable: true, writable: true, value: () => {} });
  };
}
