// The editors of one document on this page: usually one, but a preview or a split view makes two. They share one
// subscription to the engine, so that a batch has reached every editor before the first of them normalizes.
//
// Invariants: the first editor normalizes for all; what one editor does is in the others before its `apply` returns.
import { type BaseEditor, type Descendant, type Editor, type Element, type Operation, Range, Transforms } from "slate";
import { type EngineHandle, handleOf } from "../engine.js";
import { soon } from "../events.js";
import type { Collab } from "../index.js";
import { equal } from "../json.js";
import type { Origin } from "../types.js";
import { type Binding, type BindingOwner, type EditorPage, isIn } from "./binding.js";
import { watchComposing } from "./composing.js";
import { verdictOf } from "./gate.js";

const hubs = new WeakMap<Collab, Hub>();

/** The hub of a document, made when its first editor is bound. */
export function hubOf(collab: Collab): Hub {
  const existing = hubs.get(collab);
  if (existing !== undefined) return existing;
  const hub = new Hub(collab);
  hubs.set(collab, hub);
  return hub;
}

export class Hub implements BindingOwner {
  readonly collab: Collab;
  readonly #engine: EngineHandle;
  readonly #bindings: Binding[] = [];
  #subscriptions: (() => void)[] = [];
  /** The editor the user was last in: whose selection peers see, and undo restores. */
  #active: Binding | null = null;
  #shared: Range | null = null;
  #announced = false;
  /** The selection has to be announced again although its paths are the same: a node in it may be a copy by now. */
  #stale = false;
  /** Editors that have not received the current batch yet. */
  #waiting: ReadonlySet<Binding> = new Set();
  /** Operations that the other editors have added by themselves. */
  #made: Operation[] = [];
  #mending = false;

  constructor(collab: Collab) {
    this.collab = collab;
    this.#engine = handleOf(collab);
  }

  /** The first editor says which elements are inline and void. */
  schema(editor: Editor): void {
    if (this.#bindings.length > 0) return;
    this.#engine.schema((type) => {
      const element = { type, children: [{ text: "" }] } as Element;
      return (editor.isInline(element) ? 1 : 0) + (editor.isVoid(element) ? 2 : 0);
    });
  }

  /** The document's value, with what other editors have just done. Throws if the document is closed. */
  value(): Descendant[] {
    this.#engine.flush();
    return this.collab.value();
  }

  difference(from: Descendant[], to: Descendant[]): Operation[] | null {
    return this.#engine.difference(from, to);
  }

  add(binding: Binding, value: Descendant[]): void {
    if (this.#bindings.length === 0) {
      this.#subscriptions = [
        this.#engine.onOperations((operations, origin) => this.#receive(operations, origin)),
        this.#engine.onSelect((range) => this.#select(range)),
        this.#engine.onDiverged(() => this.#mendSoon()),
        this.#engine.onCompare((blocks) => this.#compareSoon(blocks)),
        this.collab.on("status", ({ readOnly }) => this.#read(readOnly)),
        watchComposing((begins) => this.#engine.composing(begins)),
      ];
    }
    this.#bindings.push(binding);
    binding.gate.read(this.collab.status.readOnly);
    binding.open(value);
  }

  /** Takes back values that were assigned to the editors' `children`. */
  verify(): void {
    for (const binding of this.#bindings) binding.verify();
  }

  /** Batches for this editor wait until {@link release}: its page is being rendered. */
  hold(editor: BaseEditor): void {
    this.#of(editor)?.hold();
  }

  /** Runs `edit`; what it does with this editor goes into no undo step. */
  withoutSaving(editor: BaseEditor, edit: () => void): void {
    const binding = this.#of(editor);
    if (binding === undefined) edit();
    else binding.withoutSaving(edit);
  }

  /** From now on batches for this editor wait while the page that shows it is not ready. */
  showOn(editor: BaseEditor, page: EditorPage): void {
    this.#of(editor)?.showOn(page);
  }

  release(editor: BaseEditor): void {
    const binding = this.#of(editor);
    if (!binding?.release()) return;
    if (binding === this.#bindings[0]) binding.normalize(verdictOf(this.collab, "remote"));
    else binding.discard();
  }

  #of(editor: BaseEditor): Binding | undefined {
    return this.#bindings.find((binding) => binding.editor === editor);
  }

  #read(only: boolean): void {
    for (const binding of this.#bindings) binding.gate.read(only);
  }

  remove(binding: Binding): void {
    const index = this.#bindings.indexOf(binding);
    if (index < 0) return;
    this.#engine.flush();
    this.#bindings.splice(index, 1);
    binding.close();
    if (this.#active === binding) {
      this.#active = null;
      if (this.#shared !== null) this.#engine.select(null);
      this.#shared = null;
    }
    if (this.#bindings.length > 0) return;
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#subscriptions = [];
  }

  local(from: Binding, operations: readonly Operation[], normalization: boolean): void {
    for (const op of operations) {
      if (normalization) this.#engine.edit(op, { normalization });
      else this.#engine.edit(op);
    }
    if (this.#waiting.size > 0) this.#made.push(...operations);
    for (const other of this.#bindings) {
      if (other !== from && !this.#waiting.has(other)) this.#mirror(other, operations);
    }
    this.#stale ||= operations.some(isStructural);
    if (!normalization) this.selection(from);
  }

  selection(from: Binding): void {
    if (!from.cursors) return;
    this.#active = from;
    if (this.#announced) return;
    this.#announced = true;
    soon(this.#announce);
  }

  mended(from: Binding, reason: string): void {
    from.divergences++;
    this.#engine.report(reason);
  }

  #receive(operations: readonly Operation[], origin: Origin): void {
    if (operations.length === 0) return;
    if (this.#bindings.length === 1) this.#bindings[0]!.receive(operations);
    else this.#receiveAll(operations);
    const bindings = this.#bindings;
    bindings[0]?.normalize(verdictOf(this.collab, origin));
    for (let at = 1; at < bindings.length; at += 1) bindings[at]!.discard();
    this.#follow(operations);
  }

  #receiveAll(operations: readonly Operation[]): void {
    const waiting = new Set(this.#bindings);
    this.#waiting = waiting;
    for (const binding of [...this.#bindings]) {
      waiting.delete(binding);
      binding.receive(this.#made.length > 0 ? [...operations, ...this.#made] : operations);
    }
    this.#made = [];
  }

  #mirror(other: Binding, operations: readonly Operation[]): void {
    other.receive(operations);
    other.discard();
  }

  /** Positions on the wire survive changes of text, but not that the node they are in is replaced by a copy. */
  #follow(operations: readonly Operation[]): void {
    if (this.#shared === null || this.#active === null) return;
    if (operations.some(isStructural)) {
      this.#stale = true;
      this.selection(this.#active);
    } else this.#shared = this.#active.editor.selection;
  }

  readonly #announce = (): void => {
    this.#announced = false;
    this.#share();
  };

  #share(): void {
    if (this.#active === null) return;
    const { selection } = this.#active.editor;
    if (!this.#stale && same(selection, this.#shared)) return;
    this.#stale = false;
    this.#shared = selection;
    this.#engine.select(selection);
  }

  #select(range: Range): void {
    const editor = (this.#active ?? this.#bindings[0])?.editor;
    if (editor === undefined || !isIn(editor, range)) return;
    Transforms.select(editor, range);
  }

  /** Compares later: an editor may still be normalizing a batch, and the document does not have its operations yet. */
  #compareSoon(blocks: Iterable<number>): void {
    queueMicrotask(() => {
      for (const index of blocks) this.#compare(index);
    });
  }

  /** Whether the editors have what the document has at `index`; mends those that do not. */
  #compare(index: number): void {
    const found = this.#bindings.length === 0 ? null : this.#engine.block(index);
    if (found === null) return;
    const { node, count } = found;
    for (const binding of this.#bindings) {
      const { children } = binding;
      if (children.length !== count || !equal(children[index] ?? null, node)) {
        binding.mend("the editor and the document had come apart");
      }
    }
  }

  /** Mends later: the editor is often in the midst of a transform, whose remaining paths would be wrong afterwards. */
  #mendSoon(): void {
    if (this.#mending) return;
    this.#mending = true;
    queueMicrotask(() => {
      this.#mending = false;
      for (const binding of this.#bindings) binding.mend("an operation was refused");
    });
  }
}

/** Whether nodes may have been copied. If they were not, the engine finds that the selection is the same. */
const isStructural = (op: Operation): boolean => op.type !== "insert_text" && op.type !== "remove_text";

function same(a: Range | null, b: Range | null): boolean {
  return a === b || (a !== null && b !== null && Range.equals(a, b));
}
