// `npm test`: the set-up, then every test. Goes on after a failure, so that one run shows all; ends with the closing
// lines of the runners. `--only a,b` runs some of the steps, `--list` names them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root, run, say } from "./process.mjs";
import { js, packages, pythonPackages, rust, testing, testTools, wasm, xtask } from "./setup.mjs";

const CARGO = /^(test result:|test .* FAILED$|error: (test|could not))/;
const COUNTED = /^(\d+ runs, | {2}lost | {2}\S.* \d+\/\d+|test result:|test .* FAILED$)/;
const DRAWN = /^(drawn: |.*\.jsonl: |test result:|line \d+, )/;
const VITEST = /^\s*(Test Files|Tests)\s+\d|^\s*FAIL |^(scenarios|lives) on \S+: \d+ of \d+ hold$/;
// The names of tests that failed, or did at first, stand below their counts.
const PLAYWRIGHT = /^\s*(\d+ (passed|failed|flaky|skipped|did not run)|tests\/e2e\/\S+ › .*|Error: .*)/;

// name, what it shows, the commands; `keep` picks a runner's closing lines.
const STEPS = [
  step("format", "Formatting", [
    ["cargo", ["fmt", "--all", "--check"]],
    ["npx", ["--no-install", "biome", "ci", "--colors=off"]],
  ]),
  step("lint", "Lints, and the pure modules stay pure", [
    ["node", ["scripts/purity.mjs"]],
    ["cargo", ["clippy", "--quiet", "--workspace", "--exclude", "xtask", "--all-targets", "--", "-D", "warnings"]],
    [
      "cargo",
      ["clippy", "--quiet", "--package", "slate-yrs", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"],
    ],
  ]),
  step("house", "Circles between files, names, what documents name, licences", [["node", ["scripts/checks/all.mjs"]]]),
  step(
    "native",
    "Engine, simulation and server",
    [["cargo", ["test", "--workspace", "--exclude", "xtask", "--exclude", "slate-yrs-oracle", "--no-fail-fast"]]],
    CARGO,
    {
      SLATE_RUNS: "10000",
      SIM_SEEDS: "5000",
      SERVER_SOAK_SECONDS: "90",
    },
  ),
  step(
    "oracle",
    "Random documents of format 1, people and acts",
    [["cargo", ["test", "--package", "slate-yrs-oracle", "--no-fail-fast", "--", "--nocapture"]]],
    COUNTED,
    { SLATE_RUNS: "10000" },
  ),
  step(
    "fuzz",
    "What takes bytes of strangers, a minute each",
    // From one seed: what it finds then is there again in the next run.
    [["node", ["scripts/fuzz.mjs", "--seconds", "60", "--seed", "1", "--timeout", "60"]]],
    /^(ok {4}|FAILED) \w+: |Test unit written to|passed, \d+ failed$/,
  ),
  step("model", "The engine shows what the specification shows", [["node", ["scripts/model.mjs", "1500"]]], DRAWN),
  step(
    "wasm",
    "Store and socket in headless Chromium",
    [
      [
        "node",
        [
          ...["tests/web/server.mjs", "cargo", "test", "--package", "slate-yrs", "--features", "testing"],
          ...["--target", "wasm32-unknown-unknown", "--profile", "wasm-dev", "--test", "web"],
        ],
      ],
    ],
    CARGO,
    { CHROMEDRIVER: "/usr/bin/chromedriver", WASM_BINDGEN_TEST_TIMEOUT: "120" },
  ),
  step("types", "Types, and the interface as it is documented", [
    ["node", ["scripts/api.mjs", "--check"]],
    ["npx", ["--no-install", "tsc", "-p", "."]],
    ["npm", ["run", "typecheck", "--workspaces"]],
    ["npx", ["--no-install", "tsc", "-p", "bench/typing"]],
    ["npx", ["--no-install", "tsc", "-p", "bench/visit"]],
    ["npx", ["--no-install", "tsc", "-p", "bench/month"]],
  ]),
  step(
    "unit",
    "Bindings, wire and interop with slate-yjs",
    [
      ["cargo", ["build", "--package", "slate-yrs-server"]],
      ["npx", ["--no-install", "vitest", "run"]],
    ],
    VITEST,
  ),
  step("size", "What a page loads", [["node", ["scripts/size.mjs"]]], /^(OVER|ok {2}) |passed, \d+ failed$/),
  step("package", "The packed package", [["node", ["scripts/check-package.mjs"]]], /passed, \d+ failed$/),
  step("matrix", "The packed package in two of the bundlers", [
    ["cargo", ["build", "--package", "slate-yrs-server"]],
    ["node", ["scripts/matrix.mjs", "vite", "esbuild"]],
  ]),
  step(
    "e2e",
    "The editor in real browsers",
    [
      ["npm", ["run", "build", "--workspaces"]],
      ["cargo", ["build", "--package", "slate-yrs-server"]],
      ["npx", ["--no-install", "playwright", "test"]],
    ],
    PLAYWRIGHT,
  ),
];

function step(name, title, commands, keep = /passed, \d+ failed$/, env = {}) {
  return { name, title, commands, keep, env };
}

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1].split(",") : null;
if (process.argv.includes("--list")) {
  for (const { name, title } of STEPS) console.log(`${name.padEnd(10)} ${title}`);
  process.exit(0);
}
const steps = STEPS.filter(({ name }) => !only || only.includes(name));
const began = Date.now();
const whole = (milliseconds) => `${Math.round(milliseconds / 1000)} s`;
const seconds = (since) => whole(Date.now() - since);

try {
  await rust();
  await packages();
  if (steps.some(({ name }) => ["native", "wasm", "matrix", "e2e"].includes(name))) await testTools();
  if (steps.some(({ name }) => ["unit", "e2e"].includes(name))) await pythonPackages();
  if (steps.some(({ name }) => ["wasm", "types", "unit", "package", "matrix", "e2e"].includes(name))) {
    say("Building the engine for the browser");
    await xtask();
    await wasm();
    await js();
    if (steps.some(({ name }) => ["unit", "e2e"].includes(name))) await testing();
  }
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}

mkdirSync(join(root, "target"), { recursive: true });
const summary = [];
let failed = 0;
for (const { name, title, commands, keep, env } of steps) {
  say(`${title} (${name})`);
  const since = Date.now();
  let code = 0;
  const lines = [];
  for (const [command, args] of commands) {
    const result = await run(command, args, { env, keep: (line) => keep.test(line) });
    lines.push(...result.kept);
    if (result.code !== 0) {
      code = result.code;
      break;
    }
  }
  if (code !== 0) failed += 1;
  summary.push({ name, code, took: Date.now() - since, lines });
}

say(`Summary, after ${seconds(began)}`);
for (const { name, code, took, lines } of summary) {
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${whole(took)})`);
  for (const line of lines) console.log(`       ${line}`);
}
const longest = [...summary].sort((a, b) => b.took - a.took).slice(0, 3);
const all = Math.max(1, Date.now() - began);
console.log(
  `longest: ${longest.map(({ name, took }) => `${name} ${whole(took)} (${Math.round((100 * took) / all)} %)`).join(", ")}`,
);
console.log(`steps: ${summary.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
