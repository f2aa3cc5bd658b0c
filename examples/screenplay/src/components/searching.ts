// What is looked for in an editor's script, and whether the bar for it is open. Beside the editor, so that the page, the
// bar, the menu and keys need not pass it to each other.
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { type DecoratedRange, Editor, type NodeEntry, Path, Range } from "slate";
import { Finder, rangeOf, type Wanted } from "../script/find.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { isBlock } from "../script/types.ts";

interface Search {
  open: "find" | "replace" | null;
  /** Counts how often it was asked for: whoever asks again wants to type into it. */
  asked: number;
  finder: Finder;
  /** What is to be put in its place. */
  words: string;
}

const NOTHING: Wanted = { text: "", matchCase: false, wholeWords: false };
/** What is selected is looked for, if it is no longer than this. */
const MOST_TAKEN = 60;

class Searching {
  private current: Search = { open: null, asked: 0, finder: new Finder(NOTHING), words: "" };
  private readonly listeners = new Set<() => void>();

  constructor(private readonly editor: ScriptEditor) {}

  readonly get = (): Search => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  open(what: "find" | "replace"): void {
    const { asked, finder } = this.current;
    const text = this.selected() ?? finder.wanted.text;
    this.set({
      ...this.current,
      open: what,
      asked: asked + 1,
      finder: text === finder.wanted.text ? finder : new Finder({ ...finder.wanted, text }),
    });
  }

  look(changes: Partial<Wanted>): void {
    this.set({ ...this.current, finder: new Finder({ ...this.current.finder.wanted, ...changes }) });
  }

  replaceBy(words: string): void {
    this.set({ ...this.current, words });
  }

  close(): void {
    this.set({ ...this.current, open: null });
  }

  private selected(): string | null {
    const { selection } = this.editor;
    if (!selection || Range.isCollapsed(selection)) return null;
    if (!Path.equals(Path.parent(selection.anchor.path), Path.parent(selection.focus.path))) return null;
    const text = Editor.string(this.editor, selection);
    return text.length > MOST_TAKEN || text.trim() === "" ? null : text;
  }

  private set(search: Search): void {
    this.current = search;
    for (const listener of [...this.listeners]) listener();
  }
}

const searches = new WeakMap<ScriptEditor, Searching>();

export function searchIn(editor: ScriptEditor): Searching {
  let search = searches.get(editor);
  if (!search) {
    search = new Searching(editor);
    searches.set(editor, search);
  }
  return search;
}

export function useSearch(editor: ScriptEditor): Search {
  const search = searchIn(editor);
  return useSyncExternalStore(search.subscribe, search.get);
}

type Decorate = (entry: NodeEntry) => DecoratedRange[];

/** Marks what is found. A block is looked at when it is drawn: what stands there is what is marked, whoever wrote it. */
export function useFoundMarks(editor: ScriptEditor, others: Decorate | undefined): Decorate | undefined {
  const { open, finder } = useSearch(editor);
  const marks = open !== null && finder.wanted.text !== "" ? finder : null;
  const decorate = useCallback(
    ([node, path]: NodeEntry) => {
      const ranges = others?.([node, path]) ?? [];
      if (!isBlock(node)) return ranges;
      const found = marks?.in(node) ?? [];
      return [
        ...ranges,
        ...found.map(([start, end]) => ({ ...rangeOf({ path, block: node, start, end }), found: start })),
      ];
    },
    [marks, others],
  );
  return useMemo(() => (marks ? decorate : others), [marks, decorate, others]);
}
