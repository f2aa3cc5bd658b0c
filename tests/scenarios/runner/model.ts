// The executable specification in `tests/model`, in memory.
import { createEditor, Editor } from "slate";
import * as Y from "yjs";
import { type Schema, withSchema } from "../acts.mjs";
import type { Engine, Replica } from "./replica.js";

type ModelEditor = Editor & {
  model: { history?: unknown; value(): Editor["children"] };
  flush(): boolean | null;
  hear(update: Uint8Array): void;
  undo(): boolean;
  redo(): boolean;
};
interface Model {
  withModel(editor: Editor, doc: Y.Doc): ModelEditor;
  stats: { mismatch: Record<string, number> };
  Undo: new (model: unknown) => unknown;
}

let loading: Promise<Model> | null = null;

/** SLATE_YRS_MODEL: another folder that has it. */
async function load(): Promise<Model> {
  const folder = process.env.SLATE_YRS_MODEL ?? new URL("../../model", import.meta.url).pathname;
  const [facade, undo] = await Promise.all([
    import(/* @vite-ignore */ `${folder}/model.mjs`),
    import(/* @vite-ignore */ `${folder}/undo.mjs`),
  ]);
  return { withModel: facade.withModel, stats: facade.stats, Undo: undo.Undo };
}

export const model: Engine = {
  name: "model",
  format: 1,
  options: null,
  open: async (state, schema, clientIds) => {
    loading ??= load();
    const it = await loading;
    return clientIds.map((clientId) => replica(it, state, schema, clientId));
  },
};

function replica({ withModel, stats, Undo }: Model, state: Uint8Array, schema: Schema, clientId: number): Replica {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  Y.applyUpdate(doc, state);
  let updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
    if (transaction.local) updates.push(update);
  });
  const editor = withModel(withSchema(createEditor(), schema), doc);
  editor.model.history = new Undo(editor.model);
  const reader = withSchema(createEditor(), schema);
  const before = JSON.stringify(stats.mismatch);
  return {
    editor,
    take: () => updates.splice(0),
    hear: (update) => editor.hear(update),
    settle: async () => {
      editor.flush();
      await null;
    },
    value: () => {
      reader.children = editor.model.value();
      Editor.normalize(reader, { force: true });
      return reader.children;
    },
    state: () => Y.encodeStateAsUpdate(doc),
    problems: () => {
      const now = JSON.stringify(stats.mismatch);
      return now === before ? [] : [`a flush did not come out: ${now}`];
    },
    undo: () => editor.undo(),
    redo: () => editor.redo(),
    close: async () => {
      updates = [];
      doc.destroy();
    },
  };
}
