// `node scripts/native.mjs [--package NAME | --without NAME] [-- ARGS]`: the native tests. All are built with one command, in
// which every package gets the features that it has in the other steps of `npm test`; then several of the programs run at
// once, since many of them wait for a disk, a database or a fault to pass. What one has printed is shown when it has ended.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { basename, dirname, relative } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { root, run } from "./process.mjs";
import { WORKSPACE } from "./setup.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { package: { type: "string" }, without: { type: "string" } },
});

/** What takes longest begins first: the soaks, the engine's own tests, the simulator. */
const FIRST = ["server/tests/cluster.rs", "server/tests/soak.rs", "src/lib.rs", "tests/simulation/tests/seeds.rs"];
/** One more than there are cores: two of the long ones wait for most of their time. */
const AT_ONCE = availableParallelism() + 1;

/** Builds all test programs; what cargo says of each, or null if one cannot be built. */
async function build() {
  const args = ["test", ...WORKSPACE, "--no-run", "--message-format=json-render-diagnostics"];
  const cargo = spawn("cargo", args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => cargo.on("close", done));
  const programs = [];
  for await (const line of createInterface({ input: cargo.stdout })) {
    const message = JSON.parse(line);
    if (message.reason !== "compiler-artifact" || !message.profile.test || !message.executable) continue;
    const folder = dirname(message.manifest_path);
    programs.push({
      folder,
      package: nameOf(message.package_id),
      source: relative(root, message.target.src_path),
      program: message.executable,
    });
  }
  return (await ended) === 0 ? programs : null;
}

/** Of `path+file:///a/server#slate-yrs-server@0.1.0`; a package that is called as its folder has no name there. */
function nameOf(id) {
  const [path, version] = id.split("#");
  return version.includes("@") ? version.split("@")[0] : basename(path);
}

const rank = ({ source }) => (FIRST.includes(source) ? FIRST.indexOf(source) : FIRST.length);
const programs = await build();
if (!programs) process.exit(1);
const known = new Set(programs.map((program) => program.package));
for (const name of [values.package, values.without])
  if (name && !known.has(name)) throw new Error(`There are no tests of ${name}: ${[...known].join(", ")}.`);
const waiting = programs
  .filter((program) => !values.package || program.package === values.package)
  .filter((program) => program.package !== values.without)
  .sort((one, other) => rank(one) - rank(other));

const failed = [];
async function lane() {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { folder, source, program } = next;
    const began = Date.now();
    let said = "";
    const { code } = await run(program, positionals, {
      cwd: folder,
      env: { CARGO_MANIFEST_DIR: folder },
      show: (text) => {
        said += text;
      },
    });
    console.log(`\n${source} (${Math.round((Date.now() - began) / 1000)} s)\n${said.trimEnd()}`);
    if (code !== 0) failed.push(source);
  }
}
const count = waiting.length;
await Promise.all(Array.from({ length: AT_ONCE }, lane));

// Examples in the comments; rustdoc compiles them itself.
if (!values.package) {
  const { code } = await run("cargo", ["test", ...WORKSPACE, "--doc"]);
  if (code !== 0) failed.push("the examples in comments");
}
for (const source of failed) console.log(`FAILED  ${source}`);
console.log(`native: ${count - failed.filter((name) => name.endsWith(".rs")).length} of ${count} programs passed`);
process.exit(failed.length === 0 ? 0 : 1);
