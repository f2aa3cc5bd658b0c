// Scripts read from files. One becomes a document of this device at once, before any server has heard of it; what the
// device cannot keep waits in this window until the document holds it.
import type { Descendant } from "slate";
import { open, type Status } from "slate-yrs";
import { takeNotes } from "../script/formats/with-notes.ts";
import type { Script } from "../script/types.ts";
import { keepAlone } from "./alone.ts";
import { addNotes } from "./noted.ts";

const waiting = new Map<string, Descendant[]>();

window.addEventListener("beforeunload", (event) => {
  if (waiting.size > 0) event.preventDefault();
});

/** What is to be said of scripts that were read, when they are open. */
const reports = new Map<string, string>();

export function reportLater(id: string, report: string): void {
  reports.set(id, report);
}

export function reportOf(id: string): string | null {
  return reports.get(id) ?? null;
}

/** It was read. */
export function dropReport(id: string): void {
  reports.delete(id);
}

/** What a script that was read from a file begins with, if its document may not have it yet. */
export function importedScript(id: string): Descendant[] | undefined {
  return waiting.get(id);
}

/** The document has it. */
export function importArrived(id: string): void {
  waiting.delete(id);
}

/** Makes a new script begin with what was read. `signed`: as in {@link addNotes}. */
export async function plant(id: string, script: Descendant[], shared: boolean, signed: string | null): Promise<void> {
  waiting.set(id, script);
  if (shared ? await plantDocument(id, script, signed) : keepAlone(id, script)) waiting.delete(id);
}

/**
 * Without a server, a new document begins with its content at once, and sends it when it is opened with one. Where the
 * device does not keep it, notes stay in the text, which waits.
 */
async function plantDocument(id: string, content: Descendant[], signed: string | null): Promise<boolean> {
  try {
    const { script, notes } = takeNotes(content as Script);
    const collab = await open({ id, initialValue: script });
    await addNotes(collab, notes, signed);
    const settled = (status: Status) => status.saved !== "memory" || status.storage !== "indexeddb";
    await new Promise<void>((resolve) => {
      if (settled(collab.status)) return resolve();
      const off = collab.on("status", (status) => {
        if (!settled(status)) return;
        off();
        resolve();
      });
    });
    const { saved, storage } = collab.status;
    await collab.close();
    return saved !== "memory" && storage === "indexeddb";
  } catch {
    return false;
  }
}
