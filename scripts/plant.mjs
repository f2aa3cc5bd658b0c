// `npm run plant`: plants bugs, one at a time, in a copy of the code, and says after how many seeds the simulator finds
// each; of one that simulated people do not bring about, whether the test that is named with it does; of one that is to be
// found `twice`, whether a random run and a case with a name among the engine's tests do, or a random run of the oracle. One that is not found makes this fail. Where each is planted is in `planted-bugs.mjs`; `npm test` checks that the place is still there.
// `-- --seeds N` tries so many seeds, `-- --only WORD` those with the word in their name.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PLANTS } from "./planted-bugs.mjs";
import { root } from "./process.mjs";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const seeds = option("--seeds", "5000");
const only = option("--only", "");

// A target directory of its own: cargo tells the crates of two copies apart by nothing but the time.
const copy = join(root, "target/planted");
mkdirSync(copy, { recursive: true });
for (const part of ["Cargo.toml", "Cargo.lock", "clippy.toml", "src", "server", "xtask", "tests"]) {
  rmSync(join(copy, part), { recursive: true, force: true });
  cpSync(join(root, part), join(copy, part), { recursive: true });
}

const RANDOM = /random|drawn|::alone::|^what_people_do/;
// As many as it knows counts of.
const COUNTED = { SLATE_RUNS: "10000" };
const ORACLE = ["test", "--package", "slate-yrs-oracle", "--test", "runs"];

let failed = 0;
/** What fails of the tests of the mapping: a random run, and a case with a name. */
function twiceOf(stdout) {
  const failed = [...stdout.matchAll(/^test (\S+) \.\.\. FAILED$/gm)].map(([, name]) => name);
  const random = failed.find((name) => RANDOM.test(name));
  const named = failed.find((name) => !RANDOM.test(name));
  return random && named ? [`found by ${random} and ${named}, of ${failed.length} that fail`] : null;
}

for (const { name, file, from, to, test, twice } of PLANTS.filter(({ name }) => name.includes(only))) {
  const path = join(copy, file);
  const sound = readFileSync(path, "utf8");
  let said = `its place in ${file} has changed`;
  if (sound.split(from).length === 2) {
    writeFileSync(
      path,
      sound.replace(from, () => to),
    );
    const env = { ...process.env, CARGO_TARGET_DIR: join(copy, "target"), RUST_BACKTRACE: "0" };
    const tests = twice ? ["--package", "slate-yrs", "--lib", "slate::"] : test && ["--quiet", ...test];
    const args = tests
      ? ["test", ...tests]
      : ["run", "--quiet", "-p", "slate-yrs-simulation", "--", "--first", "--seeds", seeds];
    const cargo = (args, more = {}) =>
      spawnSync("cargo", args, { cwd: copy, env: { ...env, ...more }, encoding: "utf8", maxBuffer: 1 << 28 });
    const { stdout, stderr } = cargo(args);
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
process.exit(failed === 0 ? 0 : 1);
