// The text of a script that is not shared (`?collab=off`): kept in this browser, so that another script may be opened.
import type { Descendant } from "slate";
import { guardScript } from "./address.ts";

const PREFIX = "screenplay.alone.";
/** How long what was typed may be in this window only, in ms. */
const DELAY = 400;

interface Changing {
  children: Descendant[];
  onChange: (...details: never[]) => void;
}

export function recallAlone(id: string): Descendant[] | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PREFIX + id) ?? "null");
    return Array.isArray(kept) && kept.length > 0 ? (kept as Descendant[]) : null;
  } catch {
    return null;
  }
}

/** Returns whether it is kept. */
export function keepAlone(id: string, script: readonly Descendant[]): boolean {
  try {
    localStorage.setItem(PREFIX + id, JSON.stringify(script));
    return true;
  } catch {
    return false;
  }
}

export function forgetAlone(id: string): void {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    // No storage: nothing was kept.
  }
}

/** Keeps what is written in the editor from now on. Asks before it is left where that cannot be done. */
export function keepWhatIsWritten(id: string, editor: Changing): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let written = editor.children;
  let lost = false;
  const keep = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (editor.children === written) return;
    lost = !keepAlone(id, editor.children);
    if (!lost) written = editor.children;
  };
  const { onChange } = editor;
  editor.onChange = (...details) => {
    onChange(...details);
    timer ??= setTimeout(keep, DELAY);
  };
  const onLeave = (event: BeforeUnloadEvent) => {
    keep();
    if (lost) event.preventDefault();
  };
  window.addEventListener("beforeunload", onLeave);
  window.addEventListener("pagehide", keep);
  const unguard = guardScript(() => {
    keep();
    return !lost || confirm("This browser has no room for the script: it will be lost. Leave it all the same?");
  });
  return () => {
    keep();
    editor.onChange = onChange;
    window.removeEventListener("beforeunload", onLeave);
    window.removeEventListener("pagehide", keep);
    unguard();
  };
}
