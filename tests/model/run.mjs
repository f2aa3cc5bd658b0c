// node run.mjs [--engine slate-yrs|slate-yjs] [--only ID] [--verbose] [--json OUT] FILE…
import fs from "node:fs";
import { perform } from "../scenarios/acts.mjs";
import { complaints, identical, same, show } from "../scenarios/expect.mjs";
import { fresh, replicas, seed, seedByBreaks } from "./engines.mjs";

const args = process.argv.slice(2),
  flag = (k, d) => {
    const i = args.indexOf(k);
    if (i < 0) return d;
    const v = args[i + 1];
    args.splice(i, 2);
    return v;
  };
const has = (k) => {
  const i = args.indexOf(k);
  if (i >= 0) args.splice(i, 1);
  return i >= 0;
};
const engine = flag("--engine", "slate-yrs"),
  only = flag("--only"),
  out = flag("--json"),
  verbose = has("--verbose"),
  quiet = has("--quiet");
process.on("unhandledRejection", (e) => {
  console.log("unhandled", e);
});

/** Until nobody has anything to say. `order`: who is heard first. */
async function exchange(rs, order, wrote = []) {
  const inbox = rs.map(() => []);
  const collect = async (i) => {
    await rs[i].settle();
    for (const u of rs[i].take()) {
      wrote[i] = (wrote[i] ?? 0) + 1;
      for (const j of rs.keys()) if (j !== i) inbox[j].push(u);
    }
  };
  for (let i = 0; i < rs.length; i++) await collect(i);
  for (let round = 0, still = 0; round < 40 && still < 2; round++) {
    let any = false;
    const turn = order === "last" ? [...rs.keys()].reverse() : [...rs.keys()];
    if (order === "all") {
      const got = inbox.map((q) => q.splice(0));
      for (const i of turn) {
        any ||= got[i].length > 0;
        for (const u of got[i]) rs[i].hear(u);
      }
      for (const i of turn) await collect(i);
    } else
      for (const i of turn) {
        const got = inbox[i].splice(0);
        any ||= got.length > 0;
        for (const u of got) rs[i].hear(u);
        await collect(i);
      }
    still = any ? 0 : still + 1;
  }
}
const clone = (v) => structuredClone(v);

async function checkEnd(rs, _s, schema, had, expect, complain) {
  const values = rs.map((r) => clone(r.editor.children));
  for (let i = 1; i < rs.length; i++)
    if (!identical(values[i], values[0]) && !same(values[i], values[0]))
      complain(`they differ: ${show(values[0], schema)} | ${show(values[i], schema)}`);
  rs.forEach((r, i) => {
    if (!same(r.value(), values[i])) complain(`editor ${i} differs from its document: ${show(r.value(), schema)}`);
    for (const p of r.problems()) complain(p);
  });
  for (const c of complaints(values[0], expect, had, schema)) complain(c);
  const again = await fresh(engine, rs[0].state(), schema);
  if (!same(again, values[0])) complain(`who opens it anew sees ${show(again, schema)}`);
  return values[0];
}

/** A document with a history: others than a and b (x, and where named y; client ids 2 and 3) perform `prepare` on the ready value, everybody hears everything after each turn. Returns the state a and b open. */
async function prepared(s, schema, complain) {
  const start = process.env.SEED ? seedByBreaks(s.value, schema) : seed(s.value); // SEED=1: the same start, made by Enter
  if (!s.prepare) return start;
  const turns = s.prepare.every((t) => t.who) ? s.prepare : [{ who: "x", acts: s.prepare }];
  const names = [...new Set(["x", ...turns.map((t) => t.who)])].sort();
  const rs = await replicas(engine, start, schema, names.length, true, {
    undo: true,
    captureTimeout: 0,
    clientIds: names.map((_, i) => 2 + i),
  });
  try {
    for (const r of rs) {
      await r.settle();
      r.take();
      if (!same(r.editor.children, s.value)) complain(`opened as ${show(r.editor.children, schema)}`);
    }
    for (const { who, acts } of turns) {
      const r = rs[names.indexOf(who)];
      for (const act of acts) {
        if (act.do === "undo" || act.do === "redo") {
          if (!r[act.do]()) complain(`prepare: ${act.do}() of ${who} returned false`);
        } else perform(r.editor, act);
        await r.settle();
      }
      await exchange(rs, "first");
    }
    for (const [i, r] of rs.entries()) {
      if (!same(r.editor.children, s.prepared))
        complain(`prepared (${names[i]}): ${show(r.editor.children, schema)}, not ${show(s.prepared, schema)}`);
      for (const p of r.problems()) complain(`prepare: ${p}`);
    }
    return rs[0].state();
  } finally {
    for (const r of rs) await r.close().catch(() => {});
  }
}

async function pair(s, schema, rising, order) {
  const found = [];
  let result = null,
    rs = [];
  try {
    rs = await replicas(engine, await prepared(s, schema, (x) => found.push(x)), schema, s.c ? 3 : 2, rising);
    for (const r of rs) {
      await r.settle();
      r.take();
    }
    if (!s.initial)
      for (const r of rs)
        if (!same(r.editor.children, s.prepared ?? s.value)) found.push(`opened as ${show(r.editor.children, schema)}`);
    const start = clone(rs[0].editor.children);
    const roles = [s.a, s.b, ...(s.c ? [s.c] : [])];
    for (const [i, acts] of roles.entries())
      for (const act of acts) {
        perform(rs[i].editor, act);
        await rs[i].settle();
      }
    const alone = rs.map((r) => clone(r.editor.children));
    for (const [i, want] of (s.alone ?? []).entries())
      if (want && !same(alone[i], want)) found.push(`${"abc"[i]} alone: ${show(alone[i], schema)}`);
    const wrote = [];
    await exchange(rs, order, wrote);
    for (const x of s.expect.silent ?? [])
      if (wrote["abc".indexOf(x)]) found.push(`${x}, who did nothing, wrote ${wrote["abc".indexOf(x)]} updates`);
    result = await checkEnd(rs, s, schema, [start, ...alone], s.expect, (x) => found.push(x));
  } catch (e) {
    found.push(`threw: ${String(e?.message ?? e).slice(0, 160)}`);
  }
  for (const r of rs) await r.close().catch(() => {});
  return { found, result };
}

/** Steps over named people who are connected unless told otherwise. */
async function story(s, schema, rising, order) {
  const found = [];
  let result = null,
    rs = [];
  try {
    const names = s.people ?? ["a", "b"];
    rs = await replicas(engine, await prepared(s, schema, (x) => found.push(x)), schema, names.length, rising, {
      undo: true,
      captureTimeout: 0,
    });
    for (const r of rs) {
      await r.settle();
      r.take();
    }
    if (s.prepare)
      for (const r of rs)
        if (!same(r.editor.children, s.prepared)) found.push(`opened as ${show(r.editor.children, schema)}`);
    const who = Object.fromEntries(names.map((n, i) => [n, rs[i]]));
    const had = [clone(rs[0].editor.children)];
    for (const [i, step] of s.steps.entries()) {
      const r = who[step.who],
        label = `step ${i + 1}`;
      if (step.do === "sync") await exchange(rs, order);
      else if (step.do === "undo" || step.do === "redo") {
        const before = clone(r.editor.children);
        const said = r[step.do]();
        await r.settle();
        if (step.returns !== undefined && engine !== "slate-yjs" && said !== step.returns)
          found.push(`${label}: ${step.do}() returned ${said}`);
        if (step.honest !== false && engine !== "slate-yjs" && said !== !same(before, r.editor.children))
          found.push(`${label}: ${step.do}() returned ${said}, but ${said ? "nothing" : "something"} changed`);
      } else if (step.do === "undoAll") {
        for (let k = 0; k < 20; k++) {
          const before = clone(r.editor.children);
          const said = r.undo();
          await r.settle();
          if (!said) break;
          if (engine !== "slate-yjs" && step.honest !== false && same(before, r.editor.children))
            found.push(`${label}: undo() returned true, but nothing changed`);
          await exchange(rs, order);
          if (engine === "slate-yjs" && same(before, r.editor.children) && k > 12) break;
        }
      } else if (step.do === "expect") {
        await exchange(rs, order);
        for (const c of complaints(rs[0].editor.children, step.expect, had, schema))
          found.push(`${label}: ${c} — was ${show(rs[0].editor.children, schema)}`);
      } else {
        perform(r.editor, step);
        await r.settle();
        had.push(clone(r.editor.children));
      }
    }
    await exchange(rs, order);
    result = await checkEnd(rs, s, schema, had, s.expect, (x) => found.push(x));
  } catch (e) {
    found.push(`threw: ${String(e?.message ?? e).slice(0, 160)}`);
  }
  for (const r of rs) await r.close().catch(() => {});
  return { found, result };
}

const summary = [];
let failed = 0;
for (const file of args) {
  const family = JSON.parse(fs.readFileSync(file, "utf8")),
    schema = family.schema ?? {};
  const list = family.scenarios.filter((s) => !only || s.id === only || s.id.startsWith(only));
  let ok = 0;
  const report = (s, runs) => {
    const bad = runs.filter((r) => r.found.length),
      unique = [...new Set(bad.flatMap((r) => [...new Set(r.found)].map((f) => f)))],
      ends = [...new Set(runs.map((r) => r.result && show(r.result, schema)).filter(Boolean))];
    const pass = bad.length === 0;
    if (pass) ok++;
    else failed++;
    summary.push({
      id: s.id,
      family: family.family,
      kind: s.kind,
      name: s.name,
      pass,
      bad: bad.length,
      runs: runs.length,
      complaints: unique,
      ends,
    });
    if (quiet) return;
    if (pass && !verbose) {
      console.log(`ok    ${s.id} ${s.name}`);
      return;
    }
    console.log(`${pass ? "ok   " : "FAIL "} ${s.id} ${s.name}  (${bad.length} of ${runs.length})`);
    for (const e of ends) console.log(`        came out: ${e}`);
    for (const u of unique.slice(0, 6)) console.log(`        ${u}`);
  };
  if (family.form === "lives") {
    console.log(`== ${family.family}: needs devices and a server, not run here`);
    continue;
  }
  for (const s of list) {
    const runs = [],
      own = { ...schema, ...s.schema };
    for (const rising of [true, false])
      for (const order of family.form === "story" ? ["first", "last"] : ["first", "last", "all"])
        runs.push({ ...(await (family.form === "story" ? story : pair)(s, own, rising, order)), rising, order });
    report(s, runs);
  }
  console.log(`== ${family.family} (${engine}): ${ok} ok, ${list.length - ok} fail of ${list.length}`);
}
if (out) fs.writeFileSync(out, JSON.stringify(summary, null, 1));
if (engine === "model") {
  const { stats } = await import("./model.mjs");
  console.log("flushes that did not come out:", JSON.stringify(stats.mismatch));
  if (process.env.SHOW) console.log(stats.examples.join("\n"));
}
process.exit(failed ? 1 : 0);
