// `npm run bench:journal`: what keeping every edit on the device costs the page's main thread, and how long a document
// opens whose log was never compacted. In headless Chromium, a release build, IndexedDB on the machine's disk.
// `--built` (takes pkg/ and dist/ as they are), `--keys N`, `--rows N`. The numbers are in docs/RELIABILITY.md.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { cpus } from "node:os";
import { extname, join } from "node:path";
import { chromium } from "@playwright/test";
import { root } from "../scripts/process.mjs";
import { js, packages, rust, wasm } from "../scripts/setup.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const keys = option("keys", 2_000);
const rows = option("rows", 50_000);
const BLOCKS = 1_000;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };

if (!process.argv.includes("--built")) {
  await rust();
  await packages();
  await wasm("--release");
  await js();
}

const http = createServer((request, response) => {
  // An isolated page has a clock of 5 µs, any other one of 100.
  response.setHeader("cross-origin-opener-policy", "same-origin");
  response.setHeader("cross-origin-embedder-policy", "require-corp");
  const path = join(root, new URL(request.url ?? "/", "http://localhost").pathname);
  if (request.url === "/")
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>.</title>");
  else if (!existsSync(path)) response.writeHead(404).end();
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
  const results = { off: await keystrokes(false), on: await keystrokes(true) };
  for (const [name, { median, p99, task }] of Object.entries(results)) {
    console.log(
      `kept on the device: ${name.padEnd(3)}  the call ${median} ms, p99 ${p99} ms; all main-thread work ${task} ms`,
    );
  }
  const cost = (results.on.task - results.off.task).toFixed(3);
  console.log(`journaling per keystroke, all main-thread work: ${cost} ms; ${keys} keystrokes`);
  const { first, again } = await opening();
  console.log(`opening with ${rows} logged updates: ${first} ms; again, compacted: ${again} ms`);
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

/** One character at a time, with time between them for the store to answer. */
async function keystrokes(offline) {
  const { page, context } = await fresh();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable");
  const busy = async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
  };
  await page.evaluate(openPage, { offline, blocks: BLOCKS });
  // Not what is done once: the module's first calls, the database.
  await page.evaluate(typeKeys, 200);
  const before = await busy();
  const calls = (await page.evaluate(typeKeys, keys)).sort((a, b) => a - b);
  const task = ((await busy()) - before) / keys;
  await context.close();
  const at = (share) => Number(calls[Math.floor(calls.length * share)].toFixed(3));
  return { median: at(0.5), p99: at(0.99), task: Number(task.toFixed(3)) };
}

async function openPage({ offline, blocks }) {
  const { open } = await import("/dist/index.js");
  const { engine } = await import("/dist/engine.js");
  const line = "The quick brown fox jumps over the lazy dog. ";
  const initialValue = Array.from({ length: blocks }, (_, at) => ({
    type: "action",
    id: String(at),
    children: [{ text: line }],
  }));
  const collab = await open({ id: "bench", offline, initialValue });
  globalThis.bench = { collab, handle: collab[engine], blocks };
}

async function typeKeys(count) {
  const { handle, blocks } = globalThis.bench;
  const times = [];
  for (let key = 0; key < count; key += 1) {
    // A word here, the next one there.
    const path = [(Math.floor(key / 8) * 37) % blocks, 0];
    const from = performance.now();
    handle.edit({ type: "insert_text", path, offset: key % 8, text: "x" });
    handle.flush();
    times.push(performance.now() - from);
    await new Promise((done) => setTimeout(done, 4));
  }
  return times;
}

async function opening() {
  const { page, context } = await fresh();
  await page.evaluate(openPage, { offline: false, blocks: BLOCKS });
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
  const { collab, handle, blocks } = globalThis.bench;
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
