// What the benches have in common that measure a server of their own from Node: the program, what it takes of the machine,
// how times are shown, and the place in docs/BENCHMARKS.md that what is measured is written to.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, root, say } from "../scripts/process.mjs";

/** What stands behind `--name` on the command line, a number. */
export function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

/** The server that is measured: that of this commit, unless SLATE_YRS_SERVER names another one. */
export const binary = process.env.SLATE_YRS_SERVER ?? join(root, "target/release/slate-yrs-server");
/** Clock ticks a second, in which the kernel counts processor time. */
const TICKS = 100;

/** Builds the server, unless `--built` says that it is there, and starts it on a database of its own. */
export async function started() {
  if (!process.argv.includes("--built") && process.env.SLATE_YRS_SERVER === undefined) {
    say("Building the server");
    execFileSync("cargo", ["build", "--release", "--package", "slate-yrs-server"], { cwd: root, stdio: "inherit" });
  }
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
  return {
    port,
    /** Seconds of processor time of the server so far. */
    processor() {
      const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(") ")[1].split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
    /** Megabytes that the server holds. */
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1]) / 1024,
    stop() {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Median, p95 and p99 of times in ms. */
export function shown(times) {
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
  return [0.5, 0.95, 0.99].map((part) => at(part).toFixed(1)).join(" / ");
}

/** Prints it; and writes it into docs/BENCHMARKS.md, between the markers of this name, unless `--dry` forbids it. */
export function publish(name, text) {
  console.log(text);
  if (process.argv.includes("--dry")) return;
  const path = join(root, "docs/BENCHMARKS.md");
  const document = readFileSync(path, "utf8");
  const marked = new RegExp(`(<!-- ${name}: begin -->\n)[\\s\\S]*?(<!-- ${name}: end -->)`);
  if (!marked.test(document)) throw new Error(`${path} has no place for it`);
  writeFileSync(
    path,
    document.replace(marked, (_, begin, end) => `${begin}${text}${end}`),
  );
}
