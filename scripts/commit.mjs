// Another version of this package: any commit's, built in a folder of its own.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { must, root, say } from "./process.mjs";
import { packages, rust, xtask } from "./setup.mjs";

/** The full name of a commit. */
export function commitOf(name) {
  try {
    const args = ["rev-parse", "--verify", "--quiet", `${name}^{commit}`];
    return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  } catch {
    throw new Error(`There is no commit ${name}.`);
  }
}

/** Its files in a folder that is no finished build yet. */
function unpack(commit, folder) {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const archive = execFileSync("git", ["archive", commit], { cwd: root, maxBuffer: 1 << 30 });
  execFileSync("tar", ["-x", "-C", unfinished], { input: archive });
  return unfinished;
}

/** Builds a commit's server, once. Returns the program. */
export async function buildServer(commit) {
  // Its own, as two builds of one program would replace each other; for all commits, as most of it is the same.
  const against = join(root, "target/against");
  const program = join(against, `slate-yrs-server-${commit}`);
  if (existsSync(program)) return program;
  await rust();
  say(`Building the server of ${commit}`);
  const cwd = unpack(commit, join(against, `server-${commit}`));
  const build = ["build", "--release", "--package", "slate-yrs-server", "--bin", "slate-yrs-server"];
  await must("cargo", build, { cwd, env: { CARGO_TARGET_DIR: join(against, "target") } });
  copyFileSync(join(against, "target/release/slate-yrs-server"), program);
  rmSync(cwd, { recursive: true, force: true });
  return program;
}

/** Builds a commit's package (`pkg/` and `dist/`) in a folder, once. `profile`: of the build tool, as `--dev` or `--size`. */
export async function buildCommit(commit, folder, profile) {
  if (existsSync(join(folder, "dist/index.js"))) return;
  await rust();
  await packages();
  await xtask();
  say(`Building ${commit}`);
  const unfinished = unpack(commit, folder);
  symlinkSync(join(root, "node_modules"), join(unfinished, "node_modules"));
  const there = { cwd: unfinished, env: { CARGO_TARGET_DIR: join(root, "target") } };
  await must(join(root, "target/xtask/xtask/xtask"), ["build", profile], there);
  await must("npx", ["--no-install", "tsc", "-p", "js"], { cwd: unfinished });
  renameSync(unfinished, folder);
}
