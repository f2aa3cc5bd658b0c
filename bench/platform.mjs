// `npm run bench:platform`: what programs beside the editors cost: PATCH → the screen of a peer, and a thousand who listen to
// the events of one document. Writes docs/BENCHMARKS.md (the part between its markers). `--seconds N` of each, `--listeners N`,
// `--rate N` edits a second, `--built` (takes target/release as it is), `--dry` (prints, writes nothing). SLATE_YRS_SERVER names another program.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { createServer } from "node:net";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createEditor } from "slate";
import { WebSocket } from "ws";
import { open } from "../dist/index.js";
import { withCollab } from "../dist/slate.js";
import { root, say } from "../scripts/process.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const binary = process.env.SLATE_YRS_SERVER ?? join(root, "target/release/slate-yrs-server");
const [seconds, listeners, rate] = [option("seconds", 20), option("listeners", 1000), option("rate", 8)];
/** Clock ticks a second, in which the kernel counts processor time. */
const TICKS = 100;
/** Lines of the two documents, ten words each. */
const SIZES = [20, 1000];

if (!process.argv.includes("--built") && process.env.SLATE_YRS_SERVER === undefined) {
  say("Building the server");
  execFileSync("cargo", ["build", "--release", "--package", "slate-yrs-server"], { cwd: root, stdio: "inherit" });
}

const freePort = () =>
  new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

const folder = mkdtempSync(join(tmpdir(), "slate-yrs-bench-"));
const port = await freePort();
const server = spawn(
  binary,
  ["--listen", `127.0.0.1:${port}`, "--database", `sqlite:${join(folder, "db.sqlite")}`, "--log", "error"],
  { stdio: ["ignore", "ignore", "inherit"] },
);
const answers = () =>
  fetch(`http://127.0.0.1:${port}/healthz`).then(
    () => true,
    () => false,
  );
while (!(await answers())) await sleep(50);

/** Seconds of processor time of the server so far. */
function processor() {
  const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Megabytes that the server holds. */
const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1]) / 1024;

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
const shown = (times) => {
  times.sort((a, b) => a - b);
  return [0.5, 0.95, 0.99].map((part) => at(times, part).toFixed(1)).join(" / ");
};

const scene = (id) => `http://127.0.0.1:${port}/api/scenes/${id}`;
const line = (text) => ({ type: "action", children: [{ text }] });
const written = (lines) => [
  line("[0]"),
  ...Array.from({ length: lines - 1 }, (_, at) => line(`Line ${at} has ten words, as lines of scripts do.`)),
];

/** Its answer says up to which number the document is stored. */
async function patch(id, edits) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(scene(id), { method: "PATCH", headers, body: JSON.stringify({ edits }) });
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
  return Number(/-(\d+)"$/.exec((await answer.json()).etag)[1]);
}

/** Does `edit(n)` so often a second. */
async function steadily(edit) {
  const began = performance.now();
  const under = [];
  for (let round = 0; round < seconds * rate; round += 1) {
    under.push(edit(round));
    await sleep(Math.max(0, began + ((round + 1) * 1000) / rate - performance.now()));
  }
  await Promise.all(under);
}

/** A program replaces a word, over and over, in a document that somebody else has on the screen. */
async function patches(lines) {
  const id = `patched-${lines}`;
  const more = { id, url: `ws://127.0.0.1:${port}/ws/scenes`, offline: false, WebSocket };
  const peer = await open({ ...more, initialValue: written(lines) });
  const editor = withCollab(createEditor(), peer);
  await peer.whenSaved();
  const [began, answered, seen] = [[], [], []];
  editor.onChange = () => {
    const number = Number(/\[(\d+)\]/.exec(editor.string([0]))[1]);
    while (seen.length < number) seen.push(performance.now() - began[seen.length]);
  };
  const before = processor();
  // One after the other: each names what the one before has written.
  let last = Promise.resolve();
  await steadily((round) => {
    last = last.then(async () => {
      began.push(performance.now());
      await patch(id, [{ replace: { find: `[${round}]`, with: `[${round + 1}]` } }]);
      answered.push(performance.now() - began[round]);
    });
    return last;
  });
  while (seen.length < began.length) await sleep(5);
  const used = ((processor() - before) / began.length) * 1000;
  await peer.close();
  return { peer: shown(seen), answer: shown(answered), processor: used.toFixed(1) };
}

/** Everybody who listens hears of each edit, once and in order. */
async function listening() {
  const id = "listened-to";
  await patch(id, [{ append: { nodes: written(20) } }]);
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const without = memory();
  const heard = [];
  let ready = 0;
  const requests = Array.from({ length: listeners }, (_, who) => {
    heard[who] = [];
    return get(`${scene(id)}/events?events=changed`, { agent }, (answer) => {
      if (answer.statusCode !== 200) throw new Error(`a listener is answered ${answer.statusCode}`);
      let text = "";
      answer.setEncoding("utf8").on("data", (piece) => {
        const now = performance.now();
        const events = (text + piece).split("\n\n");
        text = events.pop();
        for (const event of events) {
          if (event.startsWith("event: ready")) ready += 1;
          if (!event.startsWith("event: changed")) continue;
          const { first, seq } = JSON.parse(/^data: (.*)$/m.exec(event)[1]);
          for (let number = first; number <= seq; number += 1) heard[who].push({ number, now });
        }
      });
      answer.on("error", () => {});
    });
  });
  while (ready < listeners) await sleep(20);
  const holds = ((memory() - without) * 1024) / listeners;
  const [began, before] = [new Map(), processor()];
  const from = performance.now();
  await steadily(async () => {
    const now = performance.now();
    began.set(await patch(id, [{ append: { nodes: [line("New.")] } }]), now);
  });
  const wanted = began.size;
  while (heard.some((numbers) => numbers.length < wanted)) await sleep(5);
  const took = (performance.now() - from) / 1000;
  const used = processor() - before;
  for (const numbers of heard)
    if (numbers.some(({ number }, at) => number !== at + 2)) throw new Error("a number is missing, or there twice");
  const times = heard.flatMap((numbers) => numbers.map(({ number, now }) => now - began.get(number)));
  for (const request of requests) request.destroy();
  return {
    times: shown(times),
    events: Math.round((wanted * listeners) / took),
    processor: ((used / (wanted * listeners)) * 1e6).toFixed(0),
    share: ((used / took) * 100).toFixed(0),
    holds: holds.toFixed(0),
  };
}

const load = loadavg()[0].toFixed(1);
const results = [];
for (const size of SIZES) results.push(await patches(size));
const heard = await listening();
server.kill();
rmSync(folder, { recursive: true, force: true });

const text = `${rate} edits a second over HTTP, ${seconds} s of each; clients and server on one machine${binary.includes("/debug/") ? ", the server a debug build" : ""} (${cpus()[0].model.trim()}, ${cpus().length} cores, load average ${load} before the run).

| \`PATCH\` that replaces a word | ${SIZES.map((lines) => `${lines} lines`).join(" | ")} |
|---|${SIZES.map(() => "--:|").join("")}
| request → a peer's editor has it, p50 / p95 / p99, ms | ${results.map(({ peer }) => peer).join(" | ")} |
| request → answer, ms | ${results.map(({ answer }) => answer).join(" | ")} |
| processor time of the server for each, ms | ${results.map((one) => one.processor).join(" | ")} |

| ${listeners} who listen to the events of one document | |
|---|--:|
| request → each of them has heard of it, p50 / p95 / p99, ms | ${heard.times} |
| events told a second | ${heard.events} |
| processor time of the server for each event, µs; its share of a core | ${heard.processor}; ${heard.share} % |
| memory of the server for each who listens, kB | ${heard.holds} |
| missing, or told twice | 0 |
`;
console.log(text);
if (!process.argv.includes("--dry")) {
  const path = join(root, "docs/BENCHMARKS.md");
  const document = readFileSync(path, "utf8");
  const marked = /(<!-- platform: begin -->\n)[\s\S]*?(<!-- platform: end -->)/;
  if (!marked.test(document)) throw new Error(`${path} has no place for it`);
  writeFileSync(
    path,
    document.replace(marked, (_, begin, end) => `${begin}${text}${end}`),
  );
}
process.exit(0);
