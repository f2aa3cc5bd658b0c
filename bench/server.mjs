// `npm run bench:server`: the server under load, and the same load on @hocuspocus/server and @y/websocket-server.
// Writes docs/BENCHMARKS.md (the part between its markers). `--seconds N`, `--built` (takes target/release as it is),
// `--dry` (prints, writes nothing).
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root, say } from "../scripts/process.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const seconds = Number(option("seconds", "10"));
const release = join(root, "target/release");
const here = join(root, "bench/servers");
const quiet = { cwd: root, stdio: ["ignore", "ignore", "inherit"] };

if (!process.argv.includes("--built")) {
  say("Building the server and the tool that loads it");
  const packages = ["--package", "slate-yrs-server", "--bins", "--example", "load"];
  execFileSync("cargo", ["build", "--release", ...packages], quiet);
}
if (!existsSync(join(here, "node_modules")))
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
    stop() {
      as("pg_ctl", ["-w", "-m", "immediate", "-D", data, "stop"]);
      rmSync(cluster, { recursive: true, force: true });
    },
  };
}

const slateYrs = (database) => (port) =>
  spawn(join(release, "slate-yrs-server"), ["--listen", `127.0.0.1:${port}`, "--database", database, "--log", "warn"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
const node = (script) => (port) =>
  spawn(process.execPath, [script], {
    cwd: here,
    env: { ...process.env, HOST: "127.0.0.1", PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"],
  });

/** Runs the tool; its line of JSON. `during` is called when it says that it is ready. */
function load(args, during) {
  return new Promise((done, failed) => {
    const tool = spawn(join(release, "examples/load"), args.map(String), { stdio: ["pipe", "pipe", "inherit"] });
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
      if (code !== 0) return failed(new Error(`load ${args.join(" ")}: ${code}`));
      done(JSON.parse(text.trim().split("\n").at(-1)));
    });
  });
}

function memory(child) {
  const line = readFileSync(`/proc/${child.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/);
  return Number(line[1]) * 1024;
}

async function measure(name, start, path, dialect) {
  const results = { name };
  const fresh = async (work) => {
    const port = await freePort();
    const child = start(port);
    try {
      await up(port);
      return await work(`ws://127.0.0.1:${port}${path}`, child);
    } finally {
      const gone = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await gone;
    }
  };
  say(name);
  results.room = await fresh((url) => load(["type", url, dialect, 50, 1, 5, seconds]));
  console.log("50 in a room", JSON.stringify(results.room));
  results.rooms = await fresh((url) => load(["type", url, dialect, 2, 1000, 1, seconds]));
  console.log("1,000 rooms", JSON.stringify(results.rooms));
  results.idle = await fresh(async (url, child) => {
    await sleep(500);
    const empty = memory(child);
    let one = 0;
    await load(["idle", url, dialect, 1000, 1], () => {
      one = memory(child);
    });
    return (one - empty) / 1000;
  });
  results.each = await fresh(async (url, child) => {
    await sleep(500);
    const empty = memory(child);
    let many = 0;
    await load(["idle", url, dialect, 1000, 1000], () => {
      many = memory(child);
    });
    return (many - empty) / 1000;
  });
  console.log("memory", results.idle, results.each);
  results.joins = await fresh(async (url) => {
    const joins = [];
    for (const [document, bytes] of [
      ["one", 1e6],
      ["ten", 1e7],
    ]) {
      await load(["seed", url, dialect, document, bytes]);
      joins.push(await load(["join", url, dialect, document, 9]));
    }
    return joins;
  });
  console.log("joins", JSON.stringify(results.joins));
  return results;
}

const version = (name) => JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8")).version;
const database = postgres();
const all = [];
try {
  all.push(await measure("slate-yrs, SQLite", slateYrs(`sqlite:${folder}/bench.sqlite`), "/ws/scenes", "durable"));
  if (database) {
    const url = database.start(await freePort());
    all.push(await measure("slate-yrs, PostgreSQL", slateYrs(url), "/ws/scenes", "durable"));
  }
  all.push(await measure("@hocuspocus/server", node("hocuspocus.mjs"), "", "hocuspocus"));
  const yWebsocket = join(here, "node_modules/@y/websocket-server/src/server.js");
  all.push(await measure("@y/websocket-server", node(yWebsocket), "", "plain"));
} finally {
  database?.stop();
  rmSync(folder, { recursive: true, force: true });
}

const ms = (value) => (value === undefined ? "–" : value >= 100 ? value.toFixed(0) : value.toFixed(1));
const three = (times) => (times ? `${ms(times.p50)} / ${ms(times.p95)} / ${ms(times.p99)}` : "–");
const kb = (bytes) => `${(bytes / 1024).toFixed(0)} kB`;
const share = ({ delivered, sent }, others) => `${((100 * delivered) / (sent * others)).toFixed(0)} %`;
const rows = [
  ["stores before it acknowledges", (r) => (r.name.startsWith("slate-yrs") ? "yes" : "no: in memory")],
  ["50 writers in a room, 250 edits/s: to a peer, p50 / p95 / p99, ms", (r) => three(r.room.peer)],
  ["the same: to the acknowledgement", (r) => three(r.room.ack)],
  ["the same: delivered", (r) => share(r.room, 49)],
  ["1,000 rooms of two, 2,000 edits/s: to a peer", (r) => three(r.rooms.peer)],
  ["the same: to the acknowledgement", (r) => three(r.rooms.ack)],
  ["the same: delivered", (r) => share(r.rooms, 1)],
  ["memory for an idle connection, 1,000 in one room", (r) => kb(r.idle)],
  ["memory for a room with one idle connection, 1,000 rooms", (r) => kb(r.each)],
  ["join a document of 1 MB, median of 9, ms", (r) => ms(r.joins[0].join.p50)],
  ["join a document of 10 MB", (r) => ms(r.joins[1].join.p50)],
];
const lines = [
  `| | ${all.map(({ name }) => name).join(" | ")} |`,
  `|---|${all.map(() => "--:").join("|")}|`,
  ...rows.map(([title, cell]) => `| ${title} | ${all.map(cell).join(" | ")} |`),
];
const about = [
  `One process each, loaded from the same machine over loopback for ${seconds} s: ${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores`,
  `(load average ${loadBefore.toFixed(1)} before the run); ${execFileSync("rustc", ["--version"], { encoding: "utf8" }).trim().split(" ").slice(0, 2).join(" ")}, node ${process.versions.node},`,
  `PostgreSQL ${database?.version ?? "not installed"}, @hocuspocus/server ${version("@hocuspocus/server")}, @y/websocket-server ${version("@y/websocket-server")}.`,
  "The acknowledgement of slate-yrs says that the edit is committed to the database; that of hocuspocus, that it was applied in memory; y-websocket has none.",
];
console.log(`\n${[...about, "", ...lines].join("\n")}`);

if (!process.argv.includes("--dry")) {
  const file = join(root, "docs/BENCHMARKS.md");
  const [begin, end] = ["<!-- bench-server: begin -->", "<!-- bench-server: end -->"];
  const text = readFileSync(file, "utf8");
  const table = `${begin}\n${about.join("\n")}\n\n${lines.join("\n")}\n${end}`;
  const made = text.includes(begin)
    ? text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => table)
    : `${text.trimEnd()}\n\n## The server\n\n${table}\n\nMade by \`npm run bench:server\`.\n`;
  writeFileSync(file, made);
  say("Written: docs/BENCHMARKS.md");
}
