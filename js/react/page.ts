// The page that shows an editor, as far as remote changes depend on it: whether `<Slate>` and `<Editable>` are rendered
// and listen, and where the user has just put the selection.
import { type Point, Range, Transforms } from "slate";
import { ReactEditor } from "slate-react";
import type { EditorPage } from "../slate/binding.js";
import { isText, nodeAt } from "../slate/neutral.js";

/** How often to look for a page that is not there yet, and how long changes wait for it at most, in ms. */
const EVERY = 16;
const LONGEST = 1_000;

/**
 * React may render a page in pieces, in a transition or behind Suspense, and each piece reads the editor. So changes
 * wait until the page is there and `<Slate>` has subscribed. They wait no longer than a second, for the editor may have
 * no page at all. After that the editor gets them, and React renders again what it had begun.
 */
export class ReactPage implements EditorPage {
  readonly #editor: ReactEditor;
  readonly #release: () => void;
  readonly #again: () => void;
  /** `<Slate>` has subscribed to this `<Editable>`'s editor. */
  #listening: HTMLElement | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Changes wait, and since when. */
  #waiting = false;
  #since = 0;
  /** The user has moved the selection, and Slate has not heard of it. */
  #moved = false;
  #document: Document | null = null;

  /** `release`: gives the editor what has waited. `again`: renders the component that renders `<Slate>` again. */
  constructor(editor: ReactEditor, release: () => void, again: () => void) {
    this.#editor = editor;
    this.#release = release;
    this.#again = again;
  }

  isReady(): boolean {
    return this.#listening?.isConnected === true || !isOfReact(this.#editor);
  }

  waits(): void {
    if (!this.#waiting) this.#since = Date.now();
    this.#waiting = true;
    this.#timer ??= setTimeout(this.#look, EVERY);
  }

  /** To be called in an effect of the component that renders `<Slate>`: its children's effects have run by then. */
  settle(): void {
    const element = elementOf(this.#editor);
    if (element === null || (element === this.#listening && !this.#waiting)) return;
    this.#listening = element;
    this.#follow(element.ownerDocument);
    this.#stop();
    this.#release();
  }

  close(): void {
    this.#stop();
    this.#follow(null);
  }

  readonly #look = (): void => {
    this.#timer = null;
    // Before the effect of that rendering React runs all effects that are due; `<Slate>` subscribes in one of them.
    if (elementOf(this.#editor) !== null) this.#again();
    else if (Date.now() - this.#since < LONGEST) this.#timer = setTimeout(this.#look, EVERY);
    else {
      this.#waiting = false;
      this.#release();
      this.#again();
    }
  };

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting = false;
  }

  // --- the selection

  /**
   * Slate takes the user's selection from the page up to a tenth of a second late. A change that is applied meanwhile
   * would be rendered with the selection before, and the one that the user has just made would be lost.
   */
  select(): void {
    if (!this.#moved) return;
    this.#moved = false;
    const editor = this.#editor;
    const root = this.#listening === null ? null : ReactEditor.findDocumentOrShadowRoot(editor);
    const dom = root === null ? null : selectionIn(root);
    if (dom === null || !ReactEditor.isFocused(editor) || ReactEditor.isComposing(editor)) return;
    if (!this.#holds(dom.anchorNode) || !this.#holds(dom.focusNode)) return;
    const range = ReactEditor.toSlateRange(editor, dom, { exactMatch: false, suppressThrow: true });
    if (range === null || (editor.selection !== null && Range.equals(range, editor.selection))) return;
    if (this.#isRendered(range.anchor) && this.#isRendered(range.focus)) Transforms.select(editor, range);
  }

  heard(): void {
    this.#moved = false;
  }

  #follow(document: Document | null): void {
    if (this.#document === document) return;
    this.#document?.removeEventListener("selectionchange", this.#onSelection);
    document?.addEventListener("selectionchange", this.#onSelection);
    this.#document = document;
  }

  readonly #onSelection = (): void => {
    this.#moved = true;
  };

  #holds(node: globalThis.Node | null): boolean {
    return node !== null && this.#listening?.contains(node) === true;
  }

  /** Whether the page shows the text at this point as it is now. If not, the offset may be wrong. */
  #isRendered({ path, offset }: Point): boolean {
    const node = nodeAt(this.#editor, path);
    if (node === null || !isText(node) || offset > node.text.length) return false;
    try {
      const { textContent } = ReactEditor.toDOMNode(this.#editor, node);
      return node.text === "" || textContent?.replaceAll("\uFEFF", "") === node.text;
    } catch {
      return false;
    }
  }
}

function elementOf(editor: ReactEditor): HTMLElement | null {
  try {
    const element = ReactEditor.toDOMNode(editor, editor);
    return element.isConnected ? element : null;
  } catch {
    return null;
  }
}

/** Chromium has a selection of its own for each shadow root. */
function selectionIn(root: Document | ShadowRoot): Selection | null {
  const own = root as Document & { getSelection?: () => Selection | null };
  return own.getSelection?.() ?? root.ownerDocument?.getSelection() ?? null;
}

/** Whether `withReact` has been applied to the editor. */
const isOfReact = (editor: ReactEditor): boolean => typeof editor.insertFragmentData === "function";
