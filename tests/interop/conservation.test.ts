// Prints how much of what nobody deleted is lost or there twice, and how much comes back of what was deleted, in both engines on the same runs.
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
      const theirs = await measure("theirs", mix, RUNS);
      const ours = await measure("ours", mix, RUNS);
      const cells = [theirs, ours].flatMap((count) => [
        rate(count.lost, count),
        rate(count.doubled, count),
        rate(count.back, count),
        `${count.threw}`,
      ]);
      rows.push(`| ${[name, ...cells].join(" | ")} |`);
      const { lost, doubled, back, threw } = ours;
      expect({ lost, doubled, threw }, name).toEqual({ lost: 0, doubled: 0, threw: 0 });
      // Wrapped, unwrapped, split and merged at once, a letter may come back.
      expect(back, name).toBeLessThanOrEqual(name === "everything" ? ours.letters / 200 : 0);
    }
    const table = [
      `${RUNS} runs of each, 40 edits by two people who hear of each other after eight on average:`,
      "",
      "| | slate-yjs: lost | twice | back | threw | slate-yrs: lost | twice | back | threw |",
      "|---|---|---|---|---|---|---|---|---|",
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
