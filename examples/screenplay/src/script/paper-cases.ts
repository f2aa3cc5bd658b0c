// Scripts whose pages are easy to get wrong, with the number of pages each has on paper. For tests.
import type { Block, BlockType, DualDialogueBlock, Script } from "./types.ts";

let made = 0;
const block = (type: BlockType, text: string, more: Partial<Block> = {}): Block => {
  made += 1;
  return { id: `p${made}`, type, children: [{ text }], ...more };
};
const lines = (count: number): string => Array.from({ length: count }, (_, n) => `line ${n + 1}`).join("\n");
/** Action of `count` lines, which breaks nowhere but at its end: single lines with a blank one between. */
const fill = (count: number): Block[] => [
  block("action", lines(count % 2 === 1 ? 1 : 2)),
  ...Array.from({ length: Math.floor((count - 1) / 2) }, () => block("action", "x")),
];
const speech = (name: string, count: number): Block[] => [block("character", name), block("dialogue", lines(count))];
const dual = (left: number, right: number): DualDialogueBlock => ({
  id: `d${left}-${right}`,
  type: "dualDialogueBlock",
  children: [
    { id: `l${left}-${right}`, type: "column", children: speech("ADA", left) },
    { id: `r${left}-${right}`, type: "column", children: speech("BEN", right) },
  ],
});

export interface PaperCase {
  name: string;
  script: Script;
  pages: number;
}

const of = (name: string, pages: number, script: Script): PaperCase => ({ name, script, pages });

export const PAPER_CASES: readonly PaperCase[] = [
  of("one line", 1, [block("action", "x")]),
  of("a page to its last line", 1, fill(54)),
  of("a line too many", 2, [...fill(54), block("action", "x")]),
  of("three full pages", 3, [...fill(54), ...fill(54), ...fill(54)]),
  of("dual dialogue that fits", 1, [...fill(48), dual(4, 2)]),
  of("dual dialogue that goes to the next page as a whole", 2, [...fill(48), dual(6, 2)]),
  of("dual dialogue longer than a page", 2, [dual(80, 3)]),
  of("a speech that is broken, with (MORE)", 2, [...fill(49), ...speech("MARA", 6)]),
  of("a speech whose (MORE) stands below the last line", 2, [...speech("MARA", 60)]),
  of("a speech over three pages", 3, speech("MARA", 120)),
  of("a cue that does not stay alone", 2, [...fill(52), ...speech("MARA", 2)]),
  of("a parenthetical in a speech that is broken", 2, [
    ...fill(47),
    ...speech("MARA", 2),
    block("parenthetical", "beat"),
    block("dialogue", lines(3)),
  ]),
  of("a heading that goes with what follows", 2, [...fill(51), block("scene_heading", "INT. X"), block("action", "x")]),
  of("a transition with what it ends", 2, [...fill(53), block("transition", "CUT TO:")]),
  of("action that is broken", 2, [...fill(49), block("action", lines(6))]),
  of("a new act with what follows", 2, [...fill(51), block("new_act", "ACT TWO"), block("action", "x")]),
  of("a page that is wanted above each element", 4, [
    block("scene_heading", "INT. X", { startsNewPage: true }),
    block("action", "x", { startsNewPage: true }),
    block("character", "MARA", { startsNewPage: true }),
    block("dialogue", "x"),
    block("transition", "CUT TO:", { startsNewPage: true }),
  ]),
  of("what is not printed takes no line", 1, [
    ...fill(30),
    ...(["note", "boneyard", "section", "summary"] as const).map((type) => block(type, lines(20))),
    block("action", lines(23)),
  ]),
  of("words longer than a line", 2, [...fill(50), block("action", "x".repeat(60 * 6))]),
  of("lyrics and a cast list that are broken", 3, [
    ...fill(50),
    block("character", "SINGER"),
    block("lyrics", lines(52)),
    block("cast_list", lines(6)),
  ]),
  of("lines that spaces end, and empty ones", 1, [
    block("action", `${"word ".repeat(12)}   `),
    ...Array.from({ length: 25 }, () => block("action", "")),
  ]),
];
