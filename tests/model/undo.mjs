// Undo on top. Text and formats: Yjs' own UndoManager. Elements are never deleted by it: what was written beside the text is set back
// where it still stands. An element that was put in: a break is set off, a strand is gone; so others' content in it lives.
import * as Y from "yjs";
import { same } from "../scenarios/expect.mjs";
import { equal, scan } from "./doc.mjs";

export class Undo {
  constructor(model) {
    this.model = model;
    this.list = null;
    this.um = new Y.UndoManager(model.root, {
      trackedOrigins: new Set(["local"]),
      captureTimeout: 0,
      deleteFilter: (item) => !item.parentSub && !(item.content instanceof Y.ContentType),
    });
    this.um.on("stack-item-added", ({ stackItem }) => {
      if (this.list) {
        stackItem.meta.set("set", this.list);
        this.list = null;
      }
    });
    this.um.on("stack-item-popped", ({ stackItem }) => {
      this.popped = stackItem;
    });
  }
  /** Around a flush: which registers and properties it set. */
  record(write) {
    const before = attributes(this.model.root);
    const result = write(() => {
      this.list = changes(before, attributes(this.model.root));
    });
    this.list = null;
    return result;
  }
  undo() {
    return this.turn("undo");
  }
  redo() {
    return this.turn("redo");
  }
  turn(which) {
    const { um, model } = this,
      stack = which === "undo" ? um.undoStack : um.redoStack,
      other = which === "undo" ? um.redoStack : um.undoStack,
      was = model.value();
    while (stack.length) {
      this.popped = null;
      const top = stack.at(-1),
        n = other.length;
      const rest = stack.splice(0, stack.length - 1); // one step, though Yjs goes on when a step has no text in it
      um[which]();
      stack.unshift(...rest);
      const set = (this.popped ?? top).meta.get("set") ?? [],
        back = this.setBack(set);
      if (other.length > n) other.at(-1).meta.set("set", back);
      else if (back.length) {
        const item = top;
        item.insertions = new top.insertions.constructor();
        item.deletions = new top.deletions.constructor();
        item.meta = new Map([["set", back]]);
        other.push(item);
      }
      if (!same(was, model.value())) return true;
    }
    return false;
  }
  setBack(set) {
    const { doc, root } = this.model,
      back = [];
    doc.transact(() => {
      const { all } = scan(root),
        find = (id) => all.get(now(doc, id));
      for (const { id, key, before, after } of set) {
        const node = find(id);
        const today = (r) =>
            key === "@at" && Array.isArray(r)
              ? [r[0], ...r.slice(1).map(([marker, to]) => [now(doc, marker), now(doc, to)])]
              : r,
          value = today(before),
          is = node && today(node.attrs[key]);
        if (!node || !(equal(is, today(after)) || equal(is, value))) continue; // (Yjs may have set it back itself)
        if (value === undefined) node.type.removeAttribute(key);
        else node.type.setAttribute(key, value);
        back.push({ id, key, before: after, after: value });
      }
    }, "undo");
    return back;
  }
}
/** The id that a node has now: what Yjs put back has another. */
function now(doc, id) {
  if (typeof id !== "string" || !id.includes(":")) return id;
  let [client, clock] = id.split(":").map(Number);
  for (let n = 0; n < 100; n++) {
    const item = Y.getItem ? Y.getItem(doc.store, Y.createID(client, clock)) : find(doc, client, clock);
    if (!item?.redone) break;
    client = item.redone.client;
    clock = item.redone.clock;
  }
  return `${client}:${clock}`;
}
function find(doc, client, clock) {
  const list = doc.store.clients.get(client) ?? [];
  return list.find((s) => s.id.clock <= clock && clock < s.id.clock + s.length);
}
const attributes = (root) => new Map([...scan(root).all].map(([id, n]) => [id, { kind: n.kind, attrs: n.attrs }]));
function changes(before, now) {
  const out = [];
  for (const [id, n] of now) {
    const was = before.get(id);
    if (!was) {
      if (n.kind === "break") out.push({ id, key: "@off", before: true, after: undefined });
      else if (n.kind === "strand") out.push({ id, key: "@gone", before: [null], after: undefined });
      continue;
    }
    for (const key of new Set([...Object.keys(was.attrs), ...Object.keys(n.attrs)]))
      if (!equal(was.attrs[key], n.attrs[key])) out.push({ id, key, before: was.attrs[key], after: n.attrs[key] });
  }
  return out;
}
