import { withYjs, YjsEditor } from "@slate-yjs/core";
import { createEditor, Editor, Transforms } from "slate";
import * as Y from "yjs";
import { seed } from "./engines.mjs";
import { withModel } from "./model.mjs";

const line = "The quick brown fox jumps over the lazy dog and runs into the wood. "; // 68
const value = () => [
  ...Array.from({ length: 20 }, () => ({ type: "p", children: [{ text: line }] })),
  {
    type: "ul",
    children: Array.from({ length: 10 }, () => ({ type: "li", children: [{ type: "p", children: [{ text: line }] }] })),
  },
];
const make = (kind) => {
  const doc = new Y.Doc();
  doc.clientID = 123456789;
  Y.applyUpdate(doc, seed(value()));
  let e = createEditor();
  if (kind === "model") e = withModel(e, doc);
  else {
    e = withYjs(e, doc.get("content", Y.XmlText), { autoConnect: false });
    YjsEditor.connect(e);
  }
  return { e, doc, flush: () => (kind === "model" ? e.flush() : YjsEditor.flushLocalChanges(e)) };
};
const acts = {
  "type a letter": (e) => Transforms.insertText(e, "x", { at: { path: [3, 0], offset: 30 } }),
  "bold a word": (e) => {
    Transforms.select(e, { anchor: { path: [3, 0], offset: 4 }, focus: { path: [3, 0], offset: 9 } });
    e.addMark("bold", true);
  },
  "unbold (after)": (e, flush) => {
    Transforms.select(e, { anchor: { path: [3, 0], offset: 4 }, focus: { path: [3, 0], offset: 9 } });
    e.addMark("bold", true);
    flush();
    return () => e.removeMark("bold");
  },
  "link a word": (e) => {
    e.isInline = (n) => n.type === "a";
    Transforms.wrapNodes(
      e,
      { type: "a", url: "u", children: [] },
      { at: { anchor: { path: [3, 0], offset: 4 }, focus: { path: [3, 0], offset: 9 } }, split: true },
    );
  },
  "Backspace between two halves": (e, flush) => {
    Transforms.splitNodes(e, { at: { path: [3, 0], offset: 30 } });
    flush();
    return () => Transforms.mergeNodes(e, { at: [4] });
  },
  "Backspace in an item (halves)": (e, flush) => {
    Transforms.splitNodes(e, { at: { path: [20, 3, 0, 0], offset: 30 }, match: (n) => n.type === "li", always: true });
    flush();
    return () => {
      Transforms.select(e, { path: [20, 4, 0, 0], offset: 0 });
      e.deleteBackward("character");
    };
  },
  "Backspace in an item (strands)": (e) => {
    Transforms.select(e, { path: [20, 4, 0, 0], offset: 0 });
    e.deleteBackward("character");
  },
  "unwrap (after wrap 3)": (e, flush) => {
    Transforms.wrapNodes(
      e,
      { type: "q", children: [] },
      { at: { anchor: { path: [2, 0], offset: 0 }, focus: { path: [4, 0], offset: 1 } } },
    );
    flush();
    return () => Transforms.unwrapNodes(e, { at: [2] });
  },
  "Enter in the middle": (e) => Transforms.splitNodes(e, { at: { path: [3, 0], offset: 30 } }),
  "Enter at the end": (e) => Transforms.splitNodes(e, { at: { path: [3, 0], offset: 68 }, always: true }),
  "merge two lines": (e) => Transforms.mergeNodes(e, { at: [5] }),
  "Enter then Backspace": (e) => {
    Transforms.splitNodes(e, { at: { path: [3, 0], offset: 30 } });
    Transforms.mergeNodes(e, { at: [4] });
  },
  "move a line": (e) => Transforms.moveNodes(e, { at: [2], to: [9] }),
  "Enter in a list item (p and li)": (e) =>
    Transforms.splitNodes(e, { at: { path: [20, 3, 0, 0], offset: 30 }, match: (n) => n.type === "li", always: true }),
  "move a list item": (e) => Transforms.moveNodes(e, { at: [20, 2], to: [20, 7] }),
  "wrap 3 lines": (e) =>
    Transforms.wrapNodes(
      e,
      { type: "q", children: [] },
      { at: { anchor: { path: [2, 0], offset: 0 }, focus: { path: [4, 0], offset: 1 } } },
    ),
  "move the list (10 items)": (e) => Transforms.moveNodes(e, { at: [20], to: [0] }),
  "remove a line": (e) => Transforms.removeNodes(e, { at: [2] }),
  "set a property": (e) => Transforms.setNodes(e, { type: "h" }, { at: [2] }),
};
for (const [name, act] of Object.entries(acts)) {
  const row = [];
  for (const kind of ["model", "slate-yjs"]) {
    const { e, doc, flush } = make(kind);
    let ch = [];
    const before = () => {
      ch = [];
    };
    doc.on("update", (u) => ch.push(u));
    const then = act(e, () => {
      flush();
      before();
    });
    if (then) then();
    flush();
    const up = ch.length ? Y.mergeUpdates(ch).length : 0;
    row.push(`${kind} ${up}`);
  }
  console.log(name.padEnd(34), row.join("   |   "));
}
for (const kind of ["model", "slate-yjs"]) {
  const { e, doc, flush } = make(kind);
  const a = Y.encodeStateAsUpdate(doc).length;
  for (let i = 0; i < 100; i++) {
    Transforms.splitNodes(e, { at: { path: [3, 0], offset: 30 } });
    flush();
    Transforms.mergeNodes(e, { at: [4] });
    flush();
  }
  const b = Y.encodeStateAsUpdate(doc).length;
  for (let i = 0; i < 100; i++) {
    Transforms.moveNodes(e, { at: [2], to: [9] });
    flush();
    Transforms.moveNodes(e, { at: [9], to: [2] });
    flush();
  }
  const c = Y.encodeStateAsUpdate(doc).length;
  for (let i = 0; i < 100; i++) {
    Transforms.mergeNodes(e, { at: [6] });
    flush();
    Transforms.splitNodes(e, { at: { path: [5, 0], offset: 68 } });
    flush();
  }
  console.log(
    kind,
    "100 x Enter+Backspace +",
    b - a,
    " 200 moves of one line +",
    c - b,
    " 100 x Backspace+Enter +",
    Y.encodeStateAsUpdate(doc).length - c,
  );
}
for (const kind of ["model", "slate-yjs"]) {
  // writing
  const { e, doc, flush } = make(kind);
  Transforms.removeNodes(e, { at: [20] });
  for (let i = 19; i > 0; i--) Transforms.removeNodes(e, { at: [i] });
  flush();
  const a = Y.encodeStateAsUpdate(doc).length;
  for (let i = 0; i < 200; i++) {
    const _p = [i, 0];
    Transforms.insertText(e, "words ", { at: Editor.end(e, [i]) });
    Transforms.splitNodes(e, { at: Editor.end(e, [i]), always: true });
    flush();
  }
  console.log(
    kind,
    "200 lines written at the end: +",
    Y.encodeStateAsUpdate(doc).length - a,
    "lines",
    e.children.length,
  );
}
