// node undofuzz.mjs COUNT SEED: one person acts, undoes everything (as at the start), redoes everything (as at the end).
import { createEditor, Editor, Node, Path, Transforms } from "slate";
import * as Y from "yjs";
import { same, show } from "../scenarios/expect.mjs";
import { seed } from "./engines.mjs";
import { stats, withModel } from "./model.mjs";
import { Undo } from "./undo.mjs";

const [N = 100, S = 1] = process.argv.slice(2);
let s = +S;
const rnd = (n) => {
  s = (s + 0x6d2b79f5) | 0;
  let t = Math.imul(s ^ (s >>> 15), 1 | s);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
};
const P = (t) => ({ type: "p", children: [{ text: t }] }),
  li = (t) => ({ type: "li", children: [P(t)] });
const pick = (l) => l[rnd(l.length)];
function act(e) {
  const paths = [...Node.elements(e)].slice(1),
    [t, tp] = pick([...Node.texts(e)]),
    pt = { path: tp, offset: rnd(t.text.length + 1) },
    k = rnd(9),
    [n, p] = pick(paths);
  if (k < 2) return Transforms.insertText(e, "x", { at: pt });
  if (k < 4) {
    Transforms.select(e, pt);
    return Transforms.splitNodes(e, { match: (n) => n.type === pick(["p", "p", "li"]), always: true });
  }
  if (k < 5) {
    Transforms.select(e, { path: tp, offset: 0 });
    return e.deleteBackward("character");
  }
  if (k < 6) {
    const [m, q] = pick(paths);
    if (!Path.isAncestor(p, q) && !Path.equals(p, q) && m.type === n.type) Transforms.moveNodes(e, { at: p, to: q });
    return;
  }
  if (k < 7) return n.type === "li" ? null : Transforms.wrapNodes(e, { type: "q", children: [] }, { at: p });
  if (k < 8) return Transforms.removeNodes(e, { at: p });
  if (t.text.length > 1) {
    Transforms.select(e, { anchor: { path: tp, offset: 0 }, focus: { path: tp, offset: 1 + rnd(t.text.length - 1) } });
    e.addMark("bold", true);
  }
}
let bad = 0,
  backs = 0;
for (let i = 0; i < +N; i++) {
  const start = s,
    doc = new Y.Doc();
  doc.clientID = 1000;
  Y.applyUpdate(
    doc,
    seed([
      P("abcd"),
      P("efgh"),
      { type: "ul", children: [li("ij"), li("kl")] },
      { type: "q", children: [P("mn"), P("op")] },
    ]),
  );
  const e = withModel(createEditor(), doc);
  e.model.history = new Undo(e.model);
  const states = [structuredClone(e.children)];
  for (let a = 0; a < 6; a++) {
    try {
      act(e);
    } catch {}
    Editor.normalize(e, { force: true });
    e.flush();
    if (!e.children.length) break;
    if (!same(e.children, states.at(-1))) states.push(structuredClone(e.children));
  }
  const say = (x) => {
    bad++;
    if (bad < 4) console.log(i, start, x);
  };
  let j = states.length - 1,
    ok = true;
  while (j > 0 && ok) {
    j--;
    backs++;
    if (!e.undo() || !same(e.model.value(), states[j])) {
      say(`undo to ${j}: ${show(e.model.value())}\n   wanted ${show(states[j])}\n   from ${show(states[j + 1])}`);
      ok = false;
    }
  }
  while (j < states.length - 1 && ok) {
    j++;
    backs++;
    if (!e.redo() || !same(e.model.value(), states[j])) {
      say(`redo to ${j}: ${show(e.model.value())}\n   wanted ${show(states[j])}\n   from ${show(states[j - 1])}`);
      ok = false;
    }
  }
}
console.log(`undofuzz: ${N} runs, ${backs} steps back and forth, ${bad} bad`, stats.mismatch);
