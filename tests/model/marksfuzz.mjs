// node marksfuzz.mjs RUNS SEED: marks against an oracle that knows every character. Three people, two names, offline rounds; ranges are set and unset,
// letters typed and deleted in between. A character shows, of each name, the value of the latest act (t, then client) that covered it, else what it
// was typed with. A letter typed inside a range that another sets in the same round
// is covered; one at its end, or beside a letter that another deletes in the same round, may be inside or outside of it: not checked from then on.
import { createEditor, Transforms } from "slate";
import * as Y from "yjs";
import { same, show } from "../scenarios/expect.mjs";
import { keyOf, scan } from "./doc.mjs";
import { seed } from "./engines.mjs";
import { stats, withModel } from "./model.mjs";

const [N = 300, S = 1] = process.argv.slice(2);
let s = +S;
const rnd = (n) => {
  s = (s + 0x6d2b79f5) | 0;
  let t = Math.imul(s ^ (s >>> 15), 1 | s);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
};
const NAMES = ["bold", "color"],
  person = (state, id) => {
    const doc = new Y.Doc();
    doc.clientID = id;
    Y.applyUpdate(doc, state);
    const out = [],
      e = withModel(createEditor(), doc);
    doc.on("update", (u, _o, _, t) => {
      if (t.local) out.push(u);
    });
    return { e, doc, out, id };
  };
const chars = (e) =>
  e.children[0].children.flatMap((l) => {
    const { text, ...marks } = l;
    return [...text].map((c) => ({ c, marks }));
  });
const range = (e, a, b) => {
  let n = 0,
    r = {};
  for (const [i, l] of e.children[0].children.entries()) {
    const len = l.text.length;
    if (a >= n && a < n + len) r.anchor = { path: [0, i], offset: a - n };
    if (b > n && b <= n + len) r.focus = { path: [0, i], offset: b - n };
    n += len;
  }
  return r;
};
let wrong = 0,
  checked = 0,
  lenient = 0,
  acts = 0,
  most = 0;
for (let run = 0; run < +N; run++) {
  const state = seed([{ type: "p", children: [{ text: "abcdefghijklmnop" }] }]),
    rs = [1000, 1001, 1002].map((id) => person(state, id)),
    log = [];
  let ch = 0x100;
  const start = s,
    has = new Map([..."abcdefghijklmnop"].map((c) => [c, {}])),
    edge = new Set(); // character → name → { t, id, value }; those at an edge
  for (let round = 0; round < 4; round++) {
    const typed = [],
      sets = [],
      removed = [];
    for (const r of rs)
      for (let n = rnd(5); n > 0; n--) {
        const list = chars(r.e),
          len = list.length;
        acts++;
        if (len < 2 || rnd(4) === 0) {
          const i = rnd(len + 1),
            c = String.fromCharCode(ch++),
            at = range(r.e, Math.max(0, i - 1), Math.max(1, i));
          if (!len) continue;
          Transforms.insertText(r.e, c, { at: i ? at.focus : at.anchor });
          r.e.flush();
          const now = chars(r.e),
            k = now.findIndex((x) => x.c === c);
          const own = {};
          for (const name of NAMES) {
            const left = has.get(now[k - 1]?.c)?.[name],
              right = has.get(now[k + 1]?.c)?.[name],
              v = now[k].marks[name];
            own[name] = [left, right].find((x) => x && x.value === v) ?? { t: 0, id: 0, value: v };
          }
          has.set(c, own);
          typed.push({ c, id: r.id, left: now[k - 1]?.c, right: now[k + 1]?.c });
          log.push(`${r.id} types ${c}`);
          continue;
        }
        const a = rnd(len),
          b = a + 1 + rnd(Math.min(len - a, 6));
        if (rnd(6) === 0) {
          Transforms.delete(r.e, { at: range(r.e, a, Math.min(b, a + 2)) });
          r.e.flush();
          removed.push({ id: r.id, on: list.slice(a, Math.min(b, a + 2)).map((x) => x.c) });
          log.push(`${r.id} deletes`);
          continue;
        }
        const name = NAMES[rnd(2)],
          value = rnd(3) ? rnd(3) + 1 : undefined,
          on = list.slice(a, b);
        Transforms.select(r.e, range(r.e, a, b));
        if (value === undefined) r.e.removeMark(name);
        else r.e.addMark(name, value);
        r.e.flush();
        let t = 0;
        for (const node of scan(r.e.model.root).all.values())
          for (const it of node.items)
            for (const key of Object.keys(it.raw)) {
              const k = keyOf(key);
              if (k.name === name && k.client === r.id) t = Math.max(t, k.t);
            }
        const touched = on.filter((x) => x.marks[name] !== value); // who shows it already gets nothing
        for (const x of touched) {
          const old = has.get(x.c)[name];
          if (!old || old.t < t || (old.t === t && old.id < r.id))
            has.set(x.c, { ...has.get(x.c), [name]: { t, id: r.id, value } });
        }
        if (touched.length)
          sets.push({ name, t, id: r.id, value, on: touched.map((x) => x.c), order: list.map((x) => x.c) });
        log.push(`${r.id} ${name}=${value} on ${on.map((x) => x.c).join("")}`);
      }
    // typed inside what another set in this round: it is covered; at its edge, or beside what another deleted: either
    for (const { c, id, left, right } of typed) {
      if (removed.some((x) => x.id !== id && (x.on.includes(left) || x.on.includes(right)))) edge.add(c);
      for (const set of sets)
        if (set.id !== id && !set.order.includes(c)) {
          const a = left ? set.order.indexOf(left) : 0,
            b = right ? set.order.indexOf(right) : set.order.length - 1,
            about = set.order.slice(a, b + 1);
          if ((left && a < 0) || (right && b < 0))
            edge.add(c); // its neighbours are new, too
          else if (left && right && about.every((x) => set.on.includes(x))) {
            const old = has.get(c)[set.name];
            if (!old || old.t < set.t || (old.t === set.t && old.id < set.id)) has.get(c)[set.name] = set;
          } else if (about.some((x) => set.on.includes(x))) edge.add(c);
        }
    }
    for (let k = 0; k < 3; k++) {
      const sent = rs.map((r) => r.out.splice(0));
      for (const [i, r] of rs.entries())
        for (const us of sent.filter((_, j) => j !== i)) for (const u of us) r.e.hear(u);
    }
    const v = rs.map((r) => r.e.model.value());
    const bad = [];
    if (v.some((x) => !same(x, v[0]))) bad.push("they differ");
    for (const { c, marks } of chars(rs[0].e))
      for (const name of NAMES) {
        const want = has.get(c)?.[name]?.value;
        checked++;
        if (edge.has(c)) {
          lenient++;
          has.get(c)[name] = { ...(has.get(c)[name] ?? { t: 0, id: 0 }), value: marks[name] };
          continue;
        }
        if (marks[name] !== want) bad.push(`${c} ${name}: ${marks[name]}, not ${want}`);
      }
    for (const node of scan(rs[0].e.model.root).all.values())
      for (const it of node.items) most = Math.max(most, Object.keys(it.raw).length);
    if (bad.length) {
      wrong++;
      if (wrong < 4) console.log(run, start, bad.join("; "), "\n  ", log.join(" | "), "\n  ", show(v[0]));
      break;
    }
  }
}
const one = person(seed([{ type: "p", children: [{ text: "one two three" }] }]), 1000);
for (let i = 0; i < 400; i++) {
  Transforms.select(one.e, range(one.e, 4, 7));
  if (i % 2) one.e.removeMark("bold");
  else one.e.addMark("bold", true);
  one.e.flush();
}
const left = new Set(
  [...scan(one.e.model.root).all.values()].flatMap((n) => n.items.flatMap((it) => Object.keys(it.raw))),
);
console.log(
  `marks: ${N} runs, ${acts} acts, ${checked} checks (${lenient} of letters at an edge), ${wrong} wrong, at most ${most} keys on a character; after 400 toggles ${left.size} keys, ${Y.encodeStateAsUpdate(one.doc).length} bytes`,
  stats.mismatch,
);
