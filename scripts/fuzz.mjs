// `npm run fuzz -- [TARGET…] [--seconds N] [--seed N] [--timeout SECONDS]`: each target of fuzz/ under libFuzzer, from its corpus in the repository,
// bounded in memory and in the time of one input; two at a time. Without a seed each run tries other inputs. What it finds beyond the corpus goes to target/fuzz/found, what fails to
// fuzz/artifacts. `--keep` puts what is found, made small, into the corpus.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { takeOver } from "./built.mjs";
import { must, root, run, say } from "./process.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "0" },
    rss: { type: "string", default: "1024" },
    timeout: { type: "string", default: "10" },
    keep: { type: "boolean", default: false },
  },
});
const all = readdirSync(join(root, "fuzz/fuzz_targets")).map((name) => name.replace(/\.rs$/, ""));
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`There is no target ${unknown.join(", ")}: ${all.join(", ")}.`);
const targets = positionals.length > 0 ? positionals : all;

const folder = join(root, "target/fuzz");
// The CRDT library is fuzzed with ours.
takeOver(folder, ["yrs"]);
say(`Building ${targets.join(", ")} for libFuzzer`);
const env = {
  CARGO_TARGET_DIR: folder,
  CARGO_INCREMENTAL: "0",
  RUSTC_WRAPPER: join(root, "fuzz/instrumented.sh"),
};
await must(
  "cargo",
  ["build", "--quiet", "--manifest-path", "fuzz/Cargo.toml", ...targets.flatMap((name) => ["--bin", name])],
  { env },
);

async function fuzz(name) {
  const corpus = join(root, "fuzz/corpus", name);
  const found = join(folder, "found", name);
  const failures = join(root, "fuzz/artifacts");
  for (const path of [corpus, found, failures]) mkdirSync(path, { recursive: true });
  // Databases of the targets are left where they are when the time is over.
  const temporary = mkdtempSync(join(folder, "tmp-"));
  const program = join(folder, "debug", name);
  const limits = [`-rss_limit_mb=${values.rss}`, `-timeout=${values.timeout}`, "-max_len=65536"];
  const { code, kept } = await run(
    program,
    [
      found,
      corpus,
      `-max_total_time=${values.seconds}`,
      `-seed=${values.seed}`,
      ...limits,
      `-artifact_prefix=${failures}/${name}-`,
    ],
    { env: { TMPDIR: temporary }, quiet: true, keep: () => true },
  );
  if (values.keep && code === 0) {
    const small = mkdtempSync(join(folder, "small-"));
    await must(program, ["-merge=1", ...limits, small, corpus, found], { env: { TMPDIR: temporary }, quiet: true });
    for (const file of readdirSync(small).filter((file) => statSync(join(small, file)).size < 4096))
      copyFileSync(join(small, file), join(corpus, file));
    rmSync(small, { recursive: true });
  }
  rmSync(temporary, { recursive: true, force: true });
  return { name, code, kept };
}

say(`Fuzzing, ${values.seconds} s each`);
const waiting = [...targets];
const results = [];
const lane = async () => {
  for (let name = waiting.shift(); name; name = waiting.shift()) {
    const result = await fuzz(name);
    results.push(result);
    if (result.code !== 0) console.log(result.kept.slice(-80).join("\n"));
    const runs = result.kept.find((line) => /^Done \d+ runs/.test(line)) ?? "it ended before its time";
    console.log(`${result.code === 0 ? "ok    " : "FAILED"} ${name}: ${runs}`);
  }
};
await Promise.all([lane(), lane()]);
const failed = results.filter(({ code }) => code !== 0).length;
console.log(`fuzz: ${results.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
