// `npm run bench`: the benchmark in headless Chromium, production builds, all engines in one page and in interleaved
// rounds. Writes docs/BENCHMARKS.md (the part between its markers) and docs/images/benchmarks.svg.
// `--built` (takes pkg/ and dist/ as they are), `--rounds N`, `--sizes 1000,3300`, `--only "keystroke|undo"`, `--dry` (prints, writes nothing).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { build, preview } from "vite";
import { root, say } from "../scripts/process.mjs";
import { js, packages, rust, wasm } from "../scripts/setup.mjs";
import { chart } from "./chart.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const rounds = Number(option("rounds", "5"));
const sizes = option("sizes", "1000,3300,10000,30000").split(",").map(Number);
const feature = 3300;
const only = option("only", "").split("|");

await rust();
await packages();
if (!process.argv.includes("--built")) {
  say("Building");
  // What ships.
  await wasm("--size");
  await js();
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

const samples = new Map();
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
        const results = await page.evaluate(([name, blocks]) => window.bench.round(name, blocks), [name, blocks]);
        for (const { engine, samples: taken } of results) {
          const key = JSON.stringify([name, blocks, engine]);
          // The first round warms up.
          if (n > 0 || rounds === 1) samples.set(key, [...(samples.get(key) ?? []), ...taken]);
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

const quantile = (values, at) => {
  if (!values?.length) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))];
};
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
  });
}

const ms = (value) =>
  value === undefined ? "–" : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
const times = (a, b) =>
  a === undefined || b === undefined || b <= 0 ? "–" : `${(a / b).toFixed(a / b >= 10 ? 0 : 1)}×`;
const cost = (value, floor) => (value === undefined ? undefined : value - (floor ?? 0));
const lines = [
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
const version = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
const about = [
  `Milliseconds, medians of ${Math.max(1, rounds - 1)} interleaved rounds after one to warm up. "In total": how many times faster slate-yrs is on the whole work.`,
  `"Quick": Slate alone with \`withQuickNormalizing\`, which slate-yrs brings. "Cost": how many times less slate-yrs takes after what its editor needs by itself is taken off, plain Slate for slate-yjs, quick for slate-yrs ("–": ours is within the noise).`,
  `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores; Chromium ${browser.version()}; slate ${version("slate")}, yjs ${version("yjs")}, @slate-yjs/core ${version("@slate-yjs/core")}.`,
];
console.log(`\n${[...about, "", ...lines].join("\n")}`);

if (!process.argv.includes("--dry")) {
  const file = join(root, "docs/BENCHMARKS.md");
  const [begin, end] = ["<!-- bench: begin -->", "<!-- bench: end -->"];
  const text = existsSync(file) ? readFileSync(file, "utf8") : `# Benchmarks\n\n${begin}\n${end}\n`;
  const table = `${begin}\n${about.join(" ")}\n\n![Times of slate-yjs over slate-yrs](images/benchmarks.svg)\n\n${lines.join("\n")}\n${end}`;
  writeFileSync(
    file,
    text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => table),
  );
  mkdirSync(join(root, "docs/images"), { recursive: true });
  writeFileSync(join(root, "docs/images/benchmarks.svg"), chart(rows));
  say("Written: docs/BENCHMARKS.md, docs/images/benchmarks.svg");
}
