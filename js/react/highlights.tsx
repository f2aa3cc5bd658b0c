// The words that comments are about, as Slate decorations: nothing is written into the text.
import { type ReactElement, type ReactNode, useCallback, useMemo } from "react";
import { type DecoratedRange, Editor, type Element, type NodeEntry, Path, Range } from "slate";
import type { RenderLeafProps } from "slate-react";
import type { Comments, Thread } from "../comments.js";
import { isElement, isText } from "../slate/neutral.js";
import { useThreads } from "./threads.js";

/** Words with comments, within one block. */
export type CommentDecoration = DecoratedRange & {
  /** The ids of the threads: `leaf.commentThreads` in `renderLeaf`. */
  commentThreads: readonly string[];
};

/** Props of {@link CommentHighlights}. */
export interface CommentHighlightsProps {
  comments: Comments | null;
  /** The id of the thread that the reader looks at. */
  active?: string | null;
  /** Somebody has clicked on the words of this thread. */
  onActivate?: (thread: string) => void;
  /** Draws leaves; what it makes stands within the highlight. */
  renderLeaf?: (props: RenderLeafProps) => ReactElement;
  /** The `<Editable>`, with these two. */
  children: (given: {
    decorate: (entry: NodeEntry) => CommentDecoration[];
    renderLeaf: (props: RenderLeafProps) => ReactElement;
  }) => ReactNode;
}

const plainLeaf = ({ attributes, children }: RenderLeafProps): ReactElement => <span {...attributes}>{children}</span>;

/**
 * Marks the words of open threads: `<mark class="slate-yrs-commented">`, with `data-active` where the thread is the active one.
 *
 * @example
 * <CommentHighlights comments={comments} active={active} onActivate={setActive}>
 *   {({ decorate, renderLeaf }) => <Editable decorate={decorate} renderLeaf={renderLeaf} />}
 * </CommentHighlights>
 */
export function CommentHighlights(props: CommentHighlightsProps): ReactElement {
  const { comments, active = null, onActivate, renderLeaf: inner = plainLeaf, children } = props;
  const decorate = useDecorateComments(comments);
  const renderLeaf = useCallback(
    (leaf: RenderLeafProps) => {
      const threads = (leaf.leaf as { commentThreads?: readonly string[] }).commentThreads;
      if (threads === undefined || threads.length === 0) return inner(leaf);
      const isActive = active !== null && threads.includes(active);
      const marked = (
        // biome-ignore lint/a11y/useKeyWithClickEvents: by keyboard the words are found from their thread
        <mark
          className="slate-yrs-commented"
          data-threads={threads.join(" ")}
          data-active={isActive || undefined}
          onClick={() => onActivate?.(threads.at(-1)!)}
        >
          {leaf.children}
        </mark>
      );
      return inner({ ...leaf, children: marked });
    },
    [inner, active, onActivate],
  );
  return <>{children({ decorate, renderLeaf })}</>;
}

/**
 * A `decorate` for `<Editable>` alone: leaves get `commentThreads`.
 *
 * @example
 * const decorate = useDecorateComments(comments);
 * return <Editable decorate={decorate} renderLeaf={renderLeaf} />;
 */
export function useDecorateComments(comments: Comments | null): (entry: NodeEntry) => CommentDecoration[] {
  const threads = useThreads(comments);
  const near = useMemo(() => byBlock(threads), [threads]);
  // A new array each time: slate-react puts a place for the marks of what is typed next into the one it gets.
  return useCallback(
    ([node, path]: NodeEntry) => {
      const open = near(path);
      if (comments === null || open.length === 0 || path.length === 0 || !isElement(node)) return [];
      const editor = comments.editor as unknown as Editor;
      const first = node.children[0];
      const lowest = first !== undefined && (isText(first) || editor.isInline(first as Element));
      if (!lowest || editor.isInline(node)) return [];
      const parts = open.flatMap((thread) => within(editor, path, thread));
      return apart(parts);
    },
    [comments, near],
  );
}

/** Of how many blocks at the top a thread may be, to be known by each of them. */
const MANY_BLOCKS = 64;

/** The open threads that may have words in a block, in their order: each block is asked about, of hundreds of threads. */
function byBlock(threads: readonly Thread[]): (path: Path) => readonly Thread[] {
  const blocks = new Map<number, number[]>();
  const wide: number[] = [];
  for (const [at, { range, resolved }] of threads.entries()) {
    if (range === null || resolved !== null) continue;
    const [start, end] = Range.edges(range);
    const [from = 0, to = 0] = [start.path[0], end.path[0]];
    if (to - from >= MANY_BLOCKS) wide.push(at);
    else for (let block = from; block <= to; block += 1) put(blocks, block, at);
  }
  return ([block = 0]) => {
    const own = blocks.get(block) ?? [];
    const all = wide.length === 0 ? own : [...own, ...wide].sort((a, b) => a - b);
    return all.map((at) => threads[at]!);
  };
}

function put(blocks: Map<number, number[]>, block: number, at: number): void {
  const known = blocks.get(block);
  if (known === undefined) blocks.set(block, [at]);
  else known.push(at);
}

function within(editor: Editor, path: Path, { id, range }: Thread): CommentDecoration[] {
  if (range === null) return [];
  const [start, end] = Range.edges(range);
  if (Path.compare(start.path, path) > 0 || Path.compare(end.path, path) < 0) return [];
  // It may be of a moment ago: the next rendering has the right one.
  if (!Editor.hasPath(editor, start.path) || !Editor.hasPath(editor, end.path)) return [];
  const part = Range.intersection(range, Editor.range(editor, path));
  return part !== null && Range.isExpanded(part) ? [{ ...part, commentThreads: [id] }] : [];
}

/** Words that several threads are about get all of them: Slate would keep the last one's only. */
function apart(parts: CommentDecoration[]): CommentDecoration[] {
  if (parts.length < 2) return parts;
  return parts.map((part, at) => {
    const around = parts.slice(0, at).filter((other) => Range.intersection(other, part) !== null);
    return { ...part, commentThreads: [...around.flatMap((other) => other.commentThreads), ...part.commentThreads] };
  });
}
