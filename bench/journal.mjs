// `npm run bench:journal`: what keeping every edit on the device costs the page's main thread, how long it takes from a
// keystroke until the server has committed it, and how long a document opens whose log was never compacted. In headless
// Chromium, release builds, IndexedDB and SQLite on the machine's disk, everything over loopback.
// `--built` (takes pkg/, dist/ and target/release as they are), `--keys N`, `--rows N`, `--acks N`; of none of them there
// is none. `--others`: what keeping a keystroke costs in Firefox and in WebKit, and nothing else. The numbers are in
// docs/RELIABILITY.md.
import { execFileSync, spawn } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, tmpdir } from "node:os";
import { extname, join } from "node:path";
import { chromium } from "@playwright/test";
import { runnerImport } from "vite";
import { root } from "../scripts/process.mjs";
import { js, packages, rust, wasm } from "../scripts/setup.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const keys = option("keys", 2_000);
const rows = option("rows", 50_000);
const acks = option("acks", 500);
const others = process.argv.includes("--others");
const BLOCKS = 1_000;
/** Keystrokes of one kind before those of the next: what else the machine does meets all kinds alike. */
const TURN = 50;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };

if (!process.argv.includes("--built")) {
  await rust();
  await packages();
  await wasm("--size");
  await js();
  if (!others) execFileSync("cargo", ["build", "--release", "--quiet", "--package", "slate-yrs-server"], { cwd: root });
}

const imports = JSON.stringify({ imports: { slate: "/node_modules/slate/dist/index.es.js" } });
const http = createServer((request, response) => {
  // An isolated page has a clock of 5 µs, any other one of 100.
  response.setHeader("cross-origin-opener-policy", "same-origin");
  response.setHeader("cross-origin-embedder-policy", "require-corp");
  const path = join(root, new URL(request.url ?? "/", "http://localhost").pathname);
  if (request.url === "/") {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<!doctype html><title>.</title><script type="importmap">${imports}</script>`);
  } else if (!existsSync(path)) response.writeHead(404).end();
  else {
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" });
    createReadStream(path).pipe(response);
  }
});
await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
const site = `http://127.0.0.1:${http.address().port}/`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

try {
  console.log(`${cpus()[0].model}, ${cpus().length} cores; ${BLOCKS} blocks`);
  if (others) await elsewhere();
  else if (keys > 0) await keystrokes();
  if (acks > 0 && !others) await acknowledgements();
  if (rows > 0 && !others) {
    const { first, again } = await opening();
    console.log(`opening with ${rows} logged updates: ${first} ms; again, compacted: ${again} ms`);
  }
} finally {
  await browser.close();
  http.close();
}

async function fresh() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(site);
  return { page, context };
}

/** The value at a share of the sorted numbers. */
function at(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** One character at a time, with time between them for the store to answer: kept, not kept, and beside them the least that
 * IndexedDB can be asked for. */
async function keystrokes() {
  const { page, context } = await fresh();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable");
  const busy = async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
  };
  await page.evaluate(openPage, { offline: false, blocks: BLOCKS, id: "off" });
  await page.evaluate(openPage, { offline: true, blocks: BLOCKS, id: "on" });
  await page.evaluate(openBare);
  const kinds = { off: [], on: [], bare: [] };
  const tasks = { off: 0, on: 0, bare: 0 };
  // Not what is done once: the module's first calls, the database.
  for (const kind of Object.keys(kinds)) await page.evaluate(typeKeys, { kind, from: 0, count: 200 });
  for (let from = 0; from < keys; from += TURN) {
    for (const kind of Object.keys(kinds)) {
      const before = await busy();
      kinds[kind].push(...(await page.evaluate(typeKeys, { kind, from, count: TURN })));
      tasks[kind] += (await busy()) - before;
    }
  }
  await context.close();
  const { on, off } = tell(kinds, (kind) => tasks[kind]);
  const [cost, task] = [(on - off).toFixed(3), ((tasks.on - tasks.off) / kinds.on.length).toFixed(3)];
  console.log(`keeping a keystroke: ${cost} ms of the call, ${task} ms of all; ${kinds.on.length} keystrokes`);
}

/** The times of each kind; returns the medians. */
function tell(kinds, busy) {
  const said = {
    off: "not kept on the device",
    on: "kept on the device",
    bare: "a transaction of one put, with nothing around it",
  };
  const median = {};
  for (const [kind, times] of Object.entries(kinds)) {
    times.sort((a, b) => a - b);
    median[kind] = at(times, 0.5);
    const [p50, p99] = [median[kind].toFixed(3), at(times, 0.99).toFixed(3)];
    const task = busy ? `; all main-thread work ${(busy(kind) / times.length).toFixed(3)} ms` : "";
    console.log(`${said[kind]}: the call ${p50} ms, p99 ${p99} ms${task}`);
  }
  return median;
}

/** The same in the other browsers, which do not say how busy they were. */
async function elsewhere() {
  const drivers = { Firefox: "tests/e2e/firefox.ts", WebKit: "tests/e2e/webkit.ts" };
  for (const [name, file] of Object.entries(drivers)) {
    const { module } = await runnerImport(join(root, file));
    const driven = await module[name].open(site);
    // The drivers hand over the text of a function without arguments.
    const ask = (body, given) => driven.evaluate(`() => (${body})(${JSON.stringify(given)})`);
    try {
      await ask(openPage, { offline: false, blocks: BLOCKS, id: "off" });
      await ask(openPage, { offline: true, blocks: BLOCKS, id: "on" });
      await ask(openBare);
      const kinds = { off: [], on: [], bare: [] };
      for (const kind of Object.keys(kinds)) await ask(typeKeys, { kind, from: 0, count: 200 });
      for (let from = 0; from < keys; from += TURN) {
        for (const kind of Object.keys(kinds)) kinds[kind].push(...(await ask(typeKeys, { kind, from, count: TURN })));
      }
      console.log(`${name}:`);
      const { on, off } = tell(kinds, null);
      console.log(`keeping a keystroke: ${(on - off).toFixed(3)} ms of the call; ${kinds.on.length} keystrokes`);
    } finally {
      await driven.close();
    }
  }
}

async function openPage({ offline, blocks, id }) {
  const { open } = await import("/dist/index.js");
  const { engine } = await import("/dist/engine.js");
  const line = "The quick brown fox jumps over the lazy dog. ";
  const initialValue = Array.from({ length: blocks }, (_, at) => ({
    type: "action",
    id: String(at),
    children: [{ text: line }],
  }));
  const collab = await open({ id, offline, initialValue });
  globalThis.bench = { ...globalThis.bench, blocks, [id]: { collab, handle: collab[engine] } };
}

/** A database like the engine's, and what writes a record to it. */
async function openBare() {
  const database = await new Promise((resolve, reject) => {
    const opening = indexedDB.open("bare", 1);
    opening.onupgradeneeded = () =>
      opening.result.createObjectStore("outbox", { keyPath: ["document", "session", "seq"] });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => resolve(opening.result);
  });
  const session = "0123456789abcdef0123456789abcdef";
  globalThis.bench.bare = (seq) => {
    const transaction = database.transaction("outbox", "readwrite");
    const update = new Uint8Array(24).fill(1);
    transaction.objectStore("outbox").put({ document: "on", session, seq, update, sum: seq });
    transaction.commit();
  };
}

async function typeKeys({ kind, from, count }) {
  const { [kind]: target, blocks } = globalThis.bench;
  const times = [];
  for (let key = from; key < from + count; key += 1) {
    // A word here, the next one there.
    const path = [(Math.floor(key / 8) * 37) % blocks, 0];
    const began = performance.now();
    if (kind === "bare") target(key);
    else {
      target.handle.edit({ type: "insert_text", path, offset: key % 8, text: "x" });
      target.handle.flush();
    }
    times.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 4));
  }
  return times;
}

/** From `editor.insertText` until the status says that the server has it. */
async function acknowledgements() {
  const folder = mkdtempSync(join(tmpdir(), "slate-yrs-bench-"));
  const probe = createServer();
  await new Promise((listening) => probe.listen(0, "127.0.0.1", listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  const flags = ["--listen", `127.0.0.1:${port}`, "--database", `sqlite://${join(folder, "scenes.sqlite")}`];
  const server = spawn(join(root, "target/release/slate-yrs-server"), flags, { stdio: "ignore" });
  const ended = new Promise((done) => server.once("exit", done));
  try {
    while (!(await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null))?.ok) {
      if (server.exitCode !== null) throw new Error("the server did not come up");
      await new Promise((wake) => setTimeout(wake, 20));
    }
    const url = `ws://127.0.0.1:${port}/ws/scenes`;
    for (const offline of [true, false]) {
      const { page, context } = await fresh();
      const times = await page.evaluate(typeAndWait, { url, offline, count: acks, blocks: BLOCKS });
      await context.close();
      times.sort((a, b) => a - b);
      const [p50, p99] = [at(times, 0.5).toFixed(1), at(times, 0.99).toFixed(1)];
      const where = offline ? "kept on the device" : "not kept on the device";
      console.log(
        `from insertText to saved "server", ${where}: p50 ${p50} ms, p99 ${p99} ms; ${times.length} keystrokes`,
      );
    }
  } finally {
    server.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function typeAndWait({ url, offline, count, blocks }) {
  const { open } = await import("/dist/index.js");
  const { withCollab } = await import("/dist/slate.js");
  const { createEditor } = await import("slate");
  const line = "The quick brown fox jumps over the lazy dog. ";
  const block = (_, at) => ({ type: "action", id: String(at), children: [{ text: line }] });
  const initialValue = Array.from({ length: blocks }, block);
  const collab = await open({ id: `acks-${offline}`, url, offline, initialValue });
  const editor = withCollab(createEditor(), collab);
  const saved = () => collab.status.saved === "server" && collab.status.synced && editor.children.length === blocks;
  const untilSaved = () =>
    new Promise((resolve) => {
      const look = () => {
        if (!saved()) return;
        off();
        resolve();
      };
      const off = collab.on("status", look);
      look();
    });
  while (!saved()) await new Promise((wake) => setTimeout(wake, 20));
  const times = [];
  for (let key = -20; key < count; key += 1) {
    const path = [(Math.floor((key + 20) / 8) * 37) % blocks, 0];
    editor.select({ path, offset: (key + 20) % 8 });
    await Promise.resolve();
    const began = performance.now();
    editor.insertText("x");
    // The binding hands over what was typed in a microtask.
    for (let turn = 0; collab.status.saved === "server" && turn < 100; turn += 1) await Promise.resolve();
    if (collab.status.saved === "server") throw new Error("nothing was typed");
    await untilSaved();
    if (key >= 0) times.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 10 + Math.random() * 20));
  }
  await collab.close();
  return times;
}

async function opening() {
  const { page, context } = await fresh();
  await page.evaluate(openPage, { offline: false, blocks: BLOCKS, id: "bench" });
  await page.evaluate(fillLog, rows);
  const time = async () => {
    await page.goto("about:blank");
    await page.goto(site);
    return page.evaluate(async () => {
      const { init, open } = await import("/dist/index.js");
      await init();
      const from = performance.now();
      const collab = await open({ id: "bench" });
      const taken = performance.now() - from;
      if (collab.value().length === 0) throw new Error("nothing was loaded");
      // Until the log is one snapshot.
      const keys = () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open("slate-yrs");
          opening.onerror = () => reject(opening.error);
          opening.onsuccess = () => {
            const counting = opening.result.transaction("log").objectStore("log").count();
            counting.onsuccess = () => {
              opening.result.close();
              resolve(counting.result);
            };
          };
        });
      while ((await keys()) > 500) await new Promise((done) => setTimeout(done, 200));
      await collab.close();
      return Math.round(taken);
    });
  };
  const result = { first: await time(), again: await time() };
  await context.close();
  return result;
}

/** A log as a tab leaves it that was never idle: a row for each keystroke, written behind the engine's back. */
async function fillLog(count) {
  const { bench, blocks } = globalThis.bench;
  const { collab, handle } = bench;
  const updates = [collab.encodeState()];
  collab.on("update", ({ update }) => updates.push(update));
  for (let key = 0; key < count; key += 1) {
    handle.edit({ type: "insert_text", path: [((key >> 3) * 37) % blocks, 0], offset: key % 8, text: "x" });
    handle.flush();
  }
  const sum = (update) => {
    let state = 0x9e3779b9;
    const mix = (word) => {
      state = Math.imul(state ^ word, 0x85ebca6b) >>> 0;
      state = (state ^ (state >>> 15)) >>> 0;
    };
    for (const part of [new TextEncoder().encode("bench"), new Uint8Array(0), new Uint8Array(8), update]) {
      mix(part.length);
      const whole = part.length - (part.length % 4);
      for (let at = 0; at < whole; at += 4) mix(new DataView(part.buffer, part.byteOffset).getUint32(at, true));
      for (let at = whole; at < part.length; at += 1) mix(part[at]);
    }
    return state;
  };
  // Makes the database as it is to be.
  const { open } = await import("/dist/index.js");
  await (await open({ id: "another" })).close();
  const database = await new Promise((resolve, reject) => {
    const opening = indexedDB.open("slate-yrs");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => resolve(opening.result);
  });
  const transaction = database.transaction("log", "readwrite");
  const log = transaction.objectStore("log");
  for (const update of updates) log.add({ document: "bench", update, sum: sum(update) });
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
}
