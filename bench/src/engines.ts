// What is measured, behind one interface: Slate alone (the floor), Slate alone that normalizes as slate-yrs lets it (the
// floor of ours), yjs with @slate-yjs/core, and slate-yrs in either format.
import {
  CursorEditor,
  relativeRangeToSlateRange,
  withCursors,
  withYHistory,
  withYjs,
  YHistoryEditor,
  YjsEditor,
  yTextToSlateElement,
} from "@slate-yjs/core";
import { createEditor, type Descendant, Editor, type Operation } from "slate";
import * as now from "slate-yrs";
import * as nowSlate from "slate-yrs/slate";
import * as before from "slate-yrs-before";
import * as beforeSlate from "slate-yrs-before/slate";
import * as awarenessProtocol from "y-protocols/awareness";
import * as Y from "yjs";
import { FakeServer } from "./server.ts";

/** A change from elsewhere: as an update, and as the operations that plain Slate is given instead. */
export interface Remote {
  update: Uint8Array;
  operations: Operation[];
}

/** An editor bound to an open document. */
export interface Bound {
  readonly editor: Editor;
  /** Bytes of the updates that local edits gave since the last call. */
  taken(): number;
  receive(remote: Remote): void;
  /** Where the peers' carets are now; how many were found. */
  cursors(): number;
  undo(): void;
  redo(): void;
  close(): Promise<void>;
}

export interface Engine {
  readonly name: "plain" | "quick" | "slate-yjs" | "slate-yrs" | "slate-yrs, format 1" | "before" | "before, format 1";
  /** From the bytes of a document to an editor with children. `people`: undo and twenty carets of others. */
  open(state: Uint8Array, people: Uint8Array | null): Promise<Bound>;
}

/** Slate's children behind an update. */
export function children(state: Uint8Array): Descendant[] {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  return yTextToSlateElement(doc.get("content", Y.XmlText) as Y.XmlText).children;
}

const alone = (name: "plain" | "quick", make: () => Editor): Engine => ({
  name,
  async open(state) {
    const editor = make();
    editor.children = children(state);
    return {
      editor,
      taken: () => 0,
      receive({ operations }) {
        Editor.withoutNormalizing(editor, () => {
          for (const operation of operations) editor.apply(operation);
        });
      },
      cursors: () => 0,
      undo: () => {},
      redo: () => {},
      close: async () => {},
    };
  },
});

const slateYjs: Engine = {
  name: "slate-yjs",
  async open(state, people) {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, state);
    let bytes = 0;
    doc.on("update", (update: Uint8Array) => {
      bytes += update.length;
    });
    const root = doc.get("content", Y.XmlText) as Y.XmlText;
    const bare = withYjs(createEditor(), root);
    const awareness = new awarenessProtocol.Awareness(doc);
    const editor = people ? withYHistory(withCursors(bare, awareness, { data: { name: "me" } })) : bare;
    if (people) awarenessProtocol.applyAwarenessUpdate(awareness, people, "bench");
    YjsEditor.connect(editor);
    return {
      editor,
      taken() {
        YjsEditor.flushLocalChanges(editor);
        const taken = bytes;
        bytes = 0;
        return taken;
      },
      receive({ update }) {
        Y.applyUpdate(doc, update, "remote");
      },
      cursors() {
        if (!CursorEditor.isCursorEditor(editor)) return 0;
        let found = 0;
        for (const state of Object.values(CursorEditor.cursorStates(editor))) {
          const { relativeSelection } = state;
          if (relativeSelection && relativeRangeToSlateRange(root, editor, relativeSelection)) found += 1;
        }
        return found;
      },
      undo() {
        if (YHistoryEditor.isYHistoryEditor(editor)) editor.undo();
      },
      redo() {
        if (YHistoryEditor.isYHistoryEditor(editor)) editor.redo();
      },
      async close() {
        YjsEditor.disconnect(editor);
        awareness.destroy();
        doc.destroy();
      },
    };
  },
};

/** Whether an engine's documents are of format 1. */
export const isOfFormat1 = (name: Engine["name"]) => name.endsWith("format 1");

let opened = 0;

/** This package, or another version of it. */
interface Version {
  readonly name: "slate-yrs" | "before";
  readonly open: typeof now.open;
  readonly withCollab: typeof nowSlate.withCollab;
}

const slateYrs = ({ name, open, withCollab }: Version, format: 0 | 1): Engine => ({
  name: format === 0 ? name : `${name}, format 1`,
  async open(state, people) {
    opened += 1;
    const server = people ? new FakeServer(people) : null;
    const collab = await open({
      id: `bench-${opened}`,
      offline: false,
      format,
      ...(server ? { url: server.url, presence: { name: "me" } } : {}),
    });
    if (format === 1) collab.applyUpdate(FLAG);
    collab.applyUpdate(state);
    let bytes = 0;
    collab.on("update", ({ update, origin }) => {
      if (origin === "local" || origin === "undo") bytes += update.length;
    });
    const editor = withCollab(createEditor(), collab);
    if (server) {
      await server.joined;
      while (collab.peers.length < 20) await new Promise((wake) => setTimeout(wake, 5));
    }
    return {
      editor,
      taken() {
        const taken = bytes;
        bytes = 0;
        return taken;
      },
      receive({ update }) {
        collab.applyUpdate(update);
      },
      cursors: () => collab.peers.reduce((found, peer) => found + (peer.selection ? 1 : 0), 0),
      undo: () => {
        collab.undo();
      },
      redo: () => {
        collab.redo();
      },
      close: () => collab.close(),
    };
  },
});

/** What makes a document one of format 1: slate-yjs' layout reads as such. */
const FLAG = flag();

function flag(): Uint8Array {
  const doc = new Y.Doc();
  doc.getMap("slate-yrs:doc").set("format", 1);
  return Y.encodeStateAsUpdate(doc);
}

const NOW: Version = { name: "slate-yrs", open: now.open, withCollab: nowSlate.withCollab };
/** The version of `--against`; without that it is this one, and nobody asks for it. */
const BEFORE: Version = { name: "before", open: before.open, withCollab: beforeSlate.withCollab };

/** Loads both versions' modules. */
export async function init(): Promise<void> {
  await now.init();
  await before.init();
}

export const engines: readonly Engine[] = [
  alone("plain", createEditor),
  alone("quick", () => nowSlate.withQuickNormalizing(createEditor())),
  slateYjs,
  slateYrs(NOW, 0),
  slateYrs(NOW, 1),
  slateYrs(BEFORE, 0),
  slateYrs(BEFORE, 1),
];
