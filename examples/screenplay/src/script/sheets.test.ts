// A page on the screen is a page on paper: what the editor counts, and where each line of it is printed.
import { describe, expect, it } from "vitest";
import { ELEMENTS } from "./elements.ts";
import { generateScript, random } from "./generator.ts";
import { LINES_PER_PAGE, paginate } from "./paginate.ts";
import { PAPER_CASES } from "./paper-cases.ts";
import { type Sheet, sheetsOf } from "./sheets.ts";
import { type Block, blocksOf, printedText, type Script } from "./types.ts";

/** A sheet as a typewriter would write it: `row: column text`. */
const written = (sheet: Sheet | undefined): string[] =>
  (sheet?.lines ?? []).map(({ row, column, spans }) => `${row}: ${column} ${spans.map(({ text }) => text).join("")}`);

let made = 0;
const block = (type: Block["type"], text: string, more: Partial<Block> = {}): Block => {
  made += 1;
  return { id: `s${made}`, type, children: [{ text }], ...more };
};

describe("sheets", () => {
  it("have each element where its margins are", () => {
    const script: Script = [
      block("scene_heading", "int. hall - day", { sceneNumber: "12A" }),
      block("action", `She waits. ${"word ".repeat(12)}end`),
      block("character", "Mara"),
      block("parenthetical", "quietly and slowly, with care"),
      block("dialogue", "No."),
      block("transition", "cut to:"),
      block("action", "Middle", { align: "center" }),
      block("new_act", "act two"),
      block("note", "not on paper"),
    ];
    // The number is the heading's own: it is there whether numbers are asked for or not.
    const [sheet, ...more] = sheetsOf(script);
    expect(more).toEqual([]);
    expect(written(sheet)).toEqual([
      "0: 15 INT. HALL - DAY",
      "0: 8 12A",
      "0: 77 12A",
      "2: 15 She waits. word word word word word word word word word word",
      "3: 15 word word end",
      "5: 37 MARA",
      "6: 30 (quietly and slowly, with",
      "7: 31 care)",
      "8: 25 No.",
      "10: 68 CUT TO:",
      "12: 42 Middle",
      "15: 41.5 ACT TWO",
    ]);
    expect(sheet?.headings).toEqual([{ row: 0, title: "INT. HALL - DAY" }]);
  });

  it("keep emphasis over the end of a line, and leave notes and cuts out", () => {
    const leaves = [
      { text: "a".repeat(58) },
      { text: " [[no]]", aside: true },
      { text: " bold", bold: true },
      { text: " both", bold: true, underline: true },
    ];
    const [sheet] = sheetsOf([{ id: "a", type: "action", children: leaves }]);
    expect(sheet?.lines.map(({ spans }) => spans)).toEqual([
      [{ text: "a".repeat(58) }],
      [
        { text: "bold", bold: true },
        { text: " both", bold: true, underline: true },
      ],
    ]);
  });

  it("say (MORE) below a speech that goes on, and repeat its cue", () => {
    const lines = Array.from({ length: 60 }, (_, n) => `line ${n}`).join("\n");
    const [first, second] = sheetsOf([block("character", "Mara (cont’d)"), block("dialogue", lines)]);
    expect(written(first).slice(-2)).toEqual(["53: 25 line 52", "54: 37 (MORE)"]);
    expect(written(second).slice(0, 2)).toEqual(["0: 37 MARA (CONT’D)", "1: 25 line 53"]);
    expect(second?.page).toBe(2);
  });

  it("have what the page shows besides", () => {
    const script = [
      block("scene_heading", "INT. X"),
      block("character", "Mara"),
      block("dialogue", "No."),
      block("action", "She waits."),
      block("character", "Mara"),
      block("dialogue", "No."),
    ];
    const cues = (options: object) =>
      written(sheetsOf(script, [], options)[0]).filter((line) => /MARA|: (10|77) 1$/.test(line));
    expect(cues({})).toEqual(["2: 37 MARA", "7: 37 MARA"]);
    expect(cues({ numbers: true, continued: true })).toEqual([
      "0: 10 1",
      "0: 77 1",
      "2: 37 MARA",
      "7: 37 MARA (CONT’D)",
    ]);
  });

  it("have dual dialogue side by side", () => {
    const column = (id: string, name: string, text: string) => ({
      id,
      type: "column" as const,
      children: [block("character", name), block("parenthetical", "beat"), block("dialogue", text)],
    });
    const long = "word ".repeat(8).trim();
    const script: Script = [
      { id: "d", type: "dualDialogueBlock", children: [column("l", "A", long), column("r", "B", "No.")] },
    ];
    expect(written(sheetsOf(script)[0])).toEqual([
      "0: 21 A",
      "0: 52.25 B",
      "1: 19 (beat)",
      "1: 50.25 (beat)",
      "2: 15 word word word word word",
      "2: 46.25 No.",
      "3: 15 word word word",
    ]);
  });

  it("begin with the title page, which is not counted", () => {
    const [title, first] = sheetsOf(
      [block("action", "x")],
      [
        ["Title", "_THE **LONG**_\nHARBOUR"],
        ["Credit", "by"],
        ["Authors", "Ada & Ben"],
        ["Draft date", "1 May"],
        ["Contact", "Street 1\nTown"],
        ["Copyright", "(c) Ada"],
      ],
    );
    expect([title?.page, first?.page]).toEqual([null, 1]);
    expect(written(title)).toEqual([
      "15: 41 THE LONG",
      "16: 41.5 HARBOUR",
      "20: 44 by",
      "22: 40.5 Ada & Ben",
      "53: 70 1 May",
      "51: 15 Street 1",
      "52: 15 Town",
      "53: 15 (c) Ada",
    ]);
    expect(title?.lines[0]?.spans[1]).toMatchObject({ text: "LONG", bold: true, underline: true });
    expect(sheetsOf([block("action", "x")], [["Title", " "]])).toHaveLength(1);
  });
});

describe("the page count is that of the paper", () => {
  it.each(PAPER_CASES)("$name", ({ script, pages }) => {
    expect(paginate(script).count).toBe(pages);
    expect(sheetsOf(script).map(({ page }) => page)).toEqual(Array.from({ length: pages }, (_, n) => n + 1));
  });

  it("of any script, and no line of it is lost, on another line, or below the page", () => {
    const next = random(5);
    const pick = (count: number) => Math.floor(next() * count);
    for (let round = 0; round < 40; round += 1) {
      const script = generateScript({ seed: round, scenes: 1 + pick(12) }) as Script;
      for (let n = 0; n < 5; n += 1) {
        const at = pick(script.length);
        script.splice(
          at,
          0,
          block(pick(2) ? "dialogue" : "action", "word ".repeat(pick(400)), { startsNewPage: pick(3) === 0 }),
        );
      }
      const sheets = sheetsOf(script);
      expect(sheets.length).toBe(paginate(script).count);
      const letters = (text: string) => text.replaceAll(/\s/g, "").length;
      let printed = 0;
      for (const { lines } of sheets) {
        const places = lines.map(({ row, column }) => `${row} ${column}`);
        expect(new Set(places).size).toBe(places.length);
        for (const { row, spans } of lines) {
          const text = spans.map((span) => span.text).join("");
          expect(row).toBeLessThan(LINES_PER_PAGE + (text === "(MORE)" ? 1 : 0));
          if (text !== "(MORE)" && !(row === 0 && text.endsWith(" (CONT’D)"))) printed += letters(text);
        }
      }
      let expected = 0;
      for (const each of blocksOf(script)) {
        if (!ELEMENTS[each.type].printed) continue;
        const text = each.type === "parenthetical" ? `(${printedText(each)})` : printedText(each);
        expected += letters(ELEMENTS[each.type].capitals ? text.toUpperCase() : text);
      }
      expect(printed).toBe(expected);
    }
  });
});
