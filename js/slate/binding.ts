// One editor bound to a document. Tells three kinds of operations apart: those of its user, those that come from the
// document, and those that its normalizers make afterwards.
//
// Invariants: every operation of the editor reaches the hub exactly once and in the order of application, except those
// that came from the document (no echo). `children` changes by operations only: another value assigned to it is taken
// back. With one exception: where the document is empty, the view's empty block stays. It is written to the document
// with the first edit that is made in it. An error in a remote change never reaches the page: the editor is mended.
import { type Descendant, Editor, type Operation, Path, type Range } from "slate";
import type { Collab } from "../index.js";
import { equal } from "../json.js";
import { applyAll } from "./batch.js";
import { Blank, isBlank } from "./blank.js";
import { Gate, type Verdict } from "./gate.js";
import { isElement, isText } from "./neutral.js";
import { NewOperations } from "./new-operations.js";
import { Patched } from "./patched.js";
import { quietly, withoutHistory } from "./quiet.js";

/** What a binding tells the hub it belongs to. */
export interface BindingOwner {
  readonly collab: Collab;
  /** The document's value now. */
  value(): Editor["children"];
  /**
   * Few operations that lead from one value to another. `null`: there is no engine, or no document can have a value.
   */
  difference(from: Editor["children"], to: Editor["children"]): Operation[] | null;
  /** Operations the editor has just applied by itself. */
  local(from: Binding, operations: readonly Operation[], normalization: boolean): void;
  selection(from: Binding): void;
  mended(from: Binding, reason: string): void;
}

/** The page that shows an editor. */
export interface EditorPage {
  /** Whether changes from the document may be applied: the page is not rendering anything that reads the editor. */
  isReady(): boolean;
  /** A change has come and waits, until the page releases it. */
  waits(): void;
  /** Called before a change is applied: gives the editor the user's selection, if it has moved unnoticed. */
  select(): void;
  /** The user does something in the editor. */
  heard(): void;
}

/** Whose operations the editor is applying. */
type Applying = "local" | "remote" | "normalize";

/** What a plugin has done while a batch was applied. */
interface Interference {
  /** It has made operations of its own. */
  foreign: boolean;
  /** It has changed operations of the batch. */
  altered: boolean;
}

export class Binding {
  readonly editor: Editor;
  readonly gate: Gate;
  readonly cursors: boolean;
  /** How often the editor differed from the document and was mended. */
  divergences = 0;
  readonly #parent: BindingOwner;
  readonly #patched: Patched;
  readonly #applied: NewOperations;
  readonly #blank = new Blank();
  /** The value that the operations so far have led to. */
  #known: Editor["children"];
  #mode: Applying = "local";
  #depth = 0;
  #plugin: Interference = { foreign: false, altered: false };
  /** What the user does now goes into no undo step. */
  #unsaved = false;
  /** Batches that have come while the page is being rendered. */
  #held: (readonly Operation[])[] | null = null;
  #page: EditorPage | null = null;

  constructor(editor: Editor, parent: BindingOwner, cursors: boolean) {
    this.editor = editor;
    this.cursors = cursors;
    this.#parent = parent;
    this.#applied = new NewOperations(editor);
    this.#known = editor.children;
    this.gate = new Gate(editor, parent.collab, (verdict) => this.normalize(verdict));
    // After a change Slate forgets the operations of a tick. Those of a plugin that holds an older `apply` are seen only
    // before that.
    this.#patched = new Patched(
      editor,
      (op) => this.#apply(op),
      () => this.#drain(),
    );
  }

  /** What the editor has of the document. */
  get children(): Editor["children"] {
    return this.#blank.isShown ? [] : this.editor.children;
  }

  /** The editor shows the document; its own value never wins. */
  open(value: Editor["children"]): void {
    const { editor } = this;
    const before = editor.operations.length;
    this.#replace(value);
    this.#run("normalize", () => this.gate.spacers(withInlines(editor)));
    // Operations announce themselves in a microtask; without any, the new value must be announced here.
    if (editor.operations.length === before) editor.onChange();
    // Later, for the same task may still assign to the editor: `<Slate initialValue>` does.
    setTimeout(() => this.verify());
  }

  close(): void {
    if (!this.#patched.isActive) return;
    this.#patched.restore();
    this.gate.close();
  }

  /** Takes back a value that was assigned to `children`. An equal one is fine, another would wipe the document. */
  verify(): void {
    const { editor } = this;
    if (!this.#patched.isActive || editor.children === this.#known) return;
    if (equal(editor.children, this.#known)) this.#known = editor.children;
    else if (this.#known.length === 0 && isBlank(editor.children)) {
      this.#blank.block = editor.children[0]!;
      this.#blank.isShown = true;
      this.#known = editor.children;
    } else {
      this.#replace(this.#known);
      editor.onChange();
      console.warn(
        "slate-yrs: a value was assigned to editor.children of a bound editor, and taken back: the value is the " +
          "document's. Change it by transforms; give <Slate> `editor.children` as its initial value.",
      );
    }
  }

  /**
   * From now on batches wait, for the page is being rendered: React may have rendered a part of the value, and
   * `<Slate>` does not listen yet.
   */
  hold(): void {
    this.#held = [];
  }

  /**
   * From now on batches wait while this page is not ready. Where the document is empty the editor gets an empty block
   * to type in: slate-react before 0.131 shows none, and what is typed there reaches no document.
   */
  showOn(page: EditorPage): void {
    this.#page = page;
    if (this.editor.children.length > 0) return;
    this.#blank.block = { children: [{ text: "" }] } as Descendant;
    this.#showBlank(false);
  }

  /** Applies the batches that have waited. Returns whether there were any. */
  release(): boolean {
    const held = this.#held;
    this.#held = null;
    for (const operations of held ?? []) this.#take(operations);
    return held !== null && held.length > 0;
  }

  /** Runs `edit`; what it changes goes into no undo step. */
  withoutSaving(edit: () => void): void {
    this.#catchUp();
    const before = this.#unsaved;
    this.#unsaved = true;
    try {
      edit();
    } finally {
      this.#drain();
      this.#unsaved = before;
    }
  }

  /** Applies a batch that came from the document. Normalizing is a step of its own: see {@link normalize}. */
  receive(operations: readonly Operation[]): void {
    if (this.#held === null && this.#page?.isReady() === false) this.#held = [];
    if (this.#held !== null) {
      this.#held.push(operations);
      this.#page?.waits();
      return;
    }
    this.#page?.select();
    this.#take(operations);
  }

  #take(operations: readonly Operation[]): void {
    let failure: unknown = null;
    this.#plugin = { foreign: false, altered: false };
    this.#catchUp();
    const writing = this.editor.selection !== null;
    this.#withdrawBlank();
    quietly(this.editor, () => {
      try {
        this.#run("remote", () => applyAll(this.editor, operations));
      } catch (error) {
        failure = error;
      }
    });
    this.#showBlank(writing);
    if (failure !== null) this.mend(`a remote change could not be applied: ${String(failure)}`);
    else if (this.#plugin.foreign) this.#adopt();
    else if (this.#plugin.altered) this.#align();
  }

  /** Runs the normalizers on what a batch has made dirty. Held back inside the caller's own `withoutNormalizing`. */
  normalize(verdict: Verdict): void {
    if (!this.#patched.isActive || this.#held !== null || !Editor.isNormalizing(this.editor)) return;
    try {
      withoutHistory(this.editor, () => this.#run("normalize", () => this.gate.normalize(verdict)));
    } catch (error) {
      // A normalizer of the application failed. The view is still the document's: nothing to mend.
      console.error("slate-yrs: a normalizer failed after a remote change", error);
    }
  }

  /** Takes back what a plugin has made of a batch. */
  #align(): void {
    const value = this.#documentValue();
    if (value !== null) this.#lead(value);
  }

  /**
   * Leads the editor to `value` by few operations; if they fail, the value is assigned. Returns whether it differed.
   */
  #lead(value: Editor["children"]): boolean {
    const { editor } = this;
    this.#known = editor.children;
    if (equal(editor.children, value)) return false;
    const operations = this.#parent.difference(editor.children, value) ?? [];
    try {
      quietly(editor, () => this.#run("remote", () => applyAll(editor, operations)));
    } catch {
      // Then the value is assigned, below.
    }
    if (!equal(editor.children, value)) {
      this.#replace(value);
      editor.onChange();
    }
    return true;
  }

  /** Compares with the document and changes what differs, as little as possible. Returns whether anything did. */
  mend(reason: string): boolean {
    this.release();
    const value = this.#documentValue();
    if (value === null || (this.#blank.isShown && value.length === 0)) return false;
    this.#withdrawBlank();
    if (!this.#lead(value)) return false;
    this.#showBlank(false);
    this.gate.discard();
    this.#parent.mended(this, reason);
    return true;
  }

  /** `null`: the document is closed, or its engine is being started again, and asks for a comparison afterwards. */
  #documentValue(): Editor["children"] | null {
    try {
      return this.#parent.value();
    } catch {
      return null;
    }
  }

  /** Forgets what is dirty, for another editor on this document has normalized it. */
  discard(): void {
    if (Editor.isNormalizing(this.editor)) this.gate.discard();
  }

  #apply(op: Operation): void {
    const outermost = this.#depth === 0;
    // If the user writes before the page is there, the batches that wait are applied first.
    if (outermost && this.#mode === "local") {
      if (this.#held !== null) this.release();
      this.#page?.heard();
    }
    if (outermost) this.#catchUp();
    else this.#drain();
    if (this.#mode !== "remote") this.gate.check(op);
    else if (!outermost && op.type !== "set_selection") this.#plugin.foreign = true;
    this.#depth++;
    try {
      this.#patched.original(op);
      if (outermost && this.#mode === "remote") this.#insist(op);
    } finally {
      this.#depth--;
      this.#drain();
    }
    if (op.type === "set_selection" && this.#mode === "local") this.#parent.selection(this);
  }

  /**
   * A plugin may have changed an operation of the batch before it was applied: Plate gives the second half of every
   * block that is split a fresh id, also where the document has given it one. The document's counts.
   */
  #insist(op: Operation): void {
    const done = this.editor.operations.at(-1);
    if (done === undefined || done === op || op.type === "set_selection" || equal(done, op)) return;
    if (op.type !== "split_node" || done.type !== "split_node" || !Path.equals(op.path, done.path))
      this.#plugin.altered = true;
    else {
      const [properties, newProperties] = [done.properties, op.properties];
      this.#patched.original({ type: "set_node", path: Path.next(op.path), properties, newProperties });
    }
  }

  /** Reports the operations applied since the last look. `editor.operations` has the order in which they took effect. */
  #drain(): void {
    const applied = this.#applied.next();
    if (applied === null) return;
    this.#known = this.editor.children;
    if (this.#mode === "remote") return;
    const changes = applied.filter((op) => op.type !== "set_selection");
    if (changes.length > 0 && this.#blank.isShown) {
      this.#blank.isShown = false;
      changes.unshift({ type: "insert_node", path: [0], node: this.#blank.block! });
    }
    if (changes.length > 0) this.#parent.local(this, changes, this.#unsaved || this.#mode === "normalize");
  }

  /** Finds what bypassed `apply`: operations of a plugin that holds an older `apply`, or a value that was assigned. */
  #catchUp(): void {
    this.#drain();
    this.verify();
  }

  /** Takes the empty block away: before the document's first content comes, or a comparison with the document. */
  #withdrawBlank(): void {
    if (!this.#blank.isShown) return;
    this.#blank.isShown = false;
    this.#replace([]);
  }

  /** Shows the empty block again when everything is gone, as after the user has undone their first words. */
  #showBlank(withCaret: boolean): void {
    const { block } = this.#blank;
    if (block === null || this.editor.children.length > 0) return;
    this.#blank.isShown = true;
    this.#replace([block]);
    const start = { path: [0, 0], offset: 0 };
    if (withCaret) this.editor.selection = { anchor: start, focus: start };
  }

  #replace(value: Editor["children"]): void {
    const { editor } = this;
    editor.children = value;
    this.#known = value;
    if (editor.selection && !isIn(editor, editor.selection)) editor.selection = null;
  }

  /**
   * A plugin has made operations of its own while a batch was applied. They count as the user's: the document gets
   * them.
   */
  #adopt(): void {
    const value = this.#documentValue();
    if (value === null || equal(value, this.editor.children)) return;
    const operations = this.#parent.difference(value, this.editor.children);
    if (operations === null) this.mend("a plugin has written what can be in no document");
    else if (operations.length > 0) this.#parent.local(this, operations, false);
  }

  #run(mode: Applying, body: () => void): void {
    const outer = this.#mode;
    this.#drain();
    this.#mode = mode;
    try {
      body();
    } finally {
      this.#mode = outer;
    }
  }
}

/** Whether both ends of a selection are positions in the editor's value. */
export function isIn(editor: Editor, range: Range): boolean {
  return [range.anchor, range.focus].every(({ path, offset }) => {
    if (!Editor.hasPath(editor, path)) return false;
    const [node] = Editor.node(editor, path);
    return isText(node) && offset <= node.text.length;
  });
}

/** The nodes in which Slate wants spacers: those that have inlines among their children. */
function withInlines(editor: Editor): Path[] {
  const found: Path[] = [];
  const visit = (children: Editor["children"], path: Path): void => {
    let inlines = false;
    children.forEach((child, index) => {
      if (!isElement(child)) return;
      if (editor.isInline(child)) inlines = true;
      visit(child.children, [...path, index]);
    });
    if (inlines && path.length > 0) found.push(path);
  };
  visit(editor.children, []);
  return found;
}
