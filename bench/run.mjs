// `npm run bench`: the benchmark in headless Chromium, production builds, all engines in one page and in interleaved
// rounds. Writes docs/BENCHMARKS.md (the part between its markers) and docs/images/benchmarks.svg.
// `--formats 0`: the engine in format 0 alone, beside slate-yjs; the table with format 1 is a part of its own in docs/BENCHMARKS.md.
// `--against COMMIT`: that commit's package, built once, in the same page and rounds, instead of slate-yjs; prints medians, the
// spread from run to run and what the one is of the other, and writes nothing.
// `--built` (takes pkg/ and dist/ as they are), `--rounds N`, `--sizes 1000,3300`, `--only "keystroke|undo"`, `--dry` (prints, writes nothing).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { build, preview } from "vite";
import { buildCommit, commitOf } from "../scripts/commit.mjs";
import { root, say } from "../scripts/process.mjs";
import { js, packages, rust, wasm } from "../scripts/setup.mjs";
import { comparison } from "./against.mjs";
import { chart } from "./chart.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const against = option("against", "");
// One to warm up.
const rounds = Number(option("rounds", against ? "10" : "5"));
const sizes = option("sizes", "1000,3300,10000,30000").split(",").map(Number);
const feature = 3300;
const only = option("only", "").split("|");
const formats = option("formats", "0,1").split(",").map(Number);
const ENGINES = ["slate-yrs", "slate-yrs, format 1"];
const BEFORE = ["before", "before, format 1"];
const others = against ? formats.map((format) => BEFORE[format]) : ["plain", "quick", "slate-yjs"];
const engines = [...others, ...formats.map((format) => ENGINES[format])];

await rust();
await packages();
if (!process.argv.includes("--built")) {
  say("Building");
  // What ships.
  await wasm("--size");
  await js();
}
const commit = against && commitOf(against);
if (commit) {
  process.env.BENCH_BEFORE = join(root, "target/against", commit);
  await buildCommit(commit, process.env.BENCH_BEFORE, "--size");
}
const configFile = join(root, "bench/vite.config.ts");
await build({ configFile, logLevel: "warn" });
const server = await preview({ configFile, logLevel: "warn" });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
  ],
});

const quantile = (values, at) => {
  if (!values?.length) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))];
};
const samples = new Map();
/** The median of each round. */
const runs = new Map();
try {
  const page = await browser.newPage();
  page.on("console", (message) => message.type() === "error" && console.error(message.text()));
  page.on("pageerror", (error) => console.error(error));
  page.setDefaultTimeout(0);
  await page.goto(server.resolvedUrls.local[0]);
  await page.waitForFunction(() => "bench" in window);
  const list = (await page.evaluate(() => window.bench.list)).filter(({ name }) =>
    only.some((part) => name.includes(part)),
  );
  for (const { name, sizes: which } of list) {
    const those = which === "all" ? sizes : [feature];
    for (const blocks of those) {
      process.stdout.write(`${name}, ${blocks} blocks `);
      for (let n = 0; n < rounds; n += 1) {
        // Whoever comes first has it otherwise: they take turns.
        const order = n % 2 ? [...engines].reverse() : engines;
        const results = await page.evaluate((all) => window.bench.round(...all), [name, blocks, order]);
        for (const { engine, samples: taken } of results) {
          const key = JSON.stringify([name, blocks, engine]);
          // The first round warms up.
          if (n === 0 && rounds > 1) continue;
          samples.set(key, [...(samples.get(key) ?? []), ...taken]);
          runs.set(key, [...(runs.get(key) ?? []), quantile(taken, 0.5)]);
        }
        process.stdout.write(".");
      }
      console.log();
    }
  }
} finally {
  await browser.close();
  await server.close();
}

if (commit) {
  const pairs = formats.map((format) => [BEFORE[format], ENGINES[format], format]);
  console.log(`\n${comparison({ commit, rounds: Math.max(1, rounds - 1), samples, runs, pairs })}`);
  process.exit(0);
}
const rows = [];
const keys = [...new Set([...samples.keys()].map((key) => JSON.stringify(JSON.parse(key).slice(0, 2))))];
for (const key of keys) {
  const [name, blocks] = JSON.parse(key);
  const of = (engine, at) => quantile(samples.get(JSON.stringify([name, blocks, engine])), at);
  rows.push({
    name,
    blocks,
    plain: of("plain", 0.5),
    quick: of("quick", 0.5),
    slateYjs: of("slate-yjs", 0.5),
    slateYrs: of("slate-yrs", 0.5),
    slateYjs99: of("slate-yjs", 0.99),
    slateYrs99: of("slate-yrs", 0.99),
    format1: of("slate-yrs, format 1", 0.5),
    format199: of("slate-yrs, format 1", 0.99),
  });
}

const ms = (value) =>
  value === undefined ? "–" : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
const times = (a, b) =>
  a === undefined || b === undefined || b <= 0 ? "–" : `${(a / b).toFixed(a / b >= 10 ? 0 : a / b >= 0.1 ? 1 : 3)}×`;
const cost = (value, floor) => (value === undefined ? undefined : value - (floor ?? 0));
// Format 1 has a table of its own: beside format 0, which is the engine that it is to be compared with.
const withFormat1 = [
  "| work | blocks | plain Slate | slate-yjs | format 0 | format 1 | p99 format 0 | p99 format 1 | format 1 over format 0 | slate-yjs over format 1 |",
  "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
  ...rows.map((row) => {
    const medians = [row.plain, row.slateYjs, row.slateYrs, row.format1].map(ms);
    const tails = row.format199 === row.format1 ? ["–", "–"] : [ms(row.slateYrs99), ms(row.format199)];
    const ratios = [times(row.format1, row.slateYrs), times(row.slateYjs, row.format1)];
    return `| ${[row.name, row.blocks.toLocaleString("en"), ...medians, ...tails, ...ratios].join(" | ")} |`;
  }),
];
const onFormat0 = [
  "| work | blocks | plain Slate | the same, quick | slate-yjs | slate-yrs | p99 slate-yjs | p99 slate-yrs | in total | cost |",
  "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
  ...rows.map((row) => {
    const theirs = cost(row.slateYjs, row.plain);
    const ours = cost(row.slateYrs, row.quick);
    const sizes = [row.plain, row.quick, row.slateYjs, row.slateYrs].map(ms);
    const cells = [row.name, row.blocks.toLocaleString("en"), ...sizes];
    const tails = row.slateYrs99 === row.slateYrs ? ["–", "–"] : [ms(row.slateYjs99), ms(row.slateYrs99)];
    return `| ${[...cells, ...tails, times(row.slateYjs, row.slateYrs), times(theirs, ours)].join(" | ")} |`;
  }),
];
const lines = formats.includes(1) ? withFormat1 : onFormat0;
const version = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
const machine = `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, load ${loadavg()[1].toFixed(1)}; Chromium ${browser.version()}; slate ${version("slate")}, yjs ${version("yjs")}, @slate-yjs/core ${version("@slate-yjs/core")}.`;
const aboutFormat0 = [
  `Milliseconds, medians of ${Math.max(1, rounds - 1)} interleaved rounds after one to warm up. "In total": how many times faster slate-yrs is on the whole work.`,
  `"Quick": Slate alone with \`withQuickNormalizing\`, which slate-yrs brings. "Cost": how many times less slate-yrs takes after what its editor needs by itself is taken off, plain Slate for slate-yjs, quick for slate-yrs ("–": ours is within the noise).`,
  machine,
];
const aboutFormat1 = [
  `Milliseconds, medians of ${Math.max(1, rounds - 1)} interleaved rounds after one to warm up. The last two columns: how many times longer format 1 takes than format 0, and slate-yjs than format 1, on the whole work.`,
  machine,
];
const about = formats.includes(1) ? aboutFormat1 : aboutFormat0;
console.log(`\n${[...about, "", ...lines].join("\n")}`);

if (!process.argv.includes("--dry")) {
  const file = join(root, "docs/BENCHMARKS.md");
  const part = formats.includes(1) ? "bench, format 1" : "bench";
  const [begin, end] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
  const text = existsSync(file) ? readFileSync(file, "utf8") : `# Benchmarks\n\n${begin}\n${end}\n`;
  const image = formats.includes(1) ? "" : "![Times of slate-yjs over slate-yrs](images/benchmarks.svg)\n\n";
  const table = `${begin}\n${about.join(" ")}\n\n${image}${lines.join("\n")}\n${end}`;
  if (!text.includes(begin)) throw new Error(`${file} has no ${begin}`);
  writeFileSync(
    file,
    text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => table),
  );
  say("Written: docs/BENCHMARKS.md");
  if (!formats.includes(1)) {
    mkdirSync(join(root, "docs/images"), { recursive: true });
    writeFileSync(join(root, "docs/images/benchmarks.svg"), chart(rows));
    say("Written: docs/images/benchmarks.svg");
  }
}
