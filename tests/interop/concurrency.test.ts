// docs/CONCURRENCY.md says what both engines really do. UPDATE_DOCS=1 writes it anew.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { outcomes, SITUATIONS, table } from "./concurrency.js";

const file = new URL("../../docs/CONCURRENCY.md", import.meta.url);
const TABLE = /(?<=<!-- made by tests\/interop\/concurrency.ts -->\n).*?(?=<!-- end -->)/s;

describe("two things at once", () => {
  it("come out as docs/CONCURRENCY.md says", async () => {
    const made = `\n${await table()}\n\n`;
    const document = readFileSync(file, "utf8");
    if (process.env.UPDATE_DOCS)
      writeFileSync(
        file,
        document.replace(TABLE, () => made),
      );
    else expect(TABLE.exec(document)?.[0], "out of date: run this with UPDATE_DOCS=1").toBe(made);
  });

  // Where nothing is removed and nothing need be copied, nothing may be lost, doubled or astray.
  const safe = SITUATIONS.filter(({ name }) => /^(Enter at|Enter ‖ type|bold|Backspace, the line before)/.test(name));
  it.each(safe.map((situation) => [situation.name, situation] as const))(
    "%s: nothing is damaged",
    async (_, situation) => {
      const { ours } = await outcomes(situation);
      expect(ours.damage).toBe("");
    },
  );
});
