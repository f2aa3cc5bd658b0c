// `npm run interop:older`: an older version of this package beside this one. Builds the last commit that does not know
// format 1, once, into `target/older`, then runs the tests that need it; `npm test` passes over them where it is not built.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { must, root, say } from "./process.mjs";
import { packages, rust, xtask } from "./setup.mjs";

/** The last commit that knows format 0 only. */
const BEFORE_FORMAT_1 = "37dfca3";
const folder = join(root, "target/older");

async function build() {
  if (existsSync(join(folder, "dist/index.js"))) return;
  await rust();
  await packages();
  await xtask();
  say("Building the last version that does not know format 1");
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const archive = execFileSync("git", ["archive", BEFORE_FORMAT_1], { cwd: root, maxBuffer: 1 << 30 });
  execFileSync("tar", ["-x", "-C", unfinished], { input: archive });
  symlinkSync(join(root, "node_modules"), join(unfinished, "node_modules"));
  const there = { cwd: unfinished, env: { CARGO_TARGET_DIR: join(root, "target") } };
  await must(join(root, "target/xtask/xtask/xtask"), ["build", "--dev"], there);
  await must("npx", ["--no-install", "tsc", "-p", "js"], { cwd: unfinished });
  renameSync(unfinished, folder);
}

try {
  await build();
  await must("cargo", ["build", "--package", "slate-yrs-server"]);
  await must("npx", ["--no-install", "vitest", "run", "tests/interop/formats"]);
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}
