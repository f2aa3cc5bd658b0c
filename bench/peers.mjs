// `npm run bench:peers`: a key is pressed in one browser; until its letter is painted in another, in a script of 10,000
// words. On slate-yrs with its server (SQLite), and on slate-yjs with y-websocket and its server (in memory), in turn; with
// nothing between browsers and server, and with 20 ms each way. Writes the part of docs/BENCHMARKS.md between its markers.
// `--built` (takes pkg/, dist/ and the server as they are), `--rounds N`, `--keys N` in each round, `--dry` (prints, writes
// nothing).
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "@playwright/test";
import { build, preview } from "vite";
import { freePort, root, say } from "../scripts/process.mjs";
import { everythingBuilt, featureScript, option } from "./pages.mjs";
import { Peer } from "./typing/peer.mjs";

const [rounds, keys] = [Number(option("rounds", "5")), Number(option("keys", "60"))];
const WORDS = 10_000;
/** The block that is typed in, on the first screen. */
const BLOCK = 3;
const LINES = [
  { name: "localhost", delay: 0 },
  { name: "20 ms each way", delay: 20 },
];

await everythingBuilt();
const configFile = join(root, "bench/visit/vite.config.ts");
await build({ configFile, logLevel: "warn" });
const script = tenThousandWords(await featureScript(configFile));
const site = await preview({ configFile, logLevel: "warn", preview: { host: "127.0.0.1", port: await freePort() } });
const data = mkdtempSync(join(tmpdir(), "slate-yrs-peers-"));
const browsers = await Promise.all([chromium, chromium].map(launch));

const ENGINES = [
  {
    name: "slate-yjs",
    path: "",
    start: (port) => [process.execPath, [join(root, "tests/e2e/plain/y_server.mjs"), String(port)]],
  },
  {
    name: "slate-yrs",
    path: "/ws/scenes",
    start: (port) => [
      process.env.SLATE_YRS_SERVER ?? join(root, "target/release/slate-yrs-server"),
      ["--listen", `127.0.0.1:${port}`, "--database", `sqlite://${join(data, "peers.sqlite")}`, "--log", "error"],
    ],
  },
];

/** By line and engine: milliseconds of all keys. */
const taken = new Map();
const loads = [];
const started = [];
try {
  for (const engine of ENGINES) {
    engine.port = await freePort();
    const [command, args] = engine.start(engine.port);
    started.push(spawn(command, args, { stdio: "ignore" }));
    await listens(engine.port);
    const peer = new Peer(`ws://127.0.0.1:${engine.port}${engine.path}`, "script");
    await peer.synced();
    peer.seed(script);
    await sleep(2_000);
    peer.close();
  }
  for (let round = 0; round <= rounds; round += 1) {
    for (const line of LINES) {
      // Turn by turn, so that neither has the machine's better minutes.
      for (const engine of round % 2 ? ENGINES : [...ENGINES].reverse()) {
        loads.push(loadavg()[0]);
        const found = await typed(engine, line);
        say(
          `${line.name}, ${engine.name}: median ${rank(found, 0.5).toFixed(1)} ms, p95 ${rank(found, 0.95).toFixed(1)} ms`,
        );
        // The first round warms up.
        if (round === 0) continue;
        const key = JSON.stringify([line.name, engine.name]);
        taken.set(key, [...(taken.get(key) ?? []), ...found]);
      }
    }
  }
} finally {
  for (const browser of browsers) await browser.close();
  await site.close();
  for (const server of started) server.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
report();
process.exit(0);

function launch(kind) {
  return kind.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
}

/** The first blocks of a script, until they have so many words. */
function tenThousandWords(blocks) {
  let words = 0;
  const end = blocks.findIndex((block) => {
    words += block.children
      .map(({ text }) => text)
      .join("")
      .split(/\s+/)
      .filter(Boolean).length;
    return words >= WORDS;
  });
  if (end < 0) throw new Error(`the script has ${words} words`);
  return blocks.slice(0, end + 1);
}

/** Milliseconds from each key in one browser until its letter is painted in the other. */
async function typed(engine, { delay }) {
  const wire = await wireTo(engine.port, delay);
  const query = new URLSearchParams({
    room: "script",
    server: `ws://127.0.0.1:${wire.port}${engine.path}`,
    blocks: String(script.length),
  });
  const address = new URL(`${engine.name}.html?${query}`, site.resolvedUrls.local[0]);
  const contexts = await Promise.all(
    browsers.map((browser) => browser.newContext({ viewport: { width: 1280, height: 800 } })),
  );
  const pages = [];
  for (const context of contexts) {
    const page = await context.newPage();
    await page.goto(address.href);
    await page.waitForFunction(() => "key" in (window.visit ?? {}), null, { timeout: 60_000 });
    pages.push(page);
  }
  const [writer, reader] = pages;
  // What both have typed at the start has to be there.
  const text = (page) => page.locator("[data-slate-editor] > p").nth(BLOCK).textContent();
  while ((await text(writer)) !== (await text(reader))) await sleep(20);
  await writer.evaluate(() => {
    window.pressed = [];
    const press = ({ timeStamp }) => window.pressed.push(performance.timeOrigin + timeStamp);
    document.addEventListener("keydown", press, { capture: true });
  });
  await reader.evaluate((at) => {
    window.painted = [];
    const block = document.querySelectorAll("[data-slate-editor] > p")[at];
    let length = block.textContent.length;
    new MutationObserver(() => {
      const now = block.textContent.length;
      for (; length < now; length += 1) {
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => window.painted.push(performance.timeOrigin + performance.now());
          port2.postMessage(0);
        });
      }
    }).observe(block, { subtree: true, childList: true, characterData: true });
  }, BLOCK);
  await writer.locator("[data-slate-editor] > p").nth(BLOCK).click();
  await writer.keyboard.press("End");
  await writer.evaluate(() => window.pressed.splice(0));
  for (let key = 1; key <= keys; key += 1) {
    await writer.keyboard.press("abcdefg"[key % 7]);
    await reader.waitForFunction((count) => window.painted.length >= count, key, { timeout: 30_000, polling: 20 });
    // At any time of a frame.
    await sleep(40 + 40 * Math.random());
  }
  const pressed = await writer.evaluate(() => window.pressed);
  const painted = await reader.evaluate(() => window.painted);
  if (pressed.length !== keys || painted.length !== keys)
    throw new Error(`${pressed.length} keys, ${painted.length} letters`);
  for (const context of contexts) await context.close();
  wire.close();
  return painted.map((at, key) => at - pressed[key]);
}

/** Something between the browsers and a server that gives on what comes after so many milliseconds, in its order. */
async function wireTo(port, delay) {
  const ends = new Set();
  const wire = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      ends.add(from);
      from.setNoDelay(true);
      from.on("data", (bytes) => (delay === 0 ? to.write(bytes) : setTimeout(() => to.write(bytes), delay)));
      from.on("close", () => to.destroy());
      from.on("error", () => to.destroy());
    }
  });
  await new Promise((ready) => wire.listen(0, "127.0.0.1", ready));
  const close = () => {
    for (const end of ends) end.destroy();
    wire.close();
  };
  return { port: wire.address().port, close };
}

async function listens(port) {
  for (let tries = 0; tries < 100; tries += 1) {
    const open = await new Promise((done) => {
      const socket = connect(port, "127.0.0.1", () => done(true));
      socket.on("error", () => done(false));
      socket.on("connect", () => socket.destroy());
    });
    if (open) return;
    await sleep(100);
  }
  throw new Error("a server did not come up: build it (without --built this command does)");
}

function rank(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

function report() {
  const rows = LINES.map(({ name }) => {
    const found = ENGINES.map((engine) => taken.get(JSON.stringify([name, engine.name])) ?? []);
    const ms = found.flatMap((values) => [rank(values, 0.5).toFixed(1), rank(values, 0.95).toFixed(1)]);
    return `| ${[name, ...ms].join(" | ")} |`;
  });
  const lines = [
    "| between browser and server | slate-yjs, median, ms | p95 | slate-yrs, median, ms | p95 |",
    "|---|--:|--:|--:|--:|",
    ...rows,
  ];
  const about = [
    `From a key in one browser until its letter is painted in another, in a script of ${WORDS.toLocaleString("en")} words (${script.length.toLocaleString("en")} blocks); ${rounds * keys} keys of each, in ${rounds} interleaved rounds after one to warm up.`,
    "slate-yrs has its server, which commits a letter to SQLite before it passes it on; slate-yjs has y-websocket and `@y/websocket-server`, which keeps it in memory.",
    `Both pages have the same editor. ${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}; Chromium ${browsers[0].version()}.`,
  ];
  console.log(`\n${about.join(" ")}\n\n${lines.join("\n")}`);
  if (process.argv.includes("--dry")) return;
  const file = join(root, "docs/BENCHMARKS.md");
  const [begin, end] = ["<!-- bench-peers: begin -->", "<!-- bench-peers: end -->"];
  const text = readFileSync(file, "utf8");
  const part = `${begin}\n${about.join(" ")}\n\n${lines.join("\n")}\n${end}`;
  const fresh = `${text.trimEnd()}\n\n## Two browsers\n\n${part}\n\nMade by \`npm run bench:peers\`.\n`;
  writeFileSync(file, text.includes(begin) ? text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => part) : fresh);
  say("Written: docs/BENCHMARKS.md");
}
