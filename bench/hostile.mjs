// `npm run bench:hostile`: updates that are made to cost, on Yjs, the engine and the server: processor time and memory. Each measurement is a process of
// its own with a limit of memory and time. Writes the table in docs/RELIABILITY.md. `--built` (takes target/release as it
// is), `--dry` (prints, writes nothing), `--only chain,tiny`, `--seconds 180` (what takes longer is ended).
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as Y from "yjs";
import { root, say } from "../scripts/process.mjs";
import { CASES, pack, unpack } from "./hostile-updates.mjs";

const self = fileURLToPath(import.meta.url);
const program = join(root, "target/release/examples/hostile");
const at = process.argv.indexOf("--seconds");
const SECONDS = at < 0 ? 180 : Number(process.argv[at + 1]);
const KIB = 4_000_000;

/** One measurement of Yjs: the updates one by one, and the state of that opened again. */
function yjs(file) {
  const updates = unpack(readFileSync(file));
  const before = process.resourceUsage().maxRSS;
  const started = processor();
  const doc = new Y.Doc({ gc: true });
  for (const update of updates) Y.applyUpdate(doc, update);
  const ms = processor() - started;
  console.log(
    JSON.stringify({ ms, mb: Math.round((process.resourceUsage().maxRSS - before) / 1024), refused: [0, ""] }),
  );
}

/** Milliseconds that the processor has worked for this thread: what others do on the machine does not count. */
const processor = () => Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6;

/** What a process says, or how it ended. */
function measure(how, file) {
  const [command, ...args] = how === "yjs" ? [process.execPath, self, "yjs", file] : [program, how, file];
  // V8 reserves more addresses than it uses.
  const limit = how === "yjs" ? "" : `ulimit -v ${KIB}; `;
  const options = { encoding: "utf8", timeout: SECONDS * 1_000, killSignal: "SIGKILL" };
  const ran = spawnSync("sh", ["-c", `${limit}exec "$0" "$@"`, command, ...args], options);
  if (ran.error?.code === "ETIMEDOUT") return { failed: `not within ${SECONDS} s` };
  if (ran.status !== 0) return { failed: ran.signal ? `ended by ${ran.signal}` : `ended with ${ran.status}` };
  return JSON.parse(ran.stdout);
}

function cell(one) {
  if (one.failed) return one.failed;
  const time = one.ms < 1_000 ? `${Math.round(one.ms)} ms` : `${(one.ms / 1_000).toFixed(1)} s`;
  const [count, why] = one.refused;
  return `${time}, ${one.mb} MB${count > 0 ? `, ${count.toLocaleString("en")} refused: ${why}` : ""}`;
}

function main() {
  if (!process.argv.includes("--built")) {
    say("Building what applies them");
    execFileSync("cargo", ["build", "--release", "-p", "slate-yrs-server", "--example", "hostile"], { cwd: root });
  }
  const only = process.argv.includes("--only") && process.argv[process.argv.indexOf("--only") + 1].split(",");
  const folder = mkdtempSync(join(tmpdir(), "slate-yrs-hostile-"));
  const hows = ["yjs", "engine", "engine-log", "server", "server-log"];
  const rows = [
    "| | updates | bytes | Yjs | engine | its store | server | its log |",
    "|---|--:|--:|---|---|---|---|---|",
  ];
  for (const [name, [count, make]] of Object.entries(CASES)) {
    if (only && !only.includes(name)) continue;
    // Twice as many in twice the time, or by the square.
    for (const n of [count / 2, count]) {
      const updates = make(n);
      const file = join(folder, name);
      writeFileSync(file, pack(updates));
      const size = updates.reduce((sum, one) => sum + one.length, 0).toLocaleString("en");
      const cells = hows.map((how) => cell(measure(how, file)));
      rows.push(
        `| ${name} ${n.toLocaleString("en")} | ${updates.length.toLocaleString("en")} | ${size} | ${cells.join(" | ")} |`,
      );
      console.log(rows.at(-1));
    }
  }
  rmSync(folder, { recursive: true });
  if (process.argv.includes("--dry") || only) return;
  const text = [
    ...rows,
    "",
    `${cpus()[0].model}, Node ${process.versions.node}, yjs beside it on the same machine.`,
  ].join("\n");
  const path = join(root, "docs/RELIABILITY.md");
  const [start, end] = ["<!-- hostile -->", "<!-- /hostile -->"];
  const page = readFileSync(path, "utf8");
  const [head, rest] = page.split(start);
  writeFileSync(path, `${head}${start}\n${text}\n${end}${rest.split(end)[1]}`);
}

if (process.argv[2] === "yjs") yjs(process.argv[3]);
else main();
