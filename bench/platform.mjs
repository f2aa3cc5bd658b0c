// `npm run bench:platform`: what programs beside the editors cost: PATCH → the screen of a peer, and a thousand who listen to
// the events of one document. Writes docs/BENCHMARKS.md (the part between its markers). `--seconds N` of each, `--listeners N`,
// `--rate N` edits a second, `--built` (takes target/release as it is), `--dry` (prints, writes nothing). SLATE_YRS_SERVER names another program.
import { Agent, get } from "node:http";
import { cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createEditor } from "slate";
import { WebSocket } from "ws";
import { open } from "../dist/index.js";
import { withCollab } from "../dist/slate.js";
import { binary, option, publish, shown, started } from "./serving.mjs";

const [seconds, listeners, rate] = [option("seconds", 20), option("listeners", 1000), option("rate", 8)];
/** Lines of the two documents, ten words each. */
const SIZES = [20, 1000];

const { port, processor, memory, stop } = await started();

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
stop();

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
publish("platform", text);
process.exit(0);
