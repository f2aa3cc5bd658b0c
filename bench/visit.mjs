// `npm run bench:visit`: from asking for the page to the first keystroke on the screen, in a document of 3,300 blocks, on
// slate-yrs and on slate-yjs with y-websocket; throttled by Chromium itself, at a first visit (nothing is there) and at a
// second one. Both pages have the same editor, come from one file server (brotli, as a CDN gives it), and connect to one
// slate-yrs server. Writes the part of docs/BENCHMARKS.md between its markers.
// `--built` (takes pkg/, dist/ and the server as they are), `--rounds N`, `--only "10 Mbit"`, `--dry` (prints, writes nothing).
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, loadavg, tmpdir } from "node:os";
import { extname, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { chromium } from "@playwright/test";
import { build } from "vite";
import { freePort, root, say } from "../scripts/process.mjs";
import { everythingBuilt, featureScript, option, up } from "./pages.mjs";
import { Peer } from "./typing/peer.mjs";

const rounds = Number(option("rounds", "7"));
const only = option("only", "");
const ENGINES = ["slate-yjs", "slate-yrs"];
const VISITS = ["first", "second"];
/** Bytes a second, ms, and how many times slower the processor is. */
const LINES = [
  { name: "no limit", rate: -1, latency: 0, cpu: 1 },
  { name: "10 Mbit/s, 40 ms", rate: 10e6 / 8, latency: 40, cpu: 1 },
  { name: "4 Mbit/s, 100 ms, processor 4× slower", rate: 4e6 / 8, latency: 100, cpu: 4 },
].filter(({ name }) => name.includes(only));

await everythingBuilt();
const configFile = join(root, "bench/visit/vite.config.ts");
await build({ configFile, logLevel: "warn" });
const script = await featureScript(configFile);
const site = await files();
const data = mkdtempSync(join(tmpdir(), "slate-yrs-visit-"));
const port = await freePort();
const server = spawn(
  process.env.SLATE_YRS_SERVER ?? join(root, "target/release/slate-yrs-server"),
  ["--listen", `127.0.0.1:${port}`, "--database", `sqlite://${join(data, "visit.sqlite")}`],
  { stdio: "ignore" },
);
const scenes = `ws://127.0.0.1:${port}/ws/scenes`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

/** By line, visit and engine: the marks of each round. */
const taken = new Map();
const loads = [];
try {
  await up(port);
  for (const engine of ENGINES) await seed(engine);
  for (let round = 0; round <= rounds; round += 1) {
    for (const line of LINES) {
      // Turn by turn, so that neither has the machine's better minutes.
      for (const engine of round % 2 ? ENGINES : [...ENGINES].reverse()) {
        loads.push(loadavg()[0]);
        const visits = await twice(engine, line);
        // The first round warms up.
        if (round === 0) continue;
        for (const [n, marks] of visits.entries()) {
          const key = JSON.stringify([line.name, VISITS[n], engine]);
          taken.set(key, [...(taken.get(key) ?? []), marks]);
        }
        const keys = visits.map(({ key }) => Math.round(key)).join(", then ");
        say(`${line.name}, ${engine}: page → first key ${keys} ms`);
      }
    }
  }
} finally {
  await browser.close();
  site.close();
  server.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
report();
process.exit(0);

/** A first and a second visit of somebody. */
async function twice(engine, line) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const visits = [];
  for (const _ of VISITS) visits.push(await once(context, engine, line));
  await context.close();
  return visits;
}

async function once(context, engine, line) {
  const page = await context.newPage();
  const failed = new Promise((_, reject) => page.on("pageerror", reject));
  const tools = await context.newCDPSession(page);
  await tools.send("Network.enable");
  const rate = { downloadThroughput: line.rate, uploadThroughput: line.rate };
  await tools.send("Network.emulateNetworkConditions", { offline: false, latency: line.latency, ...rate });
  await tools.send("Emulation.setCPUThrottlingRate", { rate: line.cpu });
  const address = new URL(`${engine}.html`, site.address);
  const query = { room: engine, server: scenes, blocks: String(script.length) };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  await page.goto(address.href, { waitUntil: "commit" });
  await Promise.race([failed, page.waitForFunction(() => "key" in (window.visit ?? {}), null, { timeout: 60_000 })]);
  const marks = await page.evaluate(() => {
    const entries = performance.getEntriesByType("resource");
    const wasm = entries.find(({ name }) => name.endsWith(".wasm"));
    const code = entries.find(({ name }) => name.endsWith(".js"));
    const bytes = entries.reduce((sum, { transferSize }) => sum + transferSize, 0);
    return {
      ...window.visit,
      "script asked for": code?.startTime,
      "script loaded": code?.responseEnd,
      "module asked for": wasm?.startTime,
      "module loaded": wasm?.responseEnd,
      bytes,
      modules: entries.filter(({ name }) => name.endsWith(".wasm")).length,
    };
  });
  if (engine === "slate-yrs" && marks.modules !== 1) throw new Error(`the module was asked for ${marks.modules} times`);
  // What the first visit keeps on the device is there for the second one.
  await page.waitForTimeout(1_000);
  await page.close();
  return marks;
}

async function seed(engine) {
  const peer = new Peer(scenes, engine);
  await peer.synced();
  peer.seed(script);
  await new Promise((wake) => setTimeout(wake, 2_000));
  peer.close();
}

/** Gives what Vite has built as a CDN does: files with a hash in their name for ever, and all of it in brotli. */
async function files() {
  const folder = join(root, "bench/visit/dist");
  const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
  const all = new Map();
  for (const name of readdirSync(folder, { recursive: true })) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
    all.set(`/${name}`, { type, bytes: brotliCompressSync(readFileSync(join(folder, name)), { params }) });
  }
  const http = createServer((request, response) => {
    const file = all.get(new URL(request.url, "http://host").pathname);
    if (file === undefined) return response.writeHead(404).end();
    const cache = file.type === "text/html" ? "no-cache" : "public, max-age=31536000, immutable";
    response.writeHead(200, {
      ...{ "content-type": file.type, "content-encoding": "br", "cache-control": cache },
      "content-length": file.bytes.length,
    });
    response.end(file.bytes);
  });
  await new Promise((ready) => http.listen(0, "127.0.0.1", ready));
  return { address: `http://127.0.0.1:${http.address().port}/`, close: () => http.close() };
}

function median(line, visit, engine, name) {
  const values = (taken.get(JSON.stringify([line, visit, engine])) ?? []).map((marks) => marks[name]);
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function report() {
  const ms = (value) => (value === undefined ? "–" : String(Math.round(value)));
  const rows = LINES.flatMap(({ name }) =>
    VISITS.map((visit) => {
      const [theirs, ours] = ENGINES.map((engine) => median(name, visit, engine, "key"));
      const kB = ENGINES.map((engine) => Math.round(median(name, visit, engine, "bytes") / 1000));
      return `| ${[name, visit, ms(theirs), ms(ours), (theirs / ours).toFixed(2), ...kB].join(" | ")} |`;
    }),
  );
  const steps = [
    ...["script asked for", "script loaded", "script", "module asked for", "module loaded", "dialled", "connected"],
    ...["document", "opened", "synced", "mounted", "shown", "key"],
  ];
  const waterfall = LINES.flatMap(({ name }) =>
    VISITS.flatMap((visit) =>
      ENGINES.map(
        (engine) =>
          `| ${[name, visit, engine, ...steps.map((step) => ms(median(name, visit, engine, step)))].join(" | ")} |`,
      ),
    ),
  );
  const lines = [
    "| line | visit | slate-yjs, ms | slate-yrs, ms | slate-yjs over slate-yrs | kB slate-yjs | kB slate-yrs |",
    "|---|---|--:|--:|--:|--:|--:|",
    ...rows,
    "",
    "The waterfall, ms since the page was asked for:",
    "",
    `| line | visit | engine | ${steps.join(" | ")} |`,
    `|---|---|---|${"--:|".repeat(steps.length)}`,
    ...waterfall,
  ];
  const about = [
    `From asking for the page to the first keystroke painted, in a document of ${script.length.toLocaleString("en")} blocks; medians of ${rounds} interleaved rounds after one to warm up. The limits are Chromium's own.`,
    "A first visit finds nothing on the device; at the second the browser has script and module, and slate-yrs the document, which slate-yjs fetches again (y-indexeddb, which would keep it, is not among what its documentation sets up).",
    `Both pages have the same editor, from one file server, in brotli, and connect to one slate-yrs server. ${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}; Chromium ${browser.version()}.`,
  ];
  console.log(`\n${about.join(" ")}\n\n${lines.join("\n")}`);
  if (process.argv.includes("--dry")) return;
  const file = join(root, "docs/BENCHMARKS.md");
  const [begin, end] = ["<!-- bench-visit: begin -->", "<!-- bench-visit: end -->"];
  const text = readFileSync(file, "utf8");
  const part = `${begin}\n${about.join(" ")}\n\n${lines.join("\n")}\n${end}`;
  const fresh = `${text.trimEnd()}\n\n## A visit\n\n${part}\n\nMade by \`npm run bench:visit\`.\n`;
  writeFileSync(file, text.includes(begin) ? text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => part) : fresh);
  say("Written: docs/BENCHMARKS.md");
}
