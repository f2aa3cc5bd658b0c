// Who wrote what, while it is shown in the page. The server is asked, and again a moment after something has changed; what changed in
// between is shown without colours until it answers.
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { type DecoratedRange, Node, type NodeEntry } from "slate";
import type { Authored, Collab, Presence } from "slate-yrs";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { isBlock } from "../script/types.ts";
import type { Author, AuthorOf } from "./authors.ts";

/** Of a block's words: in which of its texts, from where to where, and whose. */
interface Spot {
  leaf: number;
  from: number;
  to: number;
  author: string | null;
}

interface Shown {
  on: boolean;
  /** Until the first answer is there. */
  asking: boolean;
  problem: string | null;
  /** Whoever wrote something, the one who wrote most first; `null`: nobody knows. */
  authors: readonly (string | null)[];
  /** How each of them is shown. */
  looks: readonly Author[];
  /** By blocks, which are other objects as soon as something in them changes. */
  spots: ReadonlyMap<Node, readonly Spot[]>;
}

const OFF: Shown = { on: false, asking: false, problem: null, authors: [], looks: [], spots: new Map() };
const UNKNOWN: Author = { name: "Nobody knows who", color: "var(--ink-soft)" };
/** After the last change. */
const PAUSE_MS = 1_000;

class Written {
  #shown = OFF;
  readonly #listeners = new Set<() => void>();
  readonly #caretListeners = new Set<() => void>();
  #stop: (() => void) | null = null;

  constructor(private readonly editor: ScriptEditor) {}

  /** Who wrote the words at the caret: their place in the list. */
  readonly atCaret = (): number => {
    const { selection } = this.editor;
    const point = selection?.focus;
    if (!point || !Node.has(this.editor, point.path)) return -1;
    const spots = this.#shown.spots.get(Node.get(this.editor, point.path.slice(0, -1)));
    const leaf = point.path.at(-1);
    const spot = spots?.find((at) => at.leaf === leaf && at.from <= point.offset && point.offset <= at.to);
    return spot ? this.#shown.authors.indexOf(spot.author) : -1;
  };

  /** Names and colours, where these are others than they were. */
  look(authorOf: AuthorOf): void {
    const looks = this.#shown.authors.map((author) => (author === null ? UNKNOWN : authorOf(author)));
    if (JSON.stringify(looks) !== JSON.stringify(this.#shown.looks)) this.#set({ ...this.#shown, looks });
  }

  /** The caret may be elsewhere: said by the editor, which reads the browser's selection a moment later. */
  readonly caretMoved = (): void => {
    for (const listener of [...this.#caretListeners]) listener();
  };

  readonly onCaret = (listener: () => void): (() => void) => {
    this.#caretListeners.add(listener);
    return () => this.#caretListeners.delete(listener);
  };

  readonly get = (): Shown => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  show<P extends Presence>(collab: Collab<P>): void {
    if (this.#shown.on) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let [wanted, asked] = [true, 0];
    const ask = async () => {
      asked += 1;
      const turn = asked;
      const isCurrent = () => wanted && turn === asked;
      try {
        const authored = await collab.authors();
        if (isCurrent()) {
          this.#set({ ...this.#shown, asking: false, problem: null, ...read(this.editor, authored) });
        }
      } catch {
        const problem = "Who wrote what is on the server, which cannot be reached now.";
        if (isCurrent()) this.#set({ ...this.#shown, asking: false, problem });
      }
    };
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), PAUSE_MS);
    };
    const unheard = collab.on("change", later);
    // Back at the server after a while without it.
    const unseen = collab.on("status", ({ synced }) => synced && this.#shown.problem !== null && later());
    this.#stop = () => {
      wanted = false;
      clearTimeout(timer);
      unheard();
      unseen();
    };
    this.#set({ ...OFF, on: true, asking: true });
    void ask();
  }

  hide(): void {
    this.#stop?.();
    this.#stop = null;
    this.#set(OFF);
  }

  #set(shown: Shown): void {
    this.#shown = shown;
    for (const listener of [...this.#listeners]) listener();
  }
}

function read(editor: ScriptEditor, authored: readonly Authored[]): Pick<Shown, "authors" | "spots"> {
  const letters = new Map<string | null, number>();
  const spots = new Map<Node, Spot[]>();
  for (const { range, author } of authored) {
    const { anchor, focus } = range;
    letters.set(author, (letters.get(author) ?? 0) + focus.offset - anchor.offset);
    const block = Node.get(editor, anchor.path.slice(0, -1));
    const spot = { leaf: anchor.path.at(-1) ?? 0, from: anchor.offset, to: focus.offset, author };
    const known = spots.get(block);
    if (known) known.push(spot);
    else spots.set(block, [spot]);
  }
  const authors = [...letters].sort(([, a], [, b]) => b - a).map(([author]) => author);
  return { authors, spots };
}

const all = new WeakMap<ScriptEditor, Written>();

export function writtenIn(editor: ScriptEditor): Written {
  let written = all.get(editor);
  if (!written) {
    written = new Written(editor);
    all.set(editor, written);
  }
  return written;
}

export function useWritten(editor: ScriptEditor | BoundEditor): Shown {
  const written = writtenIn(editor);
  return useSyncExternalStore(written.subscribe, written.get);
}

type Decorate = (entry: NodeEntry) => DecoratedRange[];

/** Says of words in the page whose they are: the leaf has a name `by` and a colour. */
export function useWrittenMarks(editor: ScriptEditor, others: Decorate | undefined): Decorate | undefined {
  const { on, spots, authors, looks } = useWritten(editor);
  const decorate = useCallback(
    ([node, path]: NodeEntry) => {
      const ranges = others?.([node, path]) ?? [];
      if (!isBlock(node)) return ranges;
      const own = (spots.get(node) ?? []).map(({ leaf, from, to, author }) => {
        const look = looks[authors.indexOf(author)];
        const range = { anchor: { path: [...path, leaf], offset: from }, focus: { path: [...path, leaf], offset: to } };
        return { ...range, by: look?.name ?? "", byColor: look?.color ?? "" };
      });
      return [...ranges, ...own];
    },
    [spots, authors, looks, others],
  );
  return useMemo(() => (on ? decorate : others), [on, decorate, others]);
}
