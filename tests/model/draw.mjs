// node draw.mjs [--steps] COUNT SEED FILE: draws documents for the engine to be compared on, one JSON line each:
// { seed, kind, schema: { inline, void }, update: base64, tree }; with --steps histories: { seed, kind, schema, steps: [{ update, tree }] }.
// Kinds: `lived` (one to three editors, merged and in between), `harmed` (such a document after plain Yjs and random registers),
// `forged` (by nobody), `deep`. `--kind KIND` draws only these; `--fixture FILE`: the few that every test run reads. A tree is what the document shows, with identities and without
// the empty texts that Slate wants, in rows: [depth, id or key, properties] of an element, what is in it behind it;
// [depth, marks, [[id of the first, characters], …]] of a text. Client ids have 32 bits, as those of Yjs.
import fs from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { createEditor, Editor } from "slate";
import * as Y from "yjs";
import { chance } from "./chance.mjs";
import { seed, seedByBreaks } from "./engines.mjs";
import { forgedSchema, forging } from "./forging.mjs";
import { withModel } from "./model.mjs";
import { acting, isRefused, schema as livedSchema } from "./random.mjs";
import { build } from "./tree.mjs";
import { view } from "./view.mjs";

const ROOT = "content";

/** As it is written to the file. */
const written = (node, depth = 0, rows = []) => {
  rows.push([depth, node.key ?? node.id, node.props]);
  for (const k of node.kids) {
    if (k.chars) rows.push([depth + 1, k.marks, runsOf(k.chars)]);
    else written(k, depth + 1, rows);
  }
  return rows;
};
/** Characters whose ids count up are one run. */
const runsOf = (chars) => {
  const runs = [];
  let next = null;
  for (const { char, id } of chars) {
    const [client, clock] = id.split(":");
    if (id === next) runs.at(-1)[1] += char;
    else runs.push([id, char]);
    next = `${client}:${Number(clock) + 1}`;
  }
  return runs;
};
const treeOf = (doc, { inline, void: voids }) => {
  const schema = { isInline: (p) => inline.includes(p.type), isVoid: (p) => voids.includes(p.type) };
  return written(build(view(doc.get(ROOT, Y.XmlText), schema).root));
};
const base64 = (update) => Buffer.from(update).toString("base64");
const stateOf = (doc) => ({ update: base64(Y.encodeStateAsUpdate(doc)) });

const FLAGS = [
  "",
  "r",
  "i",
  "ri",
  "riv",
  "xv",
  "rxgi",
  "gb",
  "rbvi",
  "xi",
  "rxgvi",
  "o",
  "rob",
  "rxgvibl",
  "rxs",
  "rxgivs",
];
/** People who act, hear each other, and act again. `seen(doc, updates)`: after each act and each hearing, of whom. */
function live(luck, seen) {
  const { rnd, pick } = luck,
    flags = pick(FLAGS),
    { makeValue, setUp, act, begin } = acting(flags, luck);
  begin();
  const first = makeValue(),
    start = flags.includes("b") ? seedByBreaks(first, livedSchema) : seed(first),
    ids = pick([[1000], [1000, 1001], [9, 10], [99, 100, 1001], [1000, 2 ** 32 - 5, 2 ** 31 + 3]]);
  const people = ids.map((id) => {
    const doc = new Y.Doc();
    doc.clientID = id;
    Y.applyUpdate(doc, start);
    const out = [],
      e = withModel(setUp(createEditor()), doc);
    doc.on("update", (u, _o, _, t) => {
      if (t.local) out.push(u);
    });
    return { e, doc, out };
  });
  seen(people[0].doc, [start]);
  for (let round = 1 + rnd(3); round > 0; round--) {
    for (const { e, doc } of people)
      for (let n = rnd(flags.includes("s") || people.length === 1 ? 14 : 6); n > 0; n--) {
        try {
          act(e);
        } catch (x) {
          if (!isRefused(x)) throw x;
          Editor.normalize(e, { force: true });
        }
        e.flush();
        seen(doc, []);
      }
    for (let again = 0; again < 2; again++) {
      const sent = people.map((p) => p.out.splice(0));
      for (const [k, p] of people.entries())
        for (const [j, updates] of sent.entries()) if (j !== k) for (const u of updates) p.e.hear(u);
      seen(people[0].doc, sent.flat());
    }
  }
  return flags;
}

/** Documents of one kind, from one seed on. */
const DRAW = {
  lived(luck) {
    const found = [],
      start = luck.seed();
    const flags = live(luck, (doc, updates) => {
      if (updates.length || luck.rnd(3) === 0) found.push({ ...stateOf(doc), tree: treeOf(doc, livedSchema) });
    });
    return found.map((f, n) => ({ seed: start, kind: `lived ${flags} ${n}`, schema: livedSchema, ...f }));
  },
  harmed(luck) {
    const states = [],
      start = luck.seed(),
      flags = live(luck, (doc) => states.push(Y.encodeStateAsUpdate(doc)));
    const { begin, harm, twice } = forging(luck);
    return Array.from({ length: 6 }, (_, n) => {
      begin();
      const doc = new Y.Doc();
      Y.applyUpdate(doc, luck.pick(states));
      doc.clientID = luck.pick([5, 1001, 5000, 2 ** 32 - 2]);
      harm(doc);
      if (luck.rnd(3) === 0) twice(doc);
      return {
        seed: start,
        kind: `harmed ${flags} ${n}`,
        schema: livedSchema,
        ...stateOf(doc),
        tree: treeOf(doc, livedSchema),
      };
    });
  },
  forged: (luck) => made(luck, "forge", "forged"),
  deep: (luck) => made(luck, "deep", "deep"),
};
function made(luck, how, kind) {
  const start = luck.seed(),
    makers = forging(luck);
  makers.begin();
  const doc = makers[how]();
  if (how === "forge" && luck.rnd(5) === 0) makers.twice(doc);
  return [{ seed: start, kind, schema: forgedSchema, ...stateOf(doc), tree: treeOf(doc, forgedSchema) }];
}

/** Histories: what one replica hears, update by update. */
const HISTORY = {
  lived(luck) {
    const start = luck.seed(),
      steps = [],
      doc = new Y.Doc();
    const flags = live(luck, (_, updates) => {
      for (const update of updates) {
        Y.applyUpdate(doc, update);
        steps.push({ update: base64(update), tree: treeOf(doc, livedSchema) });
      }
    });
    return [{ seed: start, kind: `lived ${flags}`, schema: livedSchema, steps }];
  },
  harmed: (luck) => harmedHistory(luck, "harmed"),
  forged: (luck) => harmedHistory(luck, "forged"),
};
function harmedHistory(luck, kind) {
  const start = luck.seed(),
    { begin, forge, harm, twice } = forging(luck, false),
    steps = [];
  begin();
  let first;
  if (kind === "forged") first = Y.encodeStateAsUpdate(forge());
  else
    live(luck, (doc) => {
      first = Y.encodeStateAsUpdate(doc);
    });
  const doc = new Y.Doc(),
    take = (update) => steps.push({ update: base64(update), tree: treeOf(doc, forgedSchema) });
  Y.applyUpdate(doc, first);
  take(first);
  doc.on("update", take);
  for (let n = 3 + luck.rnd(9); n > 0; n--) {
    doc.clientID = luck.pick([5, 77, 5000]);
    if (luck.rnd(4)) harm(doc);
    else twice(doc);
  }
  return [{ seed: start, kind, schema: forgedSchema, steps }];
}

/** So many lines; those that are longer than `most` are passed over. */
function lines(drawers, which, luck, count, most = Number.POSITIVE_INFINITY) {
  const found = [];
  while (found.length < count)
    for (const one of drawers[which ?? anyKind(luck, drawers)](luck)) {
      const line = JSON.stringify(one);
      if (found.length < count && line.length < most) found.push(line);
    }
  return found;
}
function anyKind({ rnd }, drawers) {
  const k = rnd(100);
  return k < 12 ? "lived" : k < 25 ? "harmed" : k < 98 || !drawers.deep ? "forged" : "deep";
}
/** Documents of which something was wrong once. */
const KNOWN = JSON.parse(fs.readFileSync(new URL("known.json", import.meta.url), "utf8"));
const known = ({ schema, update }, n) => {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Buffer.from(update, "base64"));
  return JSON.stringify({ seed: n, kind: "known", schema, update, tree: treeOf(doc, schema) });
};
/** Those, and a few of each kind: every test run reads them. */
const fixture = () => [
  ...KNOWN.map(known),
  ...lines(DRAW, "lived", chance(1), 25, 9000),
  ...lines(DRAW, "harmed", chance(2), 25, 9000),
  ...lines(DRAW, "forged", chance(3), 40, 9000),
  ...lines(DRAW, "deep", chance(4), 6, 12000),
  ...lines(HISTORY, "forged", chance(5), 2, 16000),
  ...lines(HISTORY, "lived", chance(6), 2, 16000),
];

function main(args) {
  const flag = (name) => {
    const i = args.indexOf(name);
    return i < 0 ? null : args.splice(i, name === "--kind" ? 2 : 1).at(-1);
  };
  const drawers = flag("--steps") ? HISTORY : DRAW,
    kind = flag("--kind"),
    isFixture = flag("--fixture"),
    [count = 1000, from = 1, file = "drawn.jsonl"] = isFixture ? [0, 0, ...args] : args,
    luck = chance(from);
  const out = fs.openSync(file, "w");
  let n = 0;
  const write = (some) => {
    fs.writeSync(out, some.map((line) => `${line}\n`).join(""));
    n += some.length;
  };
  if (isFixture) write(fixture());
  while (n < +count) write(lines(drawers, kind, luck, Math.min(50, count - n)));
  fs.closeSync(out);
  console.log(`drawn: ${n} ${drawers === HISTORY ? "histories" : "documents"} from seed ${from}`);
}
// The walks of the specification recurse: moves may nest deeper than the stack of the main thread.
if (isMainThread)
  new Worker(new URL(import.meta.url), { workerData: process.argv.slice(2), resourceLimits: { stackSizeMb: 200 } }).on(
    "exit",
    (code) => {
      process.exitCode = code;
    },
  );
else main([...workerData]);
