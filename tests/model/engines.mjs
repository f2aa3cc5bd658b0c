// Replicas of the two engines, in memory: { editor, id, take(): updates, hear(update), value(), problems(), undo(), redo(), close() }
import {
  slateNodesToInsertDelta,
  withYHistory,
  withYjs,
  YHistoryEditor,
  YjsEditor,
  yTextToSlateElement,
} from "@slate-yjs/core";
import { createEditor, Editor } from "slate";

let open, withCollab;
try {
  ({ open } = await import("slate-yrs"));
  ({ withCollab } = await import("slate-yrs/slate"));
} catch {}

import * as Y from "yjs";
import { withSchema } from "../scenarios/acts.mjs";
import { same } from "../scenarios/expect.mjs";
import { withModel } from "./model.mjs";
import { Undo } from "./undo.mjs";

export const tick = (ms = 0) => new Promise((r) => setTimeout(r, ms));
/** The start as a document that neither of the two has made: client id 1. */
export function seed(value) {
  const doc = new Y.Doc();
  doc.clientID = 1;
  doc.get("content", Y.XmlText).applyDelta(slateNodesToInsertDelta(value), { sanitize: false });
  return Y.encodeStateAsUpdate(doc);
}
/** The same start, but written by Enter: what could be one element was one and has been divided. */
export function seedByBreaks(value, schema) {
  const plain = withSchema(createEditor(), {}),
    ops = [];
  plain.normalizeNode = () => {};
  plain.children = structuredClone(value);
  const block = (x) => x.children && !(schema.inline ?? []).includes(x.type) && !(schema.void ?? []).includes(x.type),
    kind = (x) => x.children.some(block),
    rest = ({ children, ...r }) => r;
  const go = (path) => {
    const list = () => path.reduce((x, i) => x.children[i], plain).children;
    for (let i = list().length - 1; i > 0; i--) {
      const [a, b] = [list()[i - 1], list()[i]];
      if (block(a) && block(b) && JSON.stringify(rest(a)) === JSON.stringify(rest(b)) && kind(a) === kind(b)) {
        const op = { type: "merge_node", path: [...path, i], position: a.children.length, properties: rest(b) };
        ops.push(op);
        plain.apply(op);
      }
    }
    list().forEach((x, i) => {
      if (block(x) && kind(x)) go([...path, i]);
    });
  };
  go([]);
  const doc = new Y.Doc();
  doc.clientID = 2;
  Y.applyUpdate(doc, seed(plain.children));
  const ed = createEditor();
  ed.isInline = (x) => (schema.inline ?? []).includes(x.type);
  ed.isVoid = (x) => (schema.void ?? []).includes(x.type);
  ed.normalizeNode = () => {};
  doc.clientID = 2;
  const e = withModel(ed, doc);
  e.show(structuredClone(plain.children));
  for (const op of ops.reverse()) {
    Editor.withoutNormalizing(e, () =>
      e.apply({ ...op, type: "split_node", path: [...op.path.slice(0, -1), op.path.at(-1) - 1] }),
    );
    e.flush();
  }
  if (!same(e.children, value) || !same(e.model.value(), value))
    throw new Error(`seed ${JSON.stringify(e.children)} ${JSON.stringify(value)}`);
  return Y.encodeStateAsUpdate(doc);
}
let n = 0;
async function yrs(state, schema, options = {}) {
  const collab = await open({
    id: `scenario-${n++}`,
    offline: false,
    undo: { captureTimeout: options.captureTimeout ?? 0 },
  });
  collab.applyUpdate(state);
  const errors = [],
    updates = [];
  collab.on("error", (e) => errors.push(`${e.code}: ${e.message}`));
  const editor = withCollab(withSchema(createEditor(), schema), collab);
  collab.on("update", ({ update, origin }) => {
    if (origin !== "remote") updates.push(update);
  });
  return {
    editor,
    id: collab.clientId,
    take: () => updates.splice(0),
    hear: (u) => collab.applyUpdate(u),
    settle: () => tick(),
    value: () => collab.value(),
    state: () => collab.encodeState(),
    problems: () => [...errors, ...(collab.status.divergences ? [`${collab.status.divergences} divergences`] : [])],
    undo: () => collab.undo(),
    redo: () => collab.redo(),
    close: async () => {
      editor.disconnect();
      await collab.close();
    },
  };
}
async function yjs(state, schema, options = {}) {
  const doc = new Y.Doc();
  if (options.clientId) doc.clientID = options.clientId;
  Y.applyUpdate(doc, state);
  let editor = withYjs(withSchema(createEditor(), schema), doc.get("content", Y.XmlText), { autoConnect: false });
  if (options.undo) editor = withYHistory(editor, { captureTimeout: options.captureTimeout ?? 0 });
  const updates = [];
  YjsEditor.connect(editor);
  const flush = () => YjsEditor.flushLocalChanges(editor);
  doc.on("update", (u, _origin, _, t) => {
    if (t.local) updates.push(u);
  });
  return {
    editor,
    id: doc.clientID,
    take: () => {
      flush();
      return updates.splice(0);
    },
    hear: (u) => Y.applyUpdate(doc, u),
    settle: async () => {
      flush();
      await tick();
    },
    value: () => yTextToSlateElement(doc.get("content", Y.XmlText)).children,
    state: () => Y.encodeStateAsUpdate(doc),
    problems: () => [],
    undo: () => {
      flush();
      const can = YHistoryEditor.canUndo(editor);
      editor.undo();
      flush();
      return can;
    },
    redo: () => {
      flush();
      const can = YHistoryEditor.canRedo(editor);
      editor.redo();
      flush();
      return can;
    },
    close: async () => {
      YjsEditor.disconnect(editor);
      doc.destroy();
    },
  };
}
async function model(state, schema, options = {}) {
  const doc = new Y.Doc();
  if (options.clientId) doc.clientID = options.clientId;
  Y.applyUpdate(doc, state);
  const editor = withModel(withSchema(createEditor(), schema), doc),
    updates = [];
  doc.on("update", (u, _origin, _, t) => {
    if (t.local) updates.push(u);
  });
  const plain = withSchema(createEditor(), schema);
  if (options.undo) editor.model.history = new Undo(editor.model);
  return {
    editor,
    id: doc.clientID,
    take: () => updates.splice(0),
    hear: (u) => editor.hear(u),
    settle: async () => {
      editor.flush();
      await null;
    },
    state: () => Y.encodeStateAsUpdate(doc),
    value: () => {
      plain.children = editor.model.value();
      Editor.normalize(plain, { force: true });
      return plain.children;
    },
    problems: () => [],
    undo: () => editor.undo(),
    redo: () => editor.redo(),
    close: async () => doc.destroy(),
  };
}
/** Replicas whose client ids rise with their index, or fall. */
export async function replicas(engine, state, schema, count, rising, options = {}) {
  if (engine === "slate-yjs") {
    const ids = Array.from({ length: count }, (_, i) => 1000 + i);
    if (!rising) ids.reverse();
    return Promise.all(ids.map((clientId) => yjs(state, schema, { ...options, clientId })));
  }
  if (engine === "model") {
    const ids = options.clientIds ?? Array.from({ length: count }, (_, i) => 1000 + i);
    if (!rising) ids.reverse();
    return Promise.all(ids.map((clientId) => model(state, schema, { ...options, clientId })));
  }
  const all = [];
  for (let i = 0; i < count; i++) all.push(await yrs(state, schema, options));
  return all.sort((a, b) => (rising ? a.id - b.id : b.id - a.id));
}
/** What a fresh replica makes of a state. */
export async function fresh(engine, state, schema) {
  const r =
    engine === "model"
      ? await model(state, schema)
      : engine === "slate-yjs"
        ? await yjs(state, schema)
        : await yrs(state, schema);
  await r.settle();
  await tick();
  const value = structuredClone(r.editor.children);
  await r.close();
  return value;
}
