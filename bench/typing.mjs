// `npm run bench:typing`: the example's editor with a feature film in it, once on slate-yrs and once on slate-yjs with
// y-websocket. Somebody types into it in headless Chromium while a peer types elsewhere in the script; reported is the
// time from keydown to paint. Release builds. Writes the part of docs/BENCHMARKS.md between its markers.
// `--built` (takes pkg/, dist/ and the server as they are), `--rounds N`, `--keys N`, `--dry` (prints, writes nothing),
// `--profile FILE` (a CPU profile of slate-yrs' last round, for Chromium's tools). `--before COMMIT`: instead, the editor
// as it is in that commit beside that of now, on slate-yrs of now, and once more with locked pages and an open revision.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { build, preview } from "vite";
import { freePort, must, root, say } from "../scripts/process.mjs";
import { js, packages, rust, wasm } from "../scripts/setup.mjs";
import { featureScript, option, up } from "./pages.mjs";
import { Peer } from "./typing/peer.mjs";

const rounds = Number(option("rounds", "3"));
const keys = Number(option("keys", "250"));
const profile = option("profile", null);
const before = option("before", null);
const ENGINES = before === null ? ["slate-yjs", "slate-yrs"] : ["before", "now", "now, revised"];
/** Between two keys, in ms; and after each tenth key. */
const RHYTHM = { key: 70, pause: 350 };
const PEER_RHYTHM = 90;

if (!process.argv.includes("--built")) {
  await rust();
  await packages();
  say("Building");
  await wasm("--release");
  await js();
  await must("cargo", ["build", "--release", "--package", "slate-yrs-server"]);
}
const configFile = join(root, "bench/typing/vite.config.ts");
// A profile is to be read.
await build({ configFile, logLevel: "warn", build: { minify: profile === null } });
const site = await preview({ configFile, logLevel: "warn" });
const earlier = before === null ? null : await siteOf(before);

const data = mkdtempSync(join(tmpdir(), "slate-yrs-typing-"));
const port = await freePort();
const server = spawn(
  process.env.SLATE_YRS_SERVER ?? join(root, "target/release/slate-yrs-server"),
  ["--listen", `127.0.0.1:${port}`, "--database", `sqlite://${join(data, "typing.sqlite")}`],
  { stdio: "ignore" },
);
const scenes = `ws://127.0.0.1:${port}/ws/scenes`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

const taken = new Map(ENGINES.map((engine) => [engine, { event: [], frame: [], busy: [] }]));
const loads = [];
try {
  await up(port);
  const script = await featureScript(configFile);
  for (let round = 0; round < rounds; round += 1) {
    // Turn by turn, so that neither has the machine's better minutes.
    const first = ENGINES.length - 1 - (round % ENGINES.length);
    for (const engine of [...ENGINES.slice(first), ...ENGINES.slice(0, first)]) {
      loads.push(loadavg()[0]);
      const scene = `${engine.replace(/\W+/g, "-")}-${round}`;
      const result = await once(engine, scene, script, round === rounds - 1);
      const all = taken.get(engine);
      for (const name of ["event", "frame", "busy"]) all[name].push(...result[name]);
      const [event, frame] = [result.event, result.frame].map((values) => `${at(values, 0.5)} / ${at(values, 0.95)}`);
      say(
        `${engine}: keydown → paint ${event} ms, busy ${result.busy[0].toFixed(1)} ms a key (to the frame: ${frame})`,
      );
    }
  }
} finally {
  await browser.close();
  await site.close();
  await earlier?.close();
  server.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
report();
process.exit(0);

async function once(engine, scene, script, last) {
  const peer = new Peer(scenes, scene);
  await peer.synced();
  peer.seed(script);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(error.message));
  const address = new URL((engine === "before" ? earlier : site).resolvedUrls.local[0]);
  const revised = engine === "now, revised" ? { revised: "yes" } : {};
  const asked = { engine: engine === "slate-yjs" ? engine : "slate-yrs", scene, server: scenes, ...revised };
  for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
  await page.goto(address.href);
  const block = page.locator(".paper .block").nth(2);
  await block.click({ timeout: 60_000 });
  await block.evaluate((element) => {
    getSelection().selectAllChildren(element);
    getSelection().collapseToEnd();
  });
  await page.waitForTimeout(1_000);
  await page.evaluate(observe);
  peer.write(Math.floor(script.length / 2), PEER_RHYTHM);
  const tools = await context.newCDPSession(page);
  await tools.send("Performance.enable");
  const busy = async () => {
    const { metrics } = await tools.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
  };
  const type = async (count) => {
    for (let n = 0; n < count; n += 1) {
      await page.keyboard.press(n % 6 === 5 ? "Space" : "abcdefghij"[n % 10]);
      await page.waitForTimeout(n % 10 === 9 ? RHYTHM.pause : RHYTHM.key);
    }
  };
  // Warms up what is compiled while it runs.
  await type(40);
  await page.evaluate(() => window.typing.splice(0));
  const recorded = profile && last && engine === "slate-yrs";
  if (recorded) await tools.send("Profiler.enable").then(() => tools.send("Profiler.start"));
  const before = await busy();
  await type(keys);
  const cost = ((await busy()) - before) / keys;
  if (recorded) writeFileSync(profile, JSON.stringify((await tools.send("Profiler.stop")).profile));
  await page.waitForTimeout(500);
  const samples = await page.evaluate(() => window.typing);
  peer.close();
  await context.close();
  const frame = samples.filter(({ kind }) => kind === "frame").map(({ ms }) => ms);
  const event = samples.filter(({ kind }) => kind === "event").map(({ ms }) => ms);
  if (frame.length !== keys) throw new Error(`${frame.length} keys arrived of ${keys}`);
  // The browser does not tell of events under 16 ms: they count as 16.
  while (event.length < keys) event.push(16);
  return { event, frame, busy: [cost] };
}

/** The example's editor as it was in a commit. */
async function siteOf(commit) {
  const folder = join(root, "target/typing-before");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const of = ["examples/screenplay", "tsconfig.base.json"];
  const files = execFileSync("git", ["archive", commit, ...of], { cwd: root, maxBuffer: 1e9 });
  execFileSync("tar", ["-x", "-C", folder], { input: files });
  cpSync(join(root, "bench/typing"), join(folder, "bench/typing"), {
    recursive: true,
    filter: (path) => !path.endsWith("/dist"),
  });
  const configFile = join(folder, "bench/typing/vite.config.ts");
  await build({ configFile, logLevel: "warn" });
  return preview({ configFile, logLevel: "warn" });
}

/** In the page. The Event Timing API counts in steps of 8 ms; beside it, the first moment after the next frame. */
function observe() {
  window.typing = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.name === "keydown") window.typing.push({ kind: "event", ms: entry.duration });
    }
  }).observe({ type: "event", durationThreshold: 16 });
  addEventListener(
    "keydown",
    (event) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => window.typing.push({ kind: "frame", ms: performance.now() - event.timeStamp });
        port2.postMessage(0);
      });
    },
    { capture: true },
  );
}

function at(values, quantile) {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]);
}

function report() {
  const row = (name, of) => `| ${name} | ${ENGINES.map((engine) => of(taken.get(engine))).join(" | ")} |`;
  const version = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const lines = [
    `| ms | ${ENGINES.join(" | ")} |`,
    `|---|${"--:|".repeat(ENGINES.length)}`,
    row("keydown → paint, p50", ({ event }) => at(event, 0.5)),
    row("keydown → paint, p95", ({ event }) => at(event, 0.95)),
    row("keydown → after the next frame, p50", ({ frame }) => at(frame, 0.5)),
    row("keydown → after the next frame, p95", ({ frame }) => at(frame, 0.95)),
    row("main thread busy, per key", ({ busy }) => mean(busy).toFixed(1)),
  ];
  const about = [
    `The example's editor with a feature film (3,300 blocks), ${rounds} × ${keys} keys every ${RHYTHM.key} ms, while a peer types a letter every ${PEER_RHYTHM} ms in the middle of it.`,
    "keydown → paint is the Event Timing API's, in steps of 8 ms; what it does not report (under 16 ms) counts as 16. The time the main thread is busy includes what the peer's letters cost.",
    before === null
      ? `The slate-yjs side is the same editor on @slate-yjs/core ${version("@slate-yjs/core")} and y-websocket ${version("y-websocket")} against the same server; it draws no carets and keeps nothing on the device, which the slate-yrs side does.`
      : `*Before* is the editor of commit ${before.slice(0, 7)} on the engine of now; *revised* is that of now with its pages locked and a revision open.`,
    `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, load of other work ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}; Chromium ${browser.version()}.`,
  ];
  console.log(`\n${about.join(" ")}\n\n${lines.join("\n")}`);
  if (process.argv.includes("--dry")) return;
  const file = join(root, "docs/BENCHMARKS.md");
  const name = before === null ? "bench-typing" : "bench-writing";
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const text = readFileSync(file, "utf8");
  const part = `${begin}\n${about.join(" ")}\n\n${lines.join("\n")}\n${end}`;
  const how = before === null ? "" : ` -- --before ${before}`;
  const title = before === null ? "Typing" : "Typing in the editor, before and now";
  const fresh = `${text.trimEnd()}\n\n## ${title}\n\n${part}\n\nMade by \`npm run bench:typing${how}\`.\n`;
  writeFileSync(file, text.includes(begin) ? text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => part) : fresh);
  say("Written: docs/BENCHMARKS.md");
}
