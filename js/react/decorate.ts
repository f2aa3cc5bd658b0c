// Peers' selections as Slate decorations, for editors that render them in their leaves.
import { useCallback, useMemo } from "react";
import { type DecoratedRange, Editor, type Element, type NodeEntry, Path, Range } from "slate";
import { isElement, isText } from "../slate/neutral.js";
import type { CollabEditor } from "../slate.js";
import { fits, type RemotePerson, type RemoteSelection, useRemotePlaces } from "./people.js";

/** A part of a peer's selection, within one block. */
export type CursorDecoration = DecoratedRange & {
  /** Whose it is: `leaf.remoteCursor` in `renderLeaf`. */
  remoteCursor: RemotePerson;
  /** On an empty range: the end of the selection that moves. */
  remoteCaret?: true;
};

/**
 * A `decorate` for `<Editable>`: leaves get `remoteCursor`, and `remoteCaret` where the peer's caret is. Only the
 * blocks that contain somebody's selection are rendered again when it moves. Of {@link RemoteCursors} and this, one is
 * enough.
 *
 * @example
 * const decorate = useDecorateCursors(editor);
 * return <Editable decorate={decorate} renderLeaf={renderLeaf} />;
 */
export function useDecorateCursors(editor: CollabEditor): (entry: NodeEntry) => CursorDecoration[] {
  const selections = useRemotePlaces(editor);
  const starts = useMemo(() => selections.map(({ range }) => Range.edges(range)), [selections]);
  // A new array each time: slate-react puts a place for the marks of what is typed next into the one it gets.
  return useCallback(
    ([node, path]: NodeEntry) => {
      if (selections.length === 0 || path.length === 0 || !isElement(node)) return [];
      const target = editor as unknown as Editor;
      const first = node.children[0];
      const lowest = first !== undefined && (isText(first) || target.isInline(first as Element));
      if (!lowest || target.isInline(node)) return [];
      const found: CursorDecoration[] = [];
      selections.forEach((selection, index) => {
        const [start, end] = starts[index]!;
        if (Path.compare(start.path, path) > 0 || Path.compare(end.path, path) < 0) return;
        if (!fits(editor, selection.range)) return;
        found.push(...within(target, path, selection));
      });
      return found;
    },
    [editor, selections, starts],
  );
}

function within(editor: Editor, path: Path, { person, range }: RemoteSelection): CursorDecoration[] {
  const found: CursorDecoration[] = [];
  const part = Range.intersection(range, Editor.range(editor, path));
  if (part !== null && Range.isExpanded(part)) found.push({ ...part, remoteCursor: person });
  const { focus } = range;
  if (Path.isAncestor(path, focus.path)) {
    found.push({ anchor: focus, focus, remoteCursor: person, remoteCaret: true });
  }
  return found;
}
