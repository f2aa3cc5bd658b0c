// A document without CRDT, network or wasm: a plain Slate value that takes operations in sequence and can play "others".
// For the logic of the bindings only; what the real engine does is tested with the real engine.
import { createEditor, type Descendant, type Editor, type Operation, type Range } from "slate";
import { type EditOptions, type EngineHandle, engine } from "../../js/engine.js";
import { type Collab, CollabError, type Peer, type Presence, type Status } from "../../js/index.js";
import { difference } from "./difference.js";

export const ONLINE: Status = {
  local: false,
  connection: "online",
  transport: "websocket",
  synced: true,
  saved: "server",
  pending: 0,
  setAside: 0,
  storage: "indexeddb",
  offlineSince: null,
  retryAt: null,
  syncingOfflineChanges: false,
  progress: null,
  readOnly: false,
  canComment: true,
  format: 0,
  conflict: null,
  divergences: 0,
  error: null,
};

type Origin = "local" | "remote" | "undo" | "store";

export class Fake {
  readonly id = "fake";
  clientId = 5;
  status: Status = ONLINE;
  peers: readonly Peer<Presence>[] = [];
  /** What arrived through `edit`, in sequence. */
  readonly edits: { op: Operation; normalization: boolean }[] = [];
  readonly selections: (Range | null)[] = [];
  readonly reports: string[] = [];
  readonly calls: string[] = [];
  /** Refuses every edit, as the engine does when an operation does not fit. */
  refuses = false;
  readonly #tree: Editor;
  readonly #listeners = new Map<string, Set<(...values: never[]) => void>>();

  constructor(value: Descendant[]) {
    this.#tree = plain(value);
  }

  readonly [engine]: EngineHandle = {
    edit: (op: Operation, options?: EditOptions) => {
      this.edits.push({ op, normalization: options?.normalization === true });
      if (!this.refuses) this.#tree.apply(structuredClone(op));
    },
    flush: () => {},
    select: (range) => void this.selections.push(range),
    onOperations: (listener) => this.#on("operations", listener),
    onSelect: (listener) => this.#on("select", listener),
    onDiverged: (listener) => this.#on("diverged", listener),
    onCompare: (listener) => this.#on("compare", listener),
    block: (index) => ({ node: this.value()[index] ?? null, count: this.value().length }),
    difference,
    schema: () => {},
    composing: () => {},
    rank: () => this.peers.filter(({ clientId }) => clientId < this.clientId).length,
    report: (message) => void this.reports.push(message),
    anchor: (range) => JSON.stringify(range),
    resolve: (anchor) => JSON.parse(anchor) as Range,
    map: () => {
      throw new Error("it has no maps");
    },
    me: () => ({ id: null, name: "fake" }),
  };

  get collab(): Collab {
    return this as unknown as Collab;
  }

  value(): Descendant[] {
    return structuredClone(this.#tree.children);
  }

  undo(): boolean {
    this.calls.push("undo");
    return true;
  }

  redo(): boolean {
    this.calls.push("redo");
    return true;
  }

  on(event: string, listener: (...values: never[]) => void): () => void {
    return this.#on(event, listener);
  }

  /** Somebody else's change arrives. */
  receive(operations: Operation[], origin: Origin = "remote"): void {
    for (const op of operations) this.#tree.apply(structuredClone(op));
    this.emit("operations", operations, origin);
  }

  /** The document changes, and the editors are not told. */
  lose(operations: Operation[]): void {
    for (const op of operations) this.#tree.apply(structuredClone(op));
  }

  emit(event: string, ...values: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) (listener as (...v: unknown[]) => void)(...values);
  }

  listeners(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  #on(event: string, listener: (...values: never[]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    set.add(listener);
    return () => void set.delete(listener);
  }
}

/** A Slate editor that never normalizes: it holds a value as it is. */
export function plain(value: Descendant[]): Editor {
  const editor = createEditor();
  editor.normalizeNode = () => {};
  editor.children = structuredClone(value);
  return editor;
}

export const peer = (clientId: number, selection: Range | null = null): Peer<Presence> => ({
  clientId,
  presence: { name: `Peer ${clientId}` },
  selection,
  typing: false,
  lastActive: 0,
});

export const block = (text: string, properties: Record<string, unknown> = {}): Descendant =>
  ({ type: "action", ...properties, children: [{ text }] }) as Descendant;

/** The code of the CollabError that this throws. */
export function code(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CollabError) return error.code;
    throw error;
  }
  return "nothing was thrown";
}
