// slate-yjs as an engine that the scenarios of tests/scenarios can be run on: what docs/CONCURRENCY.md compares with.
import { withYHistory, withYjs, YjsEditor, yTextToSlateElement } from "@slate-yjs/core";
import { createEditor } from "slate";
import * as Y from "yjs";
import { type Schema, withSchema } from "../scenarios/acts.mjs";
import type { Engine, Replica } from "../scenarios/runner/replica.js";

export const slateYjs: Engine = {
  name: "slate-yjs",
  format: 0,
  options: null,
  open: async (state, schema, clientIds) => clientIds.map((clientId) => replica(state, schema, clientId)),
};

function replica(state: Uint8Array, schema: Schema, clientId: number): Replica {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  Y.applyUpdate(doc, state);
  const root = doc.get("content", Y.XmlText);
  // Each act is an undo step of its own.
  const editor = withYHistory(withYjs(withSchema(createEditor(), schema), root), { captureTimeout: 0 });
  YjsEditor.connect(editor);
  // It flushes in a microtask, where a throw could not be told from ours. `settle` does it instead.
  editor.onChange = () => {};
  let updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin !== "network") updates.push(update);
  });
  const flush = () => YjsEditor.flushLocalChanges(editor);
  return {
    editor,
    take: () => updates.splice(0),
    hear: (update) => {
      flush();
      Y.applyUpdate(doc, update, "network");
    },
    settle: async () => {
      flush();
      // What Slate does at the end of the turn.
      await Promise.resolve();
      flush();
    },
    value: () => yTextToSlateElement(root).children,
    state: () => {
      flush();
      return Y.encodeStateAsUpdate(doc);
    },
    problems: () => [],
    undo: () => turnBack("undo"),
    redo: () => turnBack("redo"),
    close: async () => {
      updates = [];
      YjsEditor.disconnect(editor);
      doc.destroy();
    },
  };

  function turnBack(how: "undo" | "redo"): boolean {
    flush();
    return editor.undoManager[how]() !== null;
  }
}
