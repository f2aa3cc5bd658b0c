// Values beside the text as a React hook.
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { type Collab, CollabError, type Json, type Presence, type SharedMap } from "../index.js";

/**
 * The values of {@link Collab.map}; renders again when one changes, with another object then. Without a document it has nothing,
 * and setting something throws `closed`.
 *
 * @example
 * const title = useSharedMap<string>(collab, "title");
 * <input value={title.get("author") ?? ""} onChange={(event) => title.set("author", event.target.value)} />
 */
export function useSharedMap<T = Json, P extends Presence = Presence>(
  collab: Collab<P> | null,
  name: string,
): SharedMap<T> {
  const map = useMemo(() => openMap<T>(collab as Collab | null, name), [collab, name]);
  const subscribe = useCallback((changed: () => void) => map.on(changed), [map]);
  const entries = useSyncExternalStore(subscribe, map.entries, map.entries);
  return useMemo(
    () => ({
      get: (key) => entries.get(key),
      set: (key, value, options) => map.set(key, value, options),
      delete: (key) => map.delete(key),
      entries: () => entries,
      on: (listener) => map.on(listener),
    }),
    [map, entries],
  );
}

/** A document that is closed by now has no maps but those that were asked for. */
function openMap<T>(collab: Collab | null, name: string): SharedMap<T> {
  const map = collab === null || collab.status.connection === "closed" ? null : collab.map<T>(name);
  const closed = () => {
    throw new CollabError("closed", "there is no document");
  };
  const none: ReadonlyMap<string, T> = new Map();
  if (map === null)
    return { get: () => undefined, set: closed, delete: closed, entries: () => none, on: () => () => {} };
  return {
    get: (key) => map.get(key),
    set: (key, value, options) => map.set(key, value, options),
    delete: (key) => map.delete(key),
    entries: () => map.entries(),
    on: (listener) => map.on(listener),
  };
}
