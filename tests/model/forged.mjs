// node forged.mjs COUNT SEED [deep]: documents that no engine wrote. The view must not throw, must be the same after a round through
// an update, must show no element and no character twice, and may lose none. Those of known.json first.
import fs from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import * as Y from "yjs";
import { chance } from "./chance.mjs";
import { dump, scan } from "./doc.mjs";
import { forgedSchema, forging } from "./forging.mjs";
import { build } from "./tree.mjs";
import { view } from "./view.mjs";

const asRules = (schema) => ({
  isInline: (p) => schema.inline.includes(p.type),
  isVoid: (p) => schema.void.includes(p.type),
});
const KNOWN = JSON.parse(fs.readFileSync(new URL("known.json", import.meta.url), "utf8"));
/** Ids of elements that are nested types, and of characters, as often as they are shown. */
const shownIn = (node, out = []) => {
  if (node.id) out.push(node.id);
  for (const k of node.kids) {
    if (k.chars) for (const c of k.chars) out.push(c.id);
    else shownIn(k, out);
  }
  return out;
};
/** Nothing in a place, a seam or what nobody knows is shown, if it was not moved out. */
const isAlive = (n) => (n.kind === "strand" || n.kind === "break") && (!n.up || isAlive(n.up));
const textOf = (root) =>
  [...scan(root).all.values()]
    .filter(isAlive)
    .flatMap((n) => n.items.filter((it) => it.text !== undefined))
    .flatMap((it) => Array.from({ length: it.text.length }, (_, i) => `${it.client}:${it.clock + i}`));
const show = (doc, schema) => build(view(doc.get("content", Y.XmlText), asRules(schema)).root);
const read = (update) => {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc;
};

function main([count = 1000, from = 1, how = "forge"]) {
  const luck = chance(from),
    makers = forging(luck),
    kinds = {};
  let bad = 0;
  const check = (doc, schema, name) => {
    const say = (x) => {
      bad++;
      kinds[x] = (kinds[x] ?? 0) + 1;
      if (kinds[x] < 2) console.log(name, x, `\n${dump(doc)}`);
    };
    try {
      const tree = show(doc, schema),
        ids = shownIn(tree),
        once = new Set(ids),
        copy = read(Y.encodeStateAsUpdate(doc));
      if (once.size < ids.length) say("twice");
      if (textOf(doc.get("content", Y.XmlText)).some((id) => !once.has(id))) say("not shown");
      if (JSON.stringify(show(copy, schema)) !== JSON.stringify(tree)) say("differs");
    } catch (x) {
      say(`threw ${x.message}`);
      if (bad < 4) console.log(x.stack.split("\n").slice(0, 4).join("\n"));
    }
  };
  for (const { update, schema, about } of KNOWN) check(read(Buffer.from(update, "base64")), schema, about);
  for (let i = 0; i < +count; i++) {
    const start = luck.seed();
    makers.begin();
    check(makers[how](), forgedSchema, `${i} ${start}`);
  }
  console.log(`forged: ${count} documents, ${bad} bad`, kinds);
}
// Walks recurse: moves may nest deeper than the stack of the main thread.
if (isMainThread)
  new Worker(new URL(import.meta.url), { workerData: process.argv.slice(2), resourceLimits: { stackSizeMb: 200 } });
else main(workerData);
