// `npm run plant`: plants bugs, one at a time, in a copy of the code, and says after how many seeds the simulator finds
// each; of one that simulated people do not bring about, whether the test that is named with it does; of one that is to be
// found `twice`, whether a random run and a case with a name among the engine's tests do, or a random run of the oracle.
// One that is not found makes this fail. Where each is planted is in `planted-bugs.mjs`; `npm test` checks that the place
// is still there. `-- --seeds N` tries so many seeds, `-- --only WORD` plants those with the word in their name,
// `-- --from WORD` all from the first of those on, `-- --of-commit` three that the commit's hash draws of those that a test
// with a name finds, as `npm test` does.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeOver } from "./built.mjs";
import { drawn, PLANTS } from "./planted-bugs.mjs";
import { ask, root } from "./process.mjs";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const seeds = option("--seeds", "5000");
const only = option("--only", "");
const start = option("--from", "");
const isOfCommit = process.argv.includes("--of-commit");
// Those that a test with a name finds: the others take minutes each. What is not committed yet has no hash.
const QUICK = PLANTS.filter(({ test, twice }) => test && !twice);
const plants = isOfCommit ? drawn(QUICK, ask("git", ["rev-parse", "HEAD"]) ?? "") : PLANTS;

// A target directory of its own: cargo tells the crates of two copies apart by nothing but the time.
const copy = join(root, "target/planted");
mkdirSync(copy, { recursive: true });
// With what the tests of engine and server read.
for (const part of [
  "Cargo.toml",
  "Cargo.lock",
  "clippy.toml",
  "src",
  "server",
  "xtask",
  "tests",
  "docs",
  "fuzz/corpus",
]) {
  rmSync(join(copy, part), { recursive: true, force: true });
  cpSync(join(root, part), join(copy, part), { recursive: true });
}

takeOver(join(copy, "target"));

const RANDOM = /random|drawn|::alone::|^what_people_do/;
// As many as it knows counts of.
const COUNTED = { SLATE_RUNS: "10000" };
const ORACLE = ["test", "--package", "slate-yrs-oracle", "--test", "runs"];
// Chosen together they have the features that the tests have built their dependencies with.
const SIMULATION = ["--package", "slate-yrs-simulation", "--package", "slate-yrs-server"];

let failed = 0;
/** What fails of the tests of the mapping: a random run, and a case with a name. */
function twiceOf(stdout) {
  const failed = [...stdout.matchAll(/^test (\S+) \.\.\. FAILED$/gm)].map(([, name]) => name);
  const random = failed.find((name) => RANDOM.test(name));
  const named = failed.find((name) => !RANDOM.test(name));
  return random && named ? [`found by ${random} and ${named}, of ${failed.length} that fail`] : null;
}

const first = plants.findIndex(({ name }) => name.includes(start));
const chosen = first < 0 ? [] : plants.slice(first).filter(({ name }) => name.includes(only));
for (const { name, file, from, to, test, twice } of chosen) {
  const path = join(copy, file);
  const sound = readFileSync(path, "utf8");
  let said = `its place in ${file} has changed`;
  if (sound.split(from).length === 2) {
    writeFileSync(
      path,
      sound.replace(from, () => to),
    );
    const env = { ...process.env, CARGO_TARGET_DIR: join(copy, "target"), CARGO_INCREMENTAL: "1", RUST_BACKTRACE: "0" };
    const tests = twice ? ["--package", "slate-yrs", "--lib", "slate::"] : test && ["--quiet", ...test];
    const spawned = (program, args, more = {}) =>
      spawnSync(program, args, { cwd: copy, env: { ...env, ...more }, encoding: "utf8", maxBuffer: 1 << 28 });
    const cargo = (args, more) => spawned("cargo", args, more);
    const simulated = () => {
      const made = cargo(["test", "--quiet", ...SIMULATION, "--no-run", "--test", "found"]);
      if (made.status !== 0) return made;
      return spawned(join(copy, "target/debug/slate-yrs-simulation"), ["--first", "--seeds", seeds]);
    };
    const { stdout, stderr } = tests ? cargo(["test", ...tests]) : simulated();
    // What only people together bring about, the oracle finds.
    const more = twice && !twiceOf(stdout) ? cargo(ORACLE, COUNTED).stdout : "";
    writeFileSync(path, sound);
    const found = twice
      ? twiceOf(stdout + more)
      : stdout.match(test ? /^test result: FAILED.*/m : /^found after (\d+) seeds: .*/m);
    said = found?.[0] ?? `not found: ${(stdout.trim() || stderr).split("\n").at(-1)}`;
    if (found) {
      console.log(`ok      ${name}: ${said}`);
      continue;
    }
  }
  failed += 1;
  console.log(`FAILED  ${name}: ${said}`);
}
console.log(`planted: ${chosen.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
