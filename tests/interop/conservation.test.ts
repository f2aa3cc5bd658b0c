// Prints how much of what nobody deleted is lost or there twice, and how much comes back of what was deleted: in slate-yjs
// and in slate-yrs in both formats, on the same runs.
//
// SLATE_YRS_RUNS: runs of each mix (default 4). UPDATE_DOCS=1 puts the rates into docs/CONCURRENCY.md.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type Count, MIXES, measure } from "./conservation.js";

const RUNS = Number(process.env.SLATE_YRS_RUNS ?? 4);
const file = new URL("../../docs/CONCURRENCY.md", import.meta.url);
const TABLE = /(?<=<!-- made by tests\/interop\/conservation.ts -->\n).*?(?=<!-- end -->)/s;

const rate = (part: number, { letters }: Count) => `${((1000 * part) / Math.max(1, letters)).toFixed(1)} ‰`;

it(
  "letters that nobody deleted",
  async () => {
    const rows: string[] = [];
    for (const [name, mix] of Object.entries(MIXES)) {
      const theirs = await measure(undefined, mix, RUNS);
      const format0 = await measure(0, mix, RUNS);
      const format1 = await measure(1, mix, RUNS);
      const cells = [theirs, format0, format1].map((count) => {
        const rates = [count.lost, count.doubled, count.back].map((part) => rate(part, count)).join(" / ");
        return count.threw > 0 ? `${rates}, threw ${count.threw} times` : rates;
      });
      rows.push(`| ${[name, ...cells].join(" | ")} |`);
      const { lost, doubled, back, threw } = format1;
      expect({ lost, doubled, back, threw }, name).toEqual({ lost: 0, doubled: 0, back: 0, threw: 0 });
      expect(format0.threw, name).toBe(0);
    }
    const table = [
      `${RUNS} runs of each, 40 edits by two people who hear of each other after eight on average; lost / twice / back:`,
      "",
      "| | `@slate-yjs/core` | slate-yrs, format 0 | slate-yrs, format 1 |",
      "|---|---|---|---|",
      ...rows,
    ].join("\n");
    console.log(table);
    if (process.env.UPDATE_DOCS) {
      writeFileSync(
        file,
        readFileSync(file, "utf8").replace(TABLE, () => `\n${table}\n\n`),
      );
    }
  },
  60_000 + 20_000 * RUNS,
);
