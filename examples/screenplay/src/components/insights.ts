// What is known about the script as a whole (scenes, pages, words), worked out shortly after each pause in typing (and once
// a second without one), so that a keystroke never waits for it. Blocks and panels subscribe to the part they show.
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore } from "react";
import { continuedCues } from "../script/cues.ts";
import { areLocked, countWords, type SceneEntry, scenesOf } from "../script/outline.ts";
import { type PageBreak, type Pages, Paginator } from "../script/paginate.ts";
import type { ScriptEditor } from "../script/slate.ts";
import type { BlockType, Script } from "../script/types.ts";

export interface Insights {
  scenes: readonly SceneEntry[];
  pages: Pages;
  words: number;
  /** By the ids of their headings. */
  numbers: ReadonlyMap<string, string>;
  /** The ids of cues at which somebody goes on speaking. */
  continued: ReadonlySet<string>;
}

const PAUSE = 120;
/** Who types without a pause is not kept waiting longer than this. */
const PATIENCE = 1_000;

export class InsightStore {
  private listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Since when what is known is not the newest. */
  private since: number | null = null;
  private readonly paginator = new Paginator();
  private current: Insights;

  constructor(private readonly editor: ScriptEditor) {
    this.current = this.look();
  }

  readonly get = (): Insights => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** To be called after each change. */
  readonly changed = (): void => {
    clearTimeout(this.timer);
    const now = performance.now();
    this.since ??= now;
    this.timer = setTimeout(this.refresh, Math.max(0, Math.min(PAUSE, this.since + PATIENCE - now)));
  };

  readonly refresh = (): void => {
    this.since = null;
    this.current = this.look();
    for (const listener of [...this.listeners]) listener();
  };

  stop(): void {
    clearTimeout(this.timer);
  }

  private look(): Insights {
    const script = this.editor.children as Script;
    const scenes = scenesOf(script);
    return {
      scenes: sameScenes(scenes, this.current?.scenes) ? this.current.scenes : scenes,
      pages: this.paginator.update(script),
      words: countWords(script),
      numbers: new Map(scenes.map(({ id, number }) => [id, number])),
      continued: continuedCues(script),
    };
  }
}

function sameScenes(a: readonly SceneEntry[], b: readonly SceneEntry[] | undefined): boolean {
  const parts = ["id", "index", "number", "title", "locked", "omitted"] as const;
  const same = (scene: SceneEntry, n: number) => parts.every((part) => scene[part] === b?.[n]?.[part]);
  return a.length === b?.length && a.every(same);
}

export const InsightContext = createContext<InsightStore | null>(null);

export function useInsightStore(editor: ScriptEditor): InsightStore {
  const store = useMemo(() => new InsightStore(editor), [editor]);
  useEffect(() => () => store.stop(), [store]);
  return store;
}

function useStore(): InsightStore {
  const store = useContext(InsightContext);
  if (!store) throw new Error("outside of the screenplay editor");
  return store;
}

/** One of them: what does not change renders nothing. */
export function useInsight<K extends keyof Insights>(name: K): Insights[K] {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => store.get()[name]);
}

/** Where pages begin in this block, or above it. The same array until one of them moves. */
export function usePageBreaks(id: string): readonly PageBreak[] | undefined {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => store.get().pages.breaks.get(id));
}

/** What stands at the top of the first page: the revision, and its number where other pages have gone to it. */
export function useFirstPage(header: (revision: number | undefined) => string): string {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => {
    const { labels, firstRevision } = store.get().pages;
    const shown = labels?.[0]?.shown ?? "1";
    return [header(firstRevision), shown === "1" ? "" : `${shown}.`].filter((part) => part !== "").join(" · ");
  });
}

/** Whether scenes have numbers of their own, which are shown in any case. */
export function useLockedNumbers(): boolean {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => areLocked(store.get().scenes));
}

/** What is shown beside a block's text: a scene's number, or that somebody goes on speaking. */
export function useAddition(id: string, type: BlockType): string | undefined {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => {
    if (type === "scene_heading") return store.get().numbers.get(id);
    return type === "character" && store.get().continued.has(id) ? "(CONT’D)" : undefined;
  });
}
