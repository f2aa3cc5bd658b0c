// The page's own events: hints about the network, and the moments before it may be gone.

/** Who is told of the page's events. */
export interface PageWatcher {
  online(online: boolean): void;
  /** The page becomes hidden or is left. */
  suspend(): void;
  /** Somebody is back at the page. */
  awake(): void;
}

/** Watches until the returned function is called. Does nothing where there is no page: in Node. */
export function watchPage(watcher: PageWatcher): () => void {
  if (typeof globalThis.addEventListener !== "function") return () => {};
  const stop = new AbortController();
  const { signal } = stop;
  globalThis.addEventListener("online", () => watcher.online(true), { signal });
  globalThis.addEventListener("offline", () => watcher.online(false), { signal });
  globalThis.addEventListener("pagehide", () => watcher.suspend(), { signal });
  // The page comes out of the browser's back/forward cache, where it was frozen.
  globalThis.addEventListener("pageshow", () => watcher.awake(), { signal });
  globalThis.addEventListener("focus", () => watcher.awake(), { signal });
  if (typeof document !== "undefined") {
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "hidden") watcher.suspend();
        else watcher.awake();
      },
      { signal },
    );
  }
  return () => stop.abort();
}

let asked = false;

/** Asks the browser once not to clear what is kept on this device when space runs low. It may refuse, or ask the user. */
export function askToPersist(): void {
  if (asked || typeof navigator !== "object") return;
  asked = true;
  navigator.storage?.persist?.().catch(() => {});
}
