// `npm run bench:transport`: the same typing over sockets and over HTTP, on one server, in turn. Between them stands a wire
// that counts bytes. Writes docs/BENCHMARKS.md (the part between its markers). `--seconds N` of each, `--pairs N` who type
// and watch, `--built` (takes target/release as it is), `--dry` (prints, writes nothing).
import { connect, createServer } from "node:net";
import { cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { handleOf } from "../dist/engine.js";
import { open } from "../dist/index.js";
import { binary, option, publish, shown, started } from "./serving.mjs";

const [seconds, pairs] = [option("seconds", 20), option("pairs", 10)];
/** Keys of each who types, a second. */
const KEYS = 8;

const { port, processor, stop } = await started();

/** Passes on what comes, and counts it. */
const counted = { up: 0, down: 0 };
const wire = createServer((near) => {
  const far = connect(port, "127.0.0.1");
  near.setNoDelay(true);
  far.setNoDelay(true);
  near.on("data", (bytes) => {
    counted.up += bytes.length;
    far.write(bytes);
  });
  far.on("data", (bytes) => {
    counted.down += bytes.length;
    near.write(bytes);
  });
  for (const [end, other] of [
    [near, far],
    [far, near],
  ]) {
    end.on("close", () => other.destroy());
    end.on("error", () => other.destroy());
  }
});
await new Promise((listening) => wire.listen(0, "127.0.0.1", listening));
const url = `ws://127.0.0.1:${wire.address().port}/ws/scenes`;

async function measure(transport) {
  const seats = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const more = { id: `${transport}-${pair}`, url, transport, offline: false, WebSocket };
    const initialValue = [{ type: "p", children: [{ text: "." }] }];
    const [types, watches] = [await open({ ...more, initialValue }), await open(more)];
    await Promise.all([types.whenSynced(), watches.whenSynced()]);
    seats.push({ types, watches, sent: 0, seen: 0, began: [], peer: [], acknowledged: [], acked: 0 });
  }
  for (const seat of seats) {
    seat.watches.on("change", ({ operations }) => {
      for (const operation of operations) {
        if (operation.type !== "insert_text") continue;
        for (const _ of operation.text) seat.peer.push(performance.now() - seat.began[seat.seen++]);
      }
    });
    seat.types.on("status", ({ saved }) => {
      if (saved === "server")
        while (seat.acked < seat.sent) seat.acknowledged.push(performance.now() - seat.began[seat.acked++]);
    });
  }
  Object.assign(counted, { up: 0, down: 0 });
  const [before, began] = [processor(), performance.now()];
  for (let round = 0; round < seconds * KEYS; round += 1) {
    for (const seat of seats) {
      seat.began.push(performance.now());
      seat.sent += 1;
      handleOf(seat.types).edit({ type: "insert_text", path: [0, 0], offset: round, text: "x" });
    }
    await sleep(Math.max(0, began + ((round + 1) * 1000) / KEYS - performance.now()));
  }
  await Promise.all(seats.map(({ types }) => types.whenSaved()));
  while (seats.some(({ sent, seen }) => seen < sent)) await sleep(5);
  const [used, took] = [processor() - before, (performance.now() - began) / 1000];
  const keys = pairs * seconds * KEYS;
  const result = {
    peer: shown(seats.flatMap(({ peer }) => peer)),
    acknowledged: shown(seats.flatMap(({ acknowledged }) => acknowledged)),
    bytes: `${Math.round(counted.up / keys)} / ${Math.round(counted.down / keys)}`,
    processor: `${((used / keys) * 1000).toFixed(2)}`,
    keys: Math.round(keys / took),
  };
  if (seats.some(({ types }) => types.status.transport !== transport)) throw new Error("it goes over something else");
  for (const { types, watches } of seats) await Promise.all([types.close(), watches.close()]);
  return result;
}

const load = loadavg()[0].toFixed(1);
const results = { websocket: await measure("websocket"), http: await measure("http") };
stop();
wire.close();

const row = (name, key) => `| ${name} | ${results.websocket[key]} | ${results.http[key]} |`;
const text = `${pairs} who type ${KEYS} keys a second, each alone in a document with one who watches, ${seconds} s over sockets and then over HTTP; all in one process of Node
on the machine of the server${binary.includes("/debug/") ? ", which is a debug build" : ""} (${cpus()[0].model.trim()}, ${cpus().length} cores, load average ${load} before the run). Bytes are those of TCP, without its heads; over TLS and HTTP/2 heads are packed, and cost a fraction.

| for each key | WebSocket | HTTP |
|---|--:|--:|
${row("to the one who watches, p50 / p95 / p99, ms", "peer")}
${row("to the acknowledgement, ms", "acknowledged")}
${row("bytes up / down, all clients", "bytes")}
${row("processor time of the server, ms", "processor")}
`;
publish("transport", text);
process.exit(0);
