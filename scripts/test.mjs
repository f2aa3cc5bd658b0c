// `npm test`: the set-up, then every test. Goes on after a failure, so that one run shows all; ends with the closing
// lines of the runners. `--only a,b` runs some of the steps, `--list` names them.
//
// Two steps run at a time: what is native in one lane, what needs the browser's module in the other. Hardly any step keeps
// two cores busy: linking a module takes one, and many tests wait. The editor in real browsers comes last and alone: there,
// what somebody sees in time is what is tested. What a step prints is shown whole, when it has ended; until then it is in
// `target/said/`.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, say } from "./process.mjs";
import { js, packages, pythonPackages, rust, SERVER, testing, testTools, WORKSPACE, wasm, xtask } from "./setup.mjs";

const CARGO = /^(test result:|test .* FAILED$|error: (test|could not)|FAILED {2}|native: )/;
const COUNTED = /^(\d+ runs, | {2}lost | {2}\S.* \d+\/\d+|test result:|test .* FAILED$|FAILED {2})/;
const DRAWN = /^(drawn: |.*\.jsonl: |test result: (?!ok. 0 passed)|line \d+, )/;
const VITEST = /^\s*(Test Files|Tests)\s+\d|^\s*FAIL |^(scenarios|lives) on \S+: \d+ of \d+ hold$/;
// The names of tests that failed, or did at first, stand below their counts.
const PLAYWRIGHT = /^\s*(\d+ (passed|failed|flaky|skipped|did not run)|tests\/e2e\/\S+ › .*|Error: .*)/;

/** What some steps need and others do not: made once, by whichever needs it first. */
const PREPARATIONS = {
  tools: testTools,
  python: pythonPackages,
  async page() {
    say("Building the engine for the browser");
    await xtask();
    await wasm("--size");
    await js();
  },
  async testing() {
    await ready("page");
    await testing();
  },
};
const made = {};
function ready(name) {
  made[name] ??= PREPARATIONS[name]();
  return made[name];
}

const NATIVE = ["format", "lint", "house", "native", "oracle", "model", "fuzz"];
const LAST = ["e2e"];

// name, what it shows, the commands; `keep` picks a runner's closing lines; `needs` names preparations.
const STEPS = [
  step("format", "Formatting", [
    ["cargo", ["fmt", "--all", "--check"]],
    ["npx", ["--no-install", "biome", "ci", "--colors=off"]],
  ]),
  step("lint", "Lints, and the pure modules stay pure", [
    ["node", ["scripts/purity.mjs"]],
    ["cargo", ["clippy", "--quiet", ...WORKSPACE, "--all-targets", "--", "-D", "warnings"]],
    [
      "cargo",
      ["clippy", "--quiet", "--package", "slate-yrs", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"],
    ],
  ]),
  step("house", "Circles between files, names, what documents name, licences", [["node", ["scripts/checks/all.mjs"]]]),
  step("native", "Engine, simulation and server", [["node", ["scripts/native.mjs", "--without", "slate-yrs-oracle"]]], {
    keep: CARGO,
    needs: ["tools"],
    env: {
      SLATE_RUNS: "10000",
      SIM_SEEDS: "5000",
      SERVER_SOAK_SECONDS: "90",
    },
  }),
  step(
    "oracle",
    "Random documents of format 1, people and acts",
    [["node", ["scripts/native.mjs", "--package", "slate-yrs-oracle", "--", "--nocapture"]]],
    { keep: COUNTED, env: { SLATE_RUNS: "10000" } },
  ),
  step(
    "fuzz",
    "What takes bytes of strangers, a minute each",
    // From one seed: what it finds then is there again in the next run.
    [["node", ["scripts/fuzz.mjs", "--seconds", "60", "--seed", "1", "--timeout", "60"]]],
    { keep: /^(ok {4}|FAILED) \w+: |Test unit written to|passed, \d+ failed$/ },
  ),
  step("model", "The engine shows what the specification shows", [["node", ["scripts/model.mjs", "1500", "--whole"]]], {
    keep: DRAWN,
  }),
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
    {
      keep: CARGO,
      needs: ["tools", "page"],
      env: { CHROMEDRIVER: "/usr/bin/chromedriver", WASM_BINDGEN_TEST_TIMEOUT: "120" },
    },
  ),
  step(
    "types",
    "Types, and the interface as it is documented",
    [
      ["node", ["scripts/api.mjs", "--check"]],
      ["npx", ["--no-install", "tsc", "-p", "."]],
      ["npm", ["run", "typecheck", "--workspaces"]],
      ["npx", ["--no-install", "tsc", "-p", "bench/typing"]],
      ["npx", ["--no-install", "tsc", "-p", "bench/visit"]],
      ["npx", ["--no-install", "tsc", "-p", "bench/month"]],
    ],
    { needs: ["page"] },
  ),
  step(
    "unit",
    "Bindings, wire and interop with slate-yjs",
    [
      ["cargo", SERVER],
      ["npx", ["--no-install", "vitest", "run"]],
    ],
    { keep: VITEST, needs: ["python", "testing"] },
  ),
  step(
    "plant",
    "Three planted bugs are found, which ones says the commit",
    [["node", ["scripts/plant.mjs", "--of-commit"]]],
    {
      keep: /^(ok {6}|FAILED {2})|passed, \d+ failed$/,
    },
  ),
  step("size", "What a page loads", [["node", ["scripts/size.mjs", "--built"]]], {
    keep: /^(OVER|ok {2}) |passed, \d+ failed$/,
    needs: ["page"],
  }),
  step("package", "The packed package", [["node", ["scripts/check-package.mjs"]]], { needs: ["page"] }),
  step(
    "matrix",
    "The packed package in two of the bundlers",
    [
      ["cargo", SERVER],
      ["node", ["scripts/matrix.mjs", "vite", "esbuild"]],
    ],
    { needs: ["tools", "page"] },
  ),
  step(
    "e2e",
    "The editor in real browsers",
    [
      ["npm", ["run", "build", "--workspaces"]],
      ["cargo", SERVER],
      ["npx", ["--no-install", "playwright", "test"]],
    ],
    { keep: PLAYWRIGHT, needs: ["tools", "python", "testing"] },
  ),
];

function step(name, title, commands, { keep = /passed, \d+ failed$/, env = {}, needs = [] } = {}) {
  return { name, title, commands, keep, env, needs };
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
  // Both wait for the net.
  await Promise.all([packages(), steps.some(({ needs }) => needs.includes("tools")) && ready("tools")]);
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}

const folder = join(root, "target/said");
mkdirSync(folder, { recursive: true });
const summary = [];
let failed = 0;

/** Runs one step; shows what it prints at once where no other runs beside it. */
async function perform({ name, title, commands, keep, env, needs }, alone) {
  try {
    for (const preparation of needs) await ready(preparation);
  } catch (error) {
    failed += 1;
    summary.push({ name, code: 1, took: 0, lines: [error.message] });
    return;
  }
  if (alone) say(`${title} (${name})`);
  const since = Date.now();
  const said = join(folder, name);
  writeFileSync(said, "");
  const show = alone ? null : (text) => appendFileSync(said, text);
  let code = 0;
  const lines = [];
  for (const [command, args] of commands) {
    const result = await run(command, args, { env, keep: (line) => keep.test(line), show });
    lines.push(...result.kept);
    if (result.code !== 0) {
      code = result.code;
      break;
    }
  }
  if (!alone) {
    say(`${title} (${name}, ${seconds(since)})`);
    process.stdout.write(readFileSync(said, "utf8"));
  }
  if (code !== 0) failed += 1;
  summary.push({ name, code, took: Date.now() - since, lines });
}

const last = steps.filter(({ name }) => LAST.includes(name));
const lanes = [
  steps.filter(({ name }) => NATIVE.includes(name)),
  steps.filter(({ name }) => !NATIVE.includes(name) && !LAST.includes(name)),
].filter((lane) => lane.length > 0);
async function inTurn(lane) {
  for (const each of lane) await perform(each, lanes.length < 2);
}
await Promise.all(lanes.map(inTurn));
for (const each of last) await perform(each, true);
const place = ({ name }) => STEPS.findIndex((one) => one.name === name);
summary.sort((one, other) => place(one) - place(other));

say(`Summary, after ${seconds(began)}`);
for (const { name, code, took, lines } of summary) {
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${whole(took)})`);
  for (const line of lines) console.log(`       ${line}`);
}
const longest = [...summary].sort((a, b) => b.took - a.took).slice(0, 3);
console.log(`longest: ${longest.map(({ name, took }) => `${name} ${whole(took)}`).join(", ")}, two steps at a time`);
console.log(`steps: ${summary.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
