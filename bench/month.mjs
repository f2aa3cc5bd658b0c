// `npm run bench:month`: a month of typing in one document, in Chromium with its own database: once by somebody whom no
// server has acknowledged a letter, once with a server. Each day the document is opened, typed into and closed. Says what a
// key costs, and the opening, on the first day, the tenth, the twentieth and the last. Writes the part of docs/BENCHMARKS.md
// between its markers.
// `--built` (takes pkg/, dist/ and the server as they are), `--keys N` (a day), `--days N`, `--dry` (prints, writes nothing).
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { build, preview } from "vite";
import { freePort, root, say } from "../scripts/process.mjs";
import { everythingBuilt, option, up } from "./pages.mjs";

const keys = Number(option("keys", "2000"));
const days = Number(option("days", "30"));
const shown = [...new Set([1, Math.round(days / 3), Math.round((2 * days) / 3), days])];
const VARIANTS = ["no server", "a server"];

await everythingBuilt();
const configFile = join(root, "bench/month/vite.config.ts");
await build({ configFile, logLevel: "warn" });
const site = await preview({ configFile, logLevel: "warn" });
const data = mkdtempSync(join(tmpdir(), "slate-yrs-month-"));
const port = await freePort();
const server = spawn(
  process.env.SLATE_YRS_SERVER ?? join(root, "target/release/slate-yrs-server"),
  // Nobody types as fast as this does.
  [
    "--listen",
    `127.0.0.1:${port}`,
    "--database",
    `sqlite://${join(data, "month.sqlite")}`,
    "--max-frames-per-second",
    "1000000",
  ],
  { stdio: "ignore" },
);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

/** By variant: what is said of each day. */
const taken = new Map(VARIANTS.map((variant) => [variant, []]));
const loads = [];
try {
  await up(port);
  const contexts = new Map();
  for (const variant of VARIANTS) contexts.set(variant, await browser.newContext());
  for (let day = 1; day <= days; day += 1) {
    for (const variant of VARIANTS) {
      loads.push(loadavg()[0]);
      const result = await live(contexts.get(variant), variant, day);
      taken.get(variant).push(result);
      if (day % 5 === 0 || day === 1) say(`${variant}, day ${day}: ${JSON.stringify(result)}`);
    }
  }
} finally {
  await browser.close();
  await site.close();
  server.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
report();
process.exit(0);

async function live(context, variant, day) {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(error.message));
  await page.goto(site.resolvedUrls.local[0]);
  await page.waitForFunction(() => "day" in window);
  const plan = {
    ...{ id: "month", keys, seed: day, url: variant === "a server" ? `ws://127.0.0.1:${port}/ws/scenes` : null },
    initialValue: [{ type: "action", children: [{ text: "It was a dark and stormy night." }] }],
  };
  const { opening, keys: each, turns, blocks, characters } = await page.evaluate((plan) => window.day(plan), plan);
  await page.close();
  const [key, turn] = [each, turns].map((values) => values.sort((a, b) => a - b));
  const at = (values, part) => values[Math.min(values.length - 1, Math.floor(part * values.length))];
  return {
    ...{ opening, blocks, characters, median: at(key, 0.5), p99: at(key, 0.99), slowest: at(key, 1) },
    ...{ turn: at(turn, 0.5), slowestTurn: at(turn, 1) },
  };
}

function report() {
  const ms = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  const rows = VARIANTS.flatMap((variant) =>
    shown.map((day) => {
      const { blocks, characters, ...times } = taken.get(variant)[day - 1];
      const { opening, median, p99, slowest, turn, slowestTurn } = times;
      const cells = [opening, median, p99, slowest, turn, slowestTurn].map(ms);
      const size = [blocks, characters].map((count) => count.toLocaleString("en"));
      return `| ${[variant, day, ...size, ...cells].join(" | ")} |`;
    }),
  );
  const head = [
    ...[
      "| | day | blocks | characters | opening | a key, p50 | p99 | slowest | with all that follows, p50 | slowest |",
    ],
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
  ];
  const about = `${days} days of ${keys.toLocaleString("en")} keys each in one document, ms: letters, now and then Backspace and Enter, every sixty keys somewhere else. Each evening the document is closed, each morning it is opened in a fresh page. ${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}; Chromium ${browser.version()}.`;
  const lines = [about, "", ...head, ...rows].join("\n");
  console.log(`\n${lines}`);
  if (process.argv.includes("--dry")) return;
  const file = join(root, "docs/BENCHMARKS.md");
  const [begin, end] = ["<!-- bench-month: begin -->", "<!-- bench-month: end -->"];
  const text = readFileSync(file, "utf8");
  const part = `${begin}\n${lines}\n${end}`;
  const fresh = `${text.trimEnd()}\n\n## A month of typing\n\n${part}\n\nMade by \`npm run bench:month\`.\n`;
  writeFileSync(file, text.includes(begin) ? text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => part) : fresh);
  say("Written: docs/BENCHMARKS.md");
}
