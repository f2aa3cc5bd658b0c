// One document seen through slate-yrs or through @slate-yjs/core, with a real Slate editor on it. No network: updates
// are handed over by the tests.
import { slateNodesToInsertDelta, withYjs, YjsEditor, yTextToSlateElement } from "@slate-yjs/core";
import { createEditor, type Descendant, type Editor } from "slate";
import * as Y from "yjs";
import { handleOf } from "../../js/engine.js";
import { type Collab, open } from "../../js/index.js";
import { type CollabEditor, withCollab } from "../../js/slate.js";
import { withKinds } from "./random.js";

export interface Replica {
  readonly kind: "ours" | "theirs";
  readonly clientId: number;
  readonly editor: Editor;
  /** What the editor did reaches the document; returns the updates made since. */
  flush(): Uint8Array[];
  apply(update: Uint8Array): void;
  state(): Uint8Array;
  /** What the document holds, read from its bytes by slate-yjs. */
  document(): Descendant[];
  undo(): void;
  redo(): void;
  close(): Promise<void>;
}

export type Format = 0 | 1;

/** A document of that format with these blocks, as one update. */
export function seed(value: readonly Descendant[], format: Format = 0): Uint8Array {
  const doc = new Y.Doc();
  // Any number that no replica draws: the seed's author is nobody.
  doc.clientID = 1;
  doc.get("content", Y.XmlText).applyDelta(slateNodesToInsertDelta([...value]), { sanitize: false });
  if (format !== 0) doc.getMap("slate-yrs:doc").set("format", format);
  return Y.encodeStateAsUpdate(doc);
}

/** The blocks in some document's bytes. */
export function read(state: Uint8Array): Descendant[] {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  return yTextToSlateElement(doc.get("content", Y.XmlText)).children;
}

/** In the format of `start`: the flag is in it. */
export async function ours(start: Uint8Array, options: { undo?: boolean } = {}): Promise<Replica> {
  const collab: Collab = await open({ id: `interop-${Math.random()}`, offline: false, format: 0 });
  collab.applyUpdate(start);
  const editor = withCollab(withKinds(createEditor()), collab) as Editor & CollabEditor;
  let updates: Uint8Array[] = [];
  collab.on("update", ({ update, origin }) => {
    if (origin === "local" || origin === "undo") updates.push(update);
  });
  const failures: unknown[] = [];
  collab.on("error", (error) => failures.push(error));
  return {
    kind: "ours",
    clientId: collab.clientId,
    editor,
    flush: () => {
      handleOf(collab).flush();
      const made = updates;
      updates = [];
      if (failures.length > 0) throw failures[0];
      if (editor.divergences > 0) throw new Error("the editor differed from the document");
      return made;
    },
    apply: (update) => collab.applyUpdate(update),
    state: () => collab.encodeState(),
    document: () => read(collab.encodeState()),
    undo: () => void (options.undo !== false && collab.undo()),
    redo: () => void (options.undo !== false && collab.redo()),
    close: async () => {
      editor.disconnect();
      await collab.close();
    },
  };
}

export function theirs(start: Uint8Array, clientId?: number): Replica {
  const doc = new Y.Doc();
  if (clientId !== undefined) doc.clientID = clientId;
  Y.applyUpdate(doc, start);
  const editor = withYjs(withKinds(createEditor()), doc.get("content", Y.XmlText));
  YjsEditor.connect(editor);
  // It flushes in a microtask, where a throw could not be told from ours. `flush` does it instead.
  editor.onChange = () => {};
  let updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin !== "network") updates.push(update);
  });
  return {
    kind: "theirs",
    clientId: doc.clientID,
    editor,
    flush: () => {
      YjsEditor.flushLocalChanges(editor);
      const made = updates;
      updates = [];
      return made;
    },
    apply: (update) => {
      YjsEditor.flushLocalChanges(editor);
      Y.applyUpdate(doc, update, "network");
    },
    state: () => Y.encodeStateAsUpdate(doc),
    document: () => read(Y.encodeStateAsUpdate(doc)),
    undo: () => {},
    redo: () => {},
    close: async () => YjsEditor.disconnect(editor),
  };
}

/** A value as the document knows it: without empty leaves, neighbours with equal marks as one. */
export function canonical(value: readonly unknown[]): unknown[] {
  const out: Record<string, unknown>[] = [];
  for (const node of value as Record<string, unknown>[]) {
    if (Array.isArray(node.children)) {
      const children = canonical(node.children);
      out.push({ ...sorted(node), children: children.length === 0 ? [{ text: "" }] : children });
      continue;
    }
    const { text, ...marks } = node as { text: string };
    if (text === "") continue;
    const last = out[out.length - 1];
    if (last !== undefined && typeof last.text === "string") {
      const { text: before, ...others } = last as { text: string };
      if (JSON.stringify(sorted(others)) === JSON.stringify(sorted(marks))) {
        last.text = before + text;
        continue;
      }
    }
    out.push({ ...sorted(marks), text });
  }
  return out;
}

function sorted(object: object): Record<string, unknown> {
  const entries = Object.entries(object).filter(([key, value]) => key !== "children" && value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, ordered(value)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Maps have no order in a document. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  return typeof value === "object" && value !== null ? sorted(value) : value;
}
