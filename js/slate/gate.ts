// What an editor's normalizers may do after a change that its user did not make. Every client sees the change, and
// every client's normalizers want to act on it; if each wrote, a trailing paragraph would come once per client.
//
// Invariants: operations that the document does not see (spacers) are always allowed. All others are written by one
// client: the one with the lowest id among those online, whether the application shows that client or not. The others
// leave the node as it is, and run its normalizers again after each change. If nothing comes for a while (the client
// with the lowest id has another version, or hangs), the next in line writes. Opening writes nothing. Where the user
// may only read, normalizers write nothing, whoever has called them.
import { Editor, Node, type NodeEntry, type Operation, Path, type PathRef } from "slate";
import { handleOf } from "../engine.js";
import type { Collab } from "../index.js";
import { isNeutral } from "./neutral.js";

/**
 * What becomes of a normalizer's operations that would change the document. `defer`: another client writes them, or
 * this one does later.
 */
export type Verdict = "write" | "defer" | "drop";

/** How long each client waits for those before it in line, in ms. */
const PATIENCE = 1_500;

/** Thrown out of a normalizer at its first operation that must not happen. Never leaves this file. */
const HELD = Symbol("held");

type NormalizeNode = Editor["normalizeNode"];

/** Decides by what is known of the document and its clients alone, so that all clients decide alike. */
export function verdictOf(collab: Collab, origin: "local" | "remote" | "undo" | "store"): Verdict {
  if (origin === "undo" || origin === "local") return "write";
  const { connection, synced, readOnly } = collab.status;
  if (readOnly || origin === "store") return "drop";
  if (!synced && (connection === "connecting" || connection === "online")) return "drop";
  return rank(collab) === 0 ? "write" : "defer";
}

/** How many of the others write before this client does. */
const rank = (collab: Collab): number => handleOf(collab).rank();

export class Gate {
  readonly #editor: Editor;
  readonly #collab: Collab;
  /** Runs the normalizers as after a remote change, with this verdict. */
  readonly #again: (verdict: Verdict) => void;
  #inner: NormalizeNode | null = null;
  #verdict: Verdict | null = null;
  #holding = false;
  /** The refs there were when the normalizers began. */
  #refs: Set<Ref> | null = null;
  #deferred: PathRef[] = [];
  /** Nodes whose normalizer was stopped. Forgotten as soon as anything but such a normalizer changes the value. */
  #stopped: PathRef[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #reader = false;

  constructor(editor: Editor, collab: Collab, again: (verdict: Verdict) => void) {
    this.#editor = editor;
    this.#collab = collab;
    this.#again = again;
  }

  /** Called for each operation before it is applied; does not return if the operation must not happen. */
  check(op: Operation): void {
    if (!this.#holding) this.#forget();
    else if (!isNeutral(this.#editor, op)) throw HELD;
  }

  /** Normalizes what is dirty and what was deferred. */
  normalize(verdict: Verdict): void {
    const waiting = this.#deferred;
    this.#deferred = [];
    this.#pass(verdict, () => {
      Editor.normalize(this.#editor);
      for (const ref of waiting) this.#retry(ref.unref());
    });
  }

  /** Runs the normalizers on some nodes, whatever is dirty. Only what the document cannot see gets through. */
  spacers(paths: readonly Path[]): void {
    this.#pass("drop", () => {
      // From the last to the first: what happens in one node does not move those before it.
      for (const path of [...paths].reverse()) this.#retry(path);
    });
  }

  /** Forgets what is dirty: somebody else has normalized it. */
  discard(): void {
    const inner = this.#editor.normalizeNode;
    this.#editor.normalizeNode = () => {};
    try {
      Editor.normalize(this.#editor);
    } finally {
      this.#editor.normalizeNode = inner;
    }
  }

  /** `only`: the user may only read. Then the guard stays installed. */
  read(only: boolean): void {
    if (only === this.#reader) return;
    this.#reader = only;
    if (only) this.#install();
    else this.#settle();
  }

  close(): void {
    this.#reader = false;
    for (const ref of this.#deferred) ref.unref();
    this.#deferred = [];
    this.#forget();
    this.#settle();
  }

  #pass(verdict: Verdict, body: () => void): void {
    this.#forget();
    this.#verdict = verdict;
    this.#install();
    try {
      body();
    } finally {
      this.#verdict = null;
      this.#refs = null;
      this.#forget();
      this.#settle();
    }
  }

  #retry(path: Path | null): void {
    if (path === null || !Node.has(this.#editor, path)) return;
    Editor.withoutNormalizing(this.#editor, () => {
      this.#editor.normalizeNode([Node.get(this.#editor, path), path] as NodeEntry);
    });
  }

  /** Takes the place of `normalizeNode`, also if a plugin has wrapped it since, for as long as it is needed. */
  #install(): void {
    if (this.#inner !== null) return;
    this.#inner = this.#editor.normalizeNode;
    this.#editor.normalizeNode = this.#guarded;
  }

  #settle(): void {
    const waiting = this.#deferred.length > 0;
    if (!waiting && !this.#reader && this.#inner !== null) {
      if (this.#editor.normalizeNode === this.#guarded) this.#editor.normalizeNode = this.#inner;
      this.#inner = null;
    }
    if (!waiting && this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    if (waiting && this.#timer === null) this.#timer = setTimeout(this.#overdue, PATIENCE * rank(this.#collab));
  }

  readonly #overdue = (): void => {
    this.#timer = null;
    if (this.#deferred.length > 0) this.#again(this.#collab.status.readOnly ? "drop" : "write");
  };

  readonly #guarded: NormalizeNode = (entry, options) => {
    const inner = this.#inner;
    if (inner === null) return;
    // While the user types, only normalizers of nodes that were deferred are stopped.
    const verdict = this.#verdict ?? this.#unasked(entry[1]);
    if (verdict === "write" || this.#holding) return inner(entry, options);
    // Before it was stopped the normalizer may have made spacers, which made the node dirty again: that would never
    // end.
    if (isAt(this.#stopped, entry[1])) return;
    this.#refs ??= new Set(allRefs(this.#editor));
    this.#holding = true;
    try {
      inner(entry, options);
    } catch (error) {
      if (error !== HELD) throw error;
      this.#release(this.#refs);
      this.#stopped.push(this.#ref(entry[1]));
      if (verdict === "defer" && !isAt(this.#deferred, entry[1])) this.#deferred.push(this.#ref(entry[1]));
    } finally {
      this.#holding = false;
      if (this.#verdict === null) this.#refs = null;
    }
  };

  /** The verdict outside of {@link normalize}: when the user types, or the application normalizes. */
  #unasked(path: Path): Verdict {
    if (this.#reader) return "drop";
    return isAt(this.#deferred, path) ? "defer" : "write";
  }

  /** A ref that {@link #release} does not remove. */
  #ref(path: Path): PathRef {
    const ref = Editor.pathRef(this.#editor, path);
    this.#refs?.add(ref);
    return ref;
  }

  #forget(): void {
    for (const ref of this.#stopped) ref.unref();
    this.#stopped = [];
  }

  /** An interrupted transform leaves its refs behind, and every later operation would transform them: removes them. */
  #release(kept: ReadonlySet<Ref>): void {
    for (const ref of allRefs(this.#editor)) if (!kept.has(ref)) ref.unref();
  }
}

const isAt = (refs: readonly PathRef[], path: Path): boolean =>
  refs.some(({ current }) => current !== null && Path.equals(current, path));

interface Ref {
  unref(): unknown;
}

function allRefs(editor: Editor): Ref[] {
  return [...Editor.pathRefs(editor), ...Editor.pointRefs(editor), ...Editor.rangeRefs(editor)];
}
