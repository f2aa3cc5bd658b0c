// What a script of a file, or of an earlier version, has on its own lines, and a document has in its values: read there
// until somebody edits the script, then brought to the values.
import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { Operation } from "slate";
import type { Collab, Presence } from "slate-yrs";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import type { Script } from "../script/types.ts";

/** Whether blocks may have come, gone or got other properties: keys do none of it. */
const isStructural = (operations: readonly Operation[]): boolean =>
  operations.some(({ type }) => type !== "insert_text" && type !== "remove_text");

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
      const { collab } = editor ?? {};
      const off =
        wanted &&
        collab?.on("change", ({ operations }) => {
          if (!isStructural(operations)) return;
          look();
          changed();
        });
      return off || (() => {});
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
    return collab.on("change", ({ origin, operations }) => {
      if (origin !== "local") {
        if (isStructural(operations)) found = read(editor.children as Script);
      } else if (found.length > 0) queueMicrotask(() => bring(collab, found));
    });
  }, [collab, editor, moved, read, bring]);
}
