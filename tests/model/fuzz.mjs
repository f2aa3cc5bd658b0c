// node fuzz.mjs COUNT SEED FLAGS: three people, three offline rounds, an exchange after each.
// r: removals, i: links and marks, o: an outliner's normalizer, v: voids, b: the start made by Enter, g: a random start, l: up to 13 acts a round (else 3),
// x: more acts (drag anywhere, wrap and lift ranges, outdent, paste, cut and paste, several acts in one flush), s: one person alone, 40 to 80 acts, m: seven rounds.
// After every act view(document) has to equal the editor; after every exchange all have the same; without removals no letter is lost or doubled.
import fs from "node:fs";
import { createEditor, Editor } from "slate";
import * as Y from "yjs";
import { same, show, string } from "../scenarios/expect.mjs";
import { chance } from "./chance.mjs";
import { dump } from "./doc.mjs";
import { seed, seedByBreaks } from "./engines.mjs";
import { stats, withModel } from "./model.mjs";
import { acting, isRefused, schema } from "./random.mjs";

const [N = 300, S = 1, FLAGS = ""] = process.argv.slice(2);
const BREAKS = FLAGS.includes("b"),
  SOLO = FLAGS.includes("s"),
  ROUNDS = SOLO ? 1 : FLAGS.includes("m") ? 7 : 3,
  MANY = FLAGS.includes("l") ? 14 : 4;
const luck = chance(S),
  { rnd } = luck,
  { makeValue, used, setUp, act, copied, begin } = acting(FLAGS, luck);
let bad = 0,
  acts = 0;
const kinds = {};
for (let i = 0; i < +N; i++) {
  begin();
  const start = luck.seed(),
    log = [];
  const first = makeValue(),
    st = BREAKS ? seedByBreaks(first, schema) : seed(first),
    rs = (SOLO ? [1000] : [1000, 1001, 1002]).map((id) => {
      const doc = new Y.Doc();
      doc.clientID = id;
      Y.applyUpdate(doc, st);
      const out = [];
      const e = withModel(setUp(createEditor()), doc);
      doc.on("update", (u, _o, _, t) => {
        if (t.local) out.push(u);
      });
      return { e, doc, out };
    });
  const say = (x) => {
    bad++;
    kinds[x.split(":")[0]] = (kinds[x.split(":")[0]] ?? 0) + 1;
    if (bad <= 5) console.log(i, start, x, "\n  ", log.join(" "));
    throw new Error("said");
  };
  const gone = new Set(),
    seen = new Set(used());
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [k, r] of rs.entries())
        for (let a = SOLO ? 40 + rnd(41) : rnd(MANY); a > 0; a--) {
          const d0 = process.env.DUMP ? dump(r.doc) : "",
            before = process.env.DUMP && Y.encodeStateAsUpdate(r.doc),
            was = structuredClone(r.e.children);
          let w,
            threw = null;
          try {
            w = act(r.e);
          } catch (x) {
            if (!isRefused(x)) throw x;
            threw = x.message;
          }
          if (threw) {
            Editor.normalize(r.e, { force: true });
          }
          for (const c of string(was)) if (!string(r.e.children).includes(c)) gone.add(c);
          for (const c of string(r.e.children)) seen.add(c);
          const exact = r.e.flush();
          log.push(k + (w ?? "threw"));
          acts++;
          if (exact === false) {
            if (process.env.DUMP) {
              fs.writeFileSync(process.env.DUMP, before);
              console.log(d0, "\n was", show(was), "\n now", dump(r.doc));
            }
            say(`local: ${w}\n     ${stats.examples.at(-1)}`);
          }
        }
      for (let again = 0; again < 3; again++) {
        // Yjs' own clean-up of formats on hearing is an update too
        const sent = rs.map((r) => r.out.splice(0));
        rs.forEach((r, k) => {
          for (const j of rnd(2) ? [0, 1, 2] : [2, 1, 0]) if (j !== k && rs[j]) for (const u of sent[j]) r.e.hear(u);
        });
      }
      const vs = rs.map((r) => r.e.model.value());
      if (vs.some((x) => !same(vs[0], x))) {
        if (process.env.DUMP) for (const r of rs) console.log(dump(r.doc), "\n--");
        say(`diverged: ${vs.map((v) => show(v)).join(" | ")}`);
      }
      const text = string(vs[0]),
        lost = [...seen].filter((c) => !gone.has(c) && !text.includes(c)),
        twice = [...text].filter((c, k) => text.indexOf(c) !== k && !copied.has(c)),
        name = (c) => (c.charCodeAt(0) > 255 ? `#${c.charCodeAt(0) - 256}` : c);
      if (process.env.DUMP && (lost.length || twice.length)) console.log(dump(rs[0].doc));
      if (twice.length) say(`doubled: ${twice.map(name).join("")}: ${show(vs[0])}`);
      if (lost.length) say(`lost: ${lost.map(name).join("")}: ${show(vs[0])}`);
      for (const r of rs) for (const c of text) if (!string(r.e.children).includes(c)) gone.add(c); // a normalizer of Slate takes it
    }
  } catch (x) {
    if (x.message !== "said") {
      kinds[`threw ${x.message}`] = (kinds[`threw ${x.message}`] ?? 0) + 1;
      bad++;
      if (bad < 6) console.log(i, start, x.stack.split("\n").slice(0, 4).join("\n"), log.join(" "));
    }
  }
}
console.log(`fuzz ${FLAGS}: ${N} runs, ${acts} acts, ${bad} bad`, kinds, stats.mismatch);
