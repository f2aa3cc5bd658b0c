// Settings this browser remembers. Works without storage too (private windows): then only until the page is closed.
import { useCallback, useSyncExternalStore } from "react";

import type { PaperOptions } from "../script/sheets.ts";

const PREFIX = "screenplay.";
const memory = new Map<string, string | null>();
const listeners = new Set<() => void>();

export function recall(name: string): string | null {
  if (!memory.has(name)) {
    let value: string | null = null;
    try {
      value = localStorage.getItem(PREFIX + name);
    } catch {
      // No storage: start afresh.
    }
    memory.set(name, value);
  }
  return memory.get(name) ?? null;
}

export function remember(name: string, value: string | null): void {
  memory.set(name, value);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // No storage, or full: the value holds for this page.
  }
  for (const listener of listeners) listener();
}

export function useRemembered(name: string): [string | null, (value: string | null) => void] {
  const value = useSyncExternalStore(subscribe, () => recall(name));
  return [value, useCallback((next) => remember(name, next), [name])];
}

function subscribe(listener: () => void): () => void {
  const fromOtherTab = (event: StorageEvent) => {
    if (!event.key?.startsWith(PREFIX)) return;
    memory.delete(event.key.slice(PREFIX.length));
    listener();
  };
  listeners.add(listener);
  window.addEventListener("storage", fromOtherTab);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", fromOtherTab);
  };
}

/** What the page shows beside the script, in this browser, and paper like it. */
export function paperOptions(): PaperOptions {
  return {
    numbers: recall("numbers") === "on",
    continued: recall("continued") !== "off",
    marks: recall("marks") === "all" ? "all" : "newest",
  };
}
