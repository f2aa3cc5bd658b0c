// node one.mjs FILE ID: a scenario of the form pair printed: the document they open, what each alone makes of it, what comes of both.
import fs from "node:fs";
import * as Y from "yjs";
import { perform } from "../scenarios/acts.mjs";
import { show } from "../scenarios/expect.mjs";
import { dump } from "./doc.mjs";
import { replicas, seed, seedByBreaks } from "./engines.mjs";

const [file, id] = process.argv.slice(2),
  family = JSON.parse(fs.readFileSync(file)),
  s = family.scenarios.find((x) => x.id === id),
  schema = { ...family.schema, ...s.schema };
const of = (state) => {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  return dump(doc);
};
let state = process.env.SEED ? seedByBreaks(s.value, schema) : seed(s.value);
const turns = !s.prepare ? [] : s.prepare.every((t) => t.who) ? s.prepare : [{ who: "x", acts: s.prepare }];
for (const { who, acts } of turns) {
  const [r] = await replicas("model", state, schema, 1, true, { clientIds: [who === "x" ? 2 : 3], undo: true });
  for (const act of acts) {
    act.do === "undo" ? r.undo() : act.do === "redo" ? r.redo() : perform(r.editor, act);
    await r.settle();
  }
  state = r.state();
}
const rs = await replicas("model", state, schema, s.c ? 3 : 2, true);
console.log(`${s.name}\n${s.why ?? ""}\n${show(rs[0].editor.children, schema)}\n${of(state)}\n`);
for (const [i, acts] of [s.a, s.b, ...(s.c ? [s.c] : [])].entries()) {
  for (const act of acts) {
    perform(rs[i].editor, act);
    await rs[i].settle();
  }
  console.log(`${"abc"[i]}: ${JSON.stringify(acts)}\n${show(rs[i].editor.children, schema)}\n${of(rs[i].state())}\n`);
}
const all = rs.map((r) => r.take());
all.forEach((us, i) => {
  if (i) for (const u of us) rs[0].hear(u);
});
console.log(`both:\n${show(rs[0].editor.children, schema)}\n${of(rs[0].state())}`);
