// The history of a document, where the server keeps one. Servers that do not (a plain y-websocket server) have none.
import type { Descendant } from "slate";
import type { Collab } from "slate-yrs";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";

export interface Version {
  id: string;
  /** When, as an ISO date. */
  at: string;
  label: string | null;
  authors: string[];
}

export interface ScriptHistory {
  list(options?: { before?: string; limit?: number }): Promise<Version[]>;
  value(versionId: string): Promise<Descendant[]>;
  /** The script with what was added and removed between the two, marked on the leaves. */
  compare(from: string, to: string | "now"): Promise<Descendant[]>;
  save(label: string): Promise<Version>;
  restore(versionId: string): Promise<void>;
}

export function historyOf(collab: Collab<ScenePresence>): ScriptHistory | null {
  return "history" in collab ? (collab.history as ScriptHistory) : null;
}
