// `npm run bench:server`: the server under load, and the same load on @hocuspocus/server and @y/websocket-server. Each
// workload runs on all of them in turn before the next one begins, each time on a fresh process. Writes
// docs/BENCHMARKS.md (the part between its markers). `--seconds N`, `--built` (takes target/release as it is), `--dry`
// (prints, writes nothing), `--only room,rooms,readers,presence,storm,flood,one,idle,each,crowd,joins,month` with `--keep FILE` (several shorter runs:
// the results of the others are taken from the file and kept there). `--against COMMIT`: that commit's server, built once, instead of the
// others, in `--rounds N` (5) interleaved rounds, each on new databases and in the other order; prints medians, the spread from round to
// round and what the one is of the other, and writes nothing.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildServer, commitOf } from "../scripts/commit.mjs";
import { root, say } from "../scripts/process.mjs";
import { COMPARED, serverComparison } from "./server-against.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const seconds = Number(option("seconds", "10"));
const keep = option("keep");
const against = option("against", "");
const rounds = Number(option("rounds", "5"));
const commit = against && commitOf(against);
const release = join(root, "target/release");
const here = join(root, "bench/servers");
const quiet = { cwd: root, stdio: ["ignore", "ignore", "inherit"] };

if (!process.argv.includes("--built")) {
  say("Building the server and the tool that loads it");
  const packages = ["--package", "slate-yrs-server", "--bins", "--examples"];
  execFileSync("cargo", ["build", "--release", ...packages], quiet);
}
const programBefore = commit && (await buildServer(commit));
if (!commit && !existsSync(join(here, "node_modules")))
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { ...quiet, cwd: here });

const folder = mkdtempSync(join(tmpdir(), "slate-yrs-bench-"));
const loadBefore = loadavg()[0];

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

async function up(port) {
  for (let n = 0; n < 200; n += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/healthz`);
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`nothing listens on ${port}`);
}

function postgres() {
  const versions = "/usr/lib/postgresql";
  if (!existsSync(versions)) return undefined;
  const bin = join(versions, readdirSync(versions).sort().at(-1), "bin");
  const cluster = mkdtempSync(join(tmpdir(), "slate-yrs-bench-pg-"));
  const as = (program, args) =>
    execFileSync(
      "setpriv",
      ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", join(bin, program), ...args],
      { cwd: "/tmp", stdio: "ignore" },
    );
  execFileSync("chown", ["postgres", cluster]);
  const data = join(cluster, "data");
  as("initdb", ["-A", "trust", "-U", "postgres", "-D", data]);
  return {
    version: execFileSync(join(bin, "postgres"), ["--version"], { encoding: "utf8" }).trim().split(" ")[2],
    start(port) {
      const options = `-p ${port} -c listen_addresses=127.0.0.1 -k ${cluster}`;
      as("pg_ctl", ["-w", "-o", options, "-l", join(cluster, "log"), "-D", data, "start"]);
      return `postgres://postgres@127.0.0.1:${port}/postgres`;
    },
    /** One more database of this name. */
    create(port, name) {
      as("createdb", ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres", name]);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    },
    stop() {
      if (!existsSync(cluster)) return;
      as("pg_ctl", ["-w", "-m", "immediate", "-D", data, "stop"]);
      rmSync(cluster, { recursive: true, force: true });
    },
  };
}

/** Ended with this process, however it ends. */
const children = new Set();

const slateYrs =
  (database, program = join(release, "slate-yrs-server")) =>
  (port) =>
    spawn(
      program,
      // The limit of frames a second for each connection, which the others do not have, is lifted.
      [
        ...["--listen", `127.0.0.1:${port}`, "--database", database, "--log", "error"],
        ...["--max-frames-per-second", "1000000"],
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
const node = (script) => (port) =>
  spawn(process.execPath, [script], {
    cwd: here,
    env: { ...process.env, HOST: "127.0.0.1", PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"],
  });

/** Runs a tool; its line of JSON. `during` is called when it says that it is ready. */
function run(name, args, during) {
  return new Promise((done, failed) => {
    const tool = spawn(join(release, "examples", name), args.map(String), { stdio: ["pipe", "pipe", "inherit"] });
    let text = "";
    tool.stdout.on("data", (data) => {
      text += data;
      if (during && text.startsWith("ready")) {
        during();
        during = undefined;
        tool.stdin.end();
      }
    });
    tool.on("exit", (code) => {
      if (code !== 0) return failed(new Error(`${name} ${args.join(" ")}: ${code}`));
      done(JSON.parse(text.trim().split("\n").at(-1)));
    });
  });
}

const load = (args, during) => run("load", args, during);

function memory(child) {
  const line = readFileSync(`/proc/${child.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/);
  return Number(line[1]) * 1024;
}

/** Seconds of processor time. */
function processor(child) {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function fresh({ start, path }, work) {
  const port = await freePort();
  const child = start(port);
  children.add(child);
  try {
    await up(port);
    await sleep(300);
    return await work(`ws://127.0.0.1:${port}${path}`, child);
  } finally {
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await gone;
    children.delete(child);
  }
}

/** A run of the tool, and what processor time the server took for it. */
const loaded = (server, args) =>
  fresh(server, async (url, child) => {
    const before = processor(child);
    const result = await load([args[0], url, server.dialect, ...args.slice(1)]);
    return { ...result, processor: processor(child) - before };
  });

/** Bytes for each of so many connections. */
const held = (server, connections, rooms) =>
  fresh(server, async (url, child) => {
    const empty = memory(child);
    let full = 0;
    await load(["idle", url, server.dialect, connections, rooms], () => {
      full = memory(child);
    });
    return (full - empty) / connections;
  });

const workloads = {
  room: (server) => loaded(server, ["type", 50, 1, 5, seconds, 0]),
  rooms: (server) => loaded(server, ["type", 2, 1000, 1, seconds, 0]),
  readers: (server) => loaded(server, ["type", 50, 1, 1, seconds, 500]),
  presence: (server) => loaded(server, ["presence", 500, 2000, seconds]),
  storm: (server) => loaded(server, ["storm", 1500, 200_000]),
  flood: (server) => loaded(server, ["flood", 50, 32, seconds]),
  one: (server) => loaded(server, ["flood", 1, 256, seconds]),
  idle: (server) => held(server, 1000, 1),
  each: (server) => held(server, 1000, 1000),
  crowd: (server) => held(server, 10_000, 100),
  joins: (server) =>
    fresh(server, async (url) => {
      const joins = [];
      for (const [document, bytes] of [
        ["one", 1e6],
        ["ten", 1e7],
      ]) {
        joins.push(await load(["join", url, server.dialect, document, bytes, 9]));
      }
      return joins;
    }),
  // What the others do not have: they store the last state, or nothing.
  month: ({ database }) => database && run("month", [database, 2_000]),
};
const chosen = option("only", (commit ? COMPARED : Object.keys(workloads)).join(",")).split(",");

const version = (name) => JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8")).version;
process.once("SIGINT", () => process.exit(1));
const database = postgres();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  database?.stop();
});
const kept = keep && existsSync(keep) ? JSON.parse(readFileSync(keep, "utf8")) : {};
const all = [];
const ours = { path: "/ws/scenes", dialect: "durable" };
if (commit) {
  try {
    console.log(`\n${serverComparison({ commit, rounds, seconds, runs: await beside() })}`);
  } finally {
    database?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(0);
}

/** This server and the commit's, in turns: of each database and workload what came of each round. */
async function beside() {
  const port = database && (await freePort());
  if (database) database.start(port);
  const places = [["SQLite", (name) => `sqlite:${folder}/${name}.sqlite`]];
  if (database) places.push(["PostgreSQL", (name) => database.create(port, name)]);
  const runs = new Map(places.map(([name]) => [name, new Map()]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, place] of places) {
      // Whoever comes first has it otherwise: they take turns.
      const versions = round % 2 ? ["now", "before"] : ["before", "now"];
      const servers = versions.map((version) => {
        const start = slateYrs(place(`${version}_${round}`), version === "before" ? programBefore : undefined);
        return { version, start, ...ours };
      });
      for (const workload of chosen) {
        const results = runs.get(name).get(workload) ?? { before: [], now: [] };
        for (const server of servers) results[server.version].push(await workloads[workload](server));
        runs.get(name).set(workload, results);
        console.log(`round ${round + 1} of ${rounds}, ${name}, ${workload}`);
      }
    }
  }
  return runs;
}

try {
  const databases = [["SQLite", `sqlite:${folder}/bench.sqlite`]];
  if (database) databases.push(["PostgreSQL", database.start(await freePort())]);
  const servers = databases.map(([name, database]) => {
    return { name: `slate-yrs, ${name}`, database, start: slateYrs(database), ...ours };
  });
  servers.push({ name: "@hocuspocus/server", start: node("hocuspocus.mjs"), path: "", dialect: "hocuspocus" });
  const yWebsocket = join(here, "node_modules/@y/websocket-server/src/server.js");
  servers.push({ name: "@y/websocket-server", start: node(yWebsocket), path: "", dialect: "plain" });
  for (const server of servers) all.push({ ...kept[server.name], name: server.name });
  for (const workload of chosen) {
    say(workload);
    for (const [at, server] of servers.entries()) {
      all[at][workload] = await workloads[workload](server);
      console.log(server.name, JSON.stringify(all[at][workload]));
    }
    if (keep) writeFileSync(keep, JSON.stringify(Object.fromEntries(all.map((one) => [one.name, one]))));
  }
} finally {
  database?.stop();
  rmSync(folder, { recursive: true, force: true });
}
const ms = (value) => (value === undefined ? "–" : value >= 100 ? value.toFixed(0) : value.toFixed(1));
const three = (times) => (times ? `${ms(times.p50)} / ${ms(times.p95)} / ${ms(times.p99)}` : "–");
const kb = (bytes) => `${(bytes / 1024).toFixed(0)} kB`;
const share = ({ delivered, sent }, others) => `${((100 * delivered) / (sent * others)).toFixed(0)} %`;
const each = (value) => (value === undefined ? "–" : Math.round(value).toLocaleString("en"));
const stores = ({ name }) => name.startsWith("slate-yrs");
const acknowledged = (flood) => (flood.acknowledgedPerSecond ? each(flood.acknowledgedPerSecond) : "–");
const only = (measured, cell) => (measured ? cell(measured) : "–");
const rows = [
  ["stores before it acknowledges", (r) => (stores(r) ? "yes" : "no: in memory")],
  ["50 writers in a room, 250 edits/s: to a peer, p50 / p95 / p99, ms", (r) => three(r.room.peer)],
  ["the same: to the acknowledgement", (r) => three(r.room.ack)],
  ["the same: delivered", (r) => share(r.room, 49)],
  ["the same: processor time of the server", (r) => `${((100 * r.room.processor) / seconds).toFixed(0)} %`],
  ["1,000 rooms of two, 2,000 edits/s: to a peer", (r) => three(r.rooms.peer)],
  ["the same: to the acknowledgement", (r) => three(r.rooms.ack)],
  ["the same: delivered", (r) => share(r.rooms, 1)],
  ["the same: processor time of the server", (r) => `${((100 * r.rooms.processor) / seconds).toFixed(0)} %`],
  ["50 writers and 500 readers in a room, 50 edits/s: to a peer", (r) => three(r.readers.peer)],
  ["the same: delivered", (r) => share(r.readers, 549)],
  ["the same: processor time of the server", (r) => `${((100 * r.readers.processor) / seconds).toFixed(0)} %`],
  ["500 people in a room, each moves their caret every two seconds: to a peer", (r) => three(r.presence.peer)],
  ["the same: delivered", (r) => share(r.presence, 499)],
  ["the same: processor time of the server", (r) => `${((100 * r.presence.processor) / seconds).toFixed(0)} %`],
  ["1,500 open a document of 200 kB within a second: until each has it", (r) => three(r.storm.join)],
  ["the same: of 20 letters typed then, delivered", (r) => share(r.storm, 1500)],
  ["the same: processor time of the server, s", (r) => r.storm.processor.toFixed(1)],
  ["as much as goes, 50 rooms: edits/s that reach a peer", (r) => each(r.flood.deliveredPerSecond)],
  ["the same: acknowledged", (r) => acknowledged(r.flood)],
  ["the same: edits for a second of processor time", (r) => each(r.flood.delivered / r.flood.processor)],
  ["as much as goes, one room: edits/s that reach a peer", (r) => each(r.one.deliveredPerSecond)],
  ["the same: acknowledged", (r) => acknowledged(r.one)],
  ["memory for an idle connection, 1,000 in one room", (r) => kb(r.idle)],
  ["memory for a room with one idle connection, 1,000 rooms", (r) => kb(r.each)],
  ["memory for an idle connection, 10,000 in 100 rooms", (r) => kb(r.crowd)],
  ["join a document of 1 MB, median of 9, ms", (r) => ms(r.joins[0].join.p50)],
  ["join a document of 10 MB", (r) => ms(r.joins[1].join.p50)],
  ["a month of typing, 62,000 keys: bytes in the log", (r) => only(r.month, (m) => each(m.bytes))],
  ["the same compacted", (r) => only(r.month, (m) => each(m.bytesAfter))],
  ["rows of the log, before → after", (r) => only(r.month, (m) => `${each(m.rows)} → ${each(m.rowsAfter)}`)],
  ["kept instants that read the same", (r) => only(r.month, (m) => `${each(m.instants)} of ${each(m.rowsAfter)}`)],
  ["compaction of it, s", (r) => only(r.month, (m) => (m.compaction / 1000).toFixed(1))],
  ["a write meanwhile, p50 / slowest, ms", (r) => only(r.month, (m) => `${ms(m.wait.p50)} / ${ms(m.wait.most)}`)],
  ["loading it, before → after, ms", (r) => only(r.month, (m) => `${ms(m.load)} → ${ms(m.loadAfter)}`)],
];
function isThere(cell, one) {
  try {
    return !cell(one).includes("NaN");
  } catch {
    return false;
  }
}
const lines = [
  `| | ${all.map(({ name }) => name).join(" | ")} |`,
  `|---|${all.map(() => "--:").join("|")}|`,
  // What was not measured has no row.
  ...rows
    .filter(([, cell]) => all.every((one) => isThere(cell, one)) && all.some((one) => cell(one) !== "–"))
    .map(([title, cell]) => `| ${title} | ${all.map(cell).join(" | ")} |`),
];
const about = [
  `One process each, loaded from the same machine over loopback for ${seconds} s: ${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores`,
  `(load average ${loadBefore.toFixed(1)} before the run); ${execFileSync("rustc", ["--version"], { encoding: "utf8" }).trim().split(" ").slice(0, 2).join(" ")}, node ${process.versions.node},`,
  `PostgreSQL ${database?.version ?? "not installed"}, @hocuspocus/server ${version("@hocuspocus/server")}, @y/websocket-server ${version("@y/websocket-server")}.`,
  "The tool that makes the load shares the two cores with the server; processor time is the server's alone, for slate-yrs on PostgreSQL without PostgreSQL's.",
  "Its limit of 1,000 frames a second for each connection, which the others do not have, is lifted here.",
  "The acknowledgement of slate-yrs says that the edit is committed to the database; that of hocuspocus, that it was applied in memory; y-websocket has none.",
];
console.log(`\n${[...about, "", ...lines].join("\n")}`);

if (!process.argv.includes("--dry")) {
  const file = join(root, "docs/BENCHMARKS.md");
  const [begin, end] = ["<!-- server: begin -->", "<!-- server: end -->"];
  const text = readFileSync(file, "utf8");
  const table = `${begin}\n${about.join("\n")}\n\n${lines.join("\n")}\n${end}`;
  const made = text.includes(begin)
    ? text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => table)
    : `${text.trimEnd()}\n\n## The server\n\n${table}\n\nMade by \`npm run bench:server\`.\n`;
  writeFileSync(file, made);
  say("Written: docs/BENCHMARKS.md");
}
