// Leaving the page while something would be lost.
import type { Collab } from "./types.js";

/**
 * Makes the browser ask before the page is left while an edit would be lost: while it is in memory only. With
 * `until: "server"` also while it is kept on this device but not yet acknowledged by the server.
 *
 * @returns stops asking
 * @example
 * const stopAsking = askBeforeLeaving(collab, { until: "device" });
 */
export function askBeforeLeaving(collab: Collab, options: { until?: "device" | "server" } = {}): () => void {
  if (typeof globalThis.addEventListener !== "function") return () => {};
  const onLeave = (event: BeforeUnloadEvent) => {
    const { saved, pending, connection } = collab.status;
    const unsaved = options.until === "server" ? saved !== "server" || pending > 0 : saved === "memory";
    if (unsaved && connection !== "closed") event.preventDefault();
  };
  globalThis.addEventListener("beforeunload", onLeave);
  return () => globalThis.removeEventListener("beforeunload", onLeave);
}
