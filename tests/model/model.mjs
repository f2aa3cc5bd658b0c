// The façade: an editor on a document.

import { Editor } from "slate";
import * as Y from "yjs";
import { same, show } from "../scenarios/expect.mjs";
import { apply, build, inLeaves, toSlate } from "./tree.mjs";
import { Undo } from "./undo.mjs";
import { view } from "./view.mjs";
import { write } from "./write.mjs";

export const stats = { mismatch: {}, examples: [], flushes: 0 };
const tally = (o, k, n = 1) => {
  o[k] = (o[k] ?? 0) + n;
};

export class Model {
  constructor(doc, schema, name = "content") {
    Object.assign(this, { doc, schema, root: doc.get(name, Y.XmlText), joins: new Map(), tree: null, dirty: false });
  }
  view() {
    return build(view(this.root, this.schema).root);
  }
  value() {
    return toSlate(this.view());
  }
  apply(op) {
    apply(this.tree, op, this.joins);
    this.dirty = true;
  }
  /** Writes what the editor shows and the document does not. */
  flush(children) {
    if (!this.dirty) return null;
    this.dirty = false;
    stats.flushes++;
    const { root, tree, joins, schema, doc } = this;
    const run = (wrote) =>
      doc.transact(() => {
        write({ root, tree, joins, schema, client: doc.clientID });
        wrote?.();
      }, "local");
    try {
      if (this.history) this.history.record(run);
      else run();
    } catch (x) {
      tally(stats.mismatch, `threw ${x.message}`);
      if (process.env.TRACE) console.log(x.stack);
    }
    this.joins = new Map();
    const now = this.view();
    if (same(toSlate(now), children)) {
      this.tree = inLeaves(now, children);
      return true;
    }
    tally(stats.mismatch, "view");
    stats.examples.push(`doc    ${show(toSlate(now))}\n   editor ${show(children)}`);
    return false;
  }
}

export function withModel(editor, doc) {
  const e = editor,
    schema = {
      isVoid: (p) => editor.isVoid({ ...p, children: [] }),
      isInline: (p) => editor.isInline({ ...p, children: [] }),
    };
  const model = new Model(doc, schema),
    { apply: applyOp } = e;
  const _loading = false;
  e.model = model;
  e.apply = (op) => {
    applyOp(op);
    if (op.type === "set_selection") return;
    model.apply(op);
  };
  e.flush = () => {
    const exact = model.flush(e.children);
    if (exact === false) e.load();
    return exact;
  };
  e.load = () => {
    const tree = model.view();
    e.children = tree.kids.length ? toSlate(tree) : [];
    e.selection = null;
    model.tree = inLeaves(tree, e.children);
    model.dirty = false;
    Editor.normalize(e, { force: true }); // what it changes is written with the next flush of one's own
    model.dirty = false;
  };
  /** The same value, cut into leaves in another way. */
  e.show = (children) => {
    e.children = children;
    model.tree = inLeaves(model.view(), children);
  };
  const turn = (which) => {
    e.flush();
    model.history ??= new Undo(model);
    const done = model.history[which]();
    e.load();
    return done;
  };
  e.undo = () => turn("undo");
  e.redo = () => turn("redo");
  e.hear = (update) => {
    e.flush();
    Y.applyUpdate(doc, update, "remote");
    e.load();
  };
  e.load();
  return e;
}
