// What a script of a file, or of an earlier version, has on its own lines, and a document has in its values: read there
// until somebody edits the script, then brought to the values.
import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { Collab, Presence } from "slate-yrs";
import { follow, mayHaveOtherBlocks } from "../hooks/followed.ts";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import type { Script } from "../script/types.ts";

/** What stands on the script's own lines. The same array until that changes; looked for after what may have changed it. */
export function useFromScript<T>(
  editor: BoundEditor | null,
  wanted: boolean,
  read: (script: Script) => readonly T[],
): readonly T[] {
  const lines = useMemo(() => {
    let found: readonly T[] = [];
    const look = () => {
      const now = editor && wanted ? read(editor.children as Script) : [];
      if (JSON.stringify(now) !== JSON.stringify(found)) found = now;
    };
    look();
    const subscribe = (changed: () => void) => {
      // What came between the first look and this.
      look();
      if (!wanted || !editor) return () => {};
      return follow(editor, () => {
        if (!mayHaveOtherBlocks(editor)) return;
        look();
        changed();
      });
    };
    return { get: () => found, subscribe };
  }, [editor, wanted, read]);
  return useSyncExternalStore(lines.subscribe, lines.get, lines.get);
}

/** Brings it to the values when this writer first edits the script. */
export function useMove<P extends Presence, T>(
  collab: Collab<P> | null,
  editor: BoundEditor | null,
  moved: boolean,
  read: (script: Script) => readonly T[],
  bring: (collab: Collab<P>, found: readonly T[]) => void,
): void {
  useEffect(() => {
    if (!collab || !editor || moved) return;
    // As it was before the edit, which may take its line away.
    let found = read(editor.children as Script);
    const unfollow = follow(editor, () => {
      const now = mayHaveOtherBlocks(editor) ? read(editor.children as Script) : [];
      if (now.length > 0) found = now;
    });
    const off = collab.on("change", ({ origin }) => {
      if (origin === "local" && found.length > 0) queueMicrotask(() => bring(collab, found));
    });
    return () => {
      unfollow();
      off();
    };
  }, [collab, editor, moved, read, bring]);
}
