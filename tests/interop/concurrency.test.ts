// docs/CONCURRENCY.md says what all engines really do. UPDATE_DOCS=1 writes it anew.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setUp } from "../scenarios/runner/yrs.js";
import { mixed, outcomes, SITUATIONS, table } from "./concurrency.js";
import { CHOSEN, nested, rest } from "./nested.js";

/** For a table: far more than it takes. */
const TIME = 600_000;

const file = new URL("../../docs/CONCURRENCY.md", import.meta.url);

function isAsSaid(name: string, made: string): void {
  const between = new RegExp(`(?<=<!-- made by tests/interop/${name} -->\\n).*?(?=<!-- end -->)`, "s");
  const wanted = `\n${made}\n\n`;
  const document = readFileSync(file, "utf8");
  expect(document).toMatch(between);
  if (process.env.UPDATE_DOCS)
    writeFileSync(
      file,
      document.replace(between, () => wanted),
    );
  else expect(between.exec(document)?.[0], "out of date: run this with UPDATE_DOCS=1").toBe(wanted);
}

describe("two things at once", () => {
  it("come out as docs/CONCURRENCY.md says", { timeout: TIME }, async () => {
    isAsSaid("concurrency.ts", await table());
  });

  it("come out in a mixed room as docs/CONCURRENCY.md says", { timeout: TIME }, async () => {
    isAsSaid("concurrency.ts, a mixed room", await mixed());
  });

  it("are at least eighty", () => {
    expect(SITUATIONS.length + CHOSEN.length).toBeGreaterThanOrEqual(80);
  });

  // Where the copy can be chosen so that it takes nothing along, nothing may be lost, doubled or astray.
  const safe = SITUATIONS.filter(({ name }) => /^(Enter at|bold|Backspace, the line before)/.test(name));
  it.each(safe.map((situation) => [situation.name, situation] as const))(
    "%s: nothing is damaged",
    async (_, situation) => {
      const { format0 } = await outcomes(situation);
      expect(format0.damage).toBe("");
    },
  );

  it("damage nothing in format 1", { timeout: TIME }, async () => {
    for (const situation of SITUATIONS) {
      const { format1 } = await outcomes(situation);
      expect([situation.name, format1.damage]).toEqual([situation.name, ""]);
    }
  });
});

describe("two things at once, from tests/scenarios", () => {
  let undo: () => void = () => {};
  beforeAll(() => {
    undo = setUp();
  });
  afterAll(() => undo());

  it("come out as docs/CONCURRENCY.md says", { timeout: TIME }, async () => {
    isAsSaid("nested.ts", await nested());
  });

  it("are these where format 1 does not hold", { timeout: TIME }, async () => {
    isAsSaid("nested.ts, what does not hold", await rest());
  });
});
