import { describe, expect, it } from "vitest";
import { generateScript, random } from "./generator.ts";
import { LINES_PER_PAGE, linesOf, Paginator, paginate } from "./paginate.ts";
import { sheetsOf } from "./sheets.ts";
import type { Block, BlockType, Script } from "./types.ts";

let made = 0;
const block = (type: BlockType, text: string): Block => {
  made += 1;
  return { id: `t${made}`, type, children: [{ text }] };
};
const lines = (type: BlockType, count: number): Block =>
  block(type, Array.from({ length: count }, () => "x").join("\n"));
/** Single lines of action, each with a blank one above but the first: `count` lines. */
const fill = (count: number): Block[] => [
  lines("action", count % 2 === 1 ? 1 : 2),
  ...Array.from({ length: Math.floor((count - 1) / 2) }, () => block("action", "x")),
];
const breaksOf = (script: Script) =>
  [...paginate(script).breaks].flatMap(([id, all]) =>
    all.map(({ page, line, speaker }) => {
      const index = script.findIndex((node) => node.id === id);
      return `${page}: ${index}+${line}${speaker === null ? "" : ` ${speaker}`}`;
    }),
  );

describe("lines", () => {
  it("wrap at the measure of the element", () => {
    const words = (count: number) => "word ".repeat(count).trim();
    expect(linesOf(block("action", words(12)))).toBe(1);
    expect(linesOf(block("action", words(13)))).toBe(2);
    expect(linesOf(block("dialogue", words(7)))).toBe(1);
    expect(linesOf(block("dialogue", words(8)))).toBe(2);
    // With its parentheses: 25 characters, then 26.
    expect(linesOf(block("parenthetical", "aaaaaaaaaaa aaaaaaaaaaa"))).toBe(1);
    expect(linesOf(block("parenthetical", "aaaaaaaaaaaa aaaaaaaaaaa"))).toBe(2);
    expect(linesOf(block("action", ""))).toBe(1);
    expect(linesOf(block("action", "x".repeat(121)))).toBe(3);
  });
});

describe("pages", () => {
  it("have 54 lines, and none blank at the top", () => {
    expect(breaksOf([...fill(LINES_PER_PAGE - 1), block("action", "x")])).toEqual(["2: 27+0"]);
    expect(breaksOf([...fill(LINES_PER_PAGE - 2), block("action", "x")])).toEqual([]);
    const two = [...fill(LINES_PER_PAGE), ...fill(LINES_PER_PAGE), block("action", "x")];
    expect(breaksOf(two)).toEqual(["2: 27+0", "3: 54+0"]);
  });

  it("a heading is not the last on a page, nor with one line of what follows", () => {
    for (const [filled, expected] of [
      [47, []],
      [48, ["2: 24+0"]],
    ] as const) {
      const script = [...fill(filled), block("scene_heading", "INT. X"), lines("action", 3)];
      expect(breaksOf(script), String(filled)).toEqual(expected);
    }
    // Of four lines two may stay.
    expect(breaksOf([...fill(48), block("scene_heading", "INT. X"), lines("action", 4)])).toEqual(["2: 25+2"]);
  });

  it("action is broken with two lines or more on either side", () => {
    for (const [filled, expected] of [
      [49, ["2: 25+3"]],
      [50, ["2: 25+3"]],
      [51, ["2: 26+2"]],
      [52, ["2: 26+0"]],
    ] as const) {
      expect(breaksOf([...fill(filled), lines("action", 5)]).at(0), String(filled)).toBe(expected[0]);
    }
    expect(breaksOf([...fill(51), lines("action", 3)])).toEqual(["2: 26+0"]);
  });

  it("dialogue is broken with the speaker repeated, and the cue never stands alone", () => {
    const speech = (count: number) => [block("character", "Mara (cont’d)"), lines("dialogue", count)];
    expect(breaksOf([...fill(49), ...speech(6)])).toEqual(["2: 26+3 MARA"]);
    expect(breaksOf([...fill(51), ...speech(6)])).toEqual(["2: 26+0"]);
    expect(breaksOf([...fill(50), ...speech(3)])).toEqual(["2: 25+0"]);
    const aside = [...fill(47), ...speech(2), block("parenthetical", "beat"), lines("dialogue", 3)];
    expect(breaksOf(aside)).toEqual(["2: 26+0 MARA"]);
  });

  it("no page begins with a transition", () => {
    const cut = block("transition", "CUT TO:");
    expect(breaksOf([...fill(51), block("action", "x"), cut])).toEqual(["2: 26+0"]);
    expect(breaksOf([...fill(49), lines("action", 4), cut])).toEqual(["2: 25+2"]);
    expect(breaksOf([...fill(50), block("character", "MARA"), lines("dialogue", 2), cut])).toEqual(["2: 25+0"]);
  });

  it("a speech longer than a page goes over several, a line less for each repeated cue", () => {
    expect(breaksOf([block("character", "MARA"), lines("dialogue", 120)])).toEqual(["2: 1+53 MARA", "3: 1+106 MARA"]);
    const dual: Script = [
      {
        id: "d",
        type: "dualDialogueBlock",
        children: [
          { id: "l", type: "column", children: [block("character", "A"), lines("dialogue", 80)] },
          { id: "r", type: "column", children: [block("character", "B"), lines("dialogue", 1)] },
        ],
      },
    ];
    expect(breaksOf(dual)).toEqual(["2: 0+54"]);
    expect(breaksOf([lines("parenthetical", 70)])).toHaveLength(1);
  });

  it("a feature has well over a hundred pages", () => {
    const script = generateScript();
    const { count } = paginate(script);
    expect(count).toBeGreaterThan(110);
    expect(count).toBeLessThan(170);
  });

  it("laid out again from an edit on, they are what they are when laid out afresh", () => {
    const next = random(3);
    const pick = (count: number) => Math.floor(next() * count);
    const types: BlockType[] = ["scene_heading", "action", "character", "parenthetical", "dialogue", "transition"];
    let script = generateScript({ scenes: 14 });
    const paginator = new Paginator();
    paginator.update(script);
    for (let round = 0; round < 150; round += 1) {
      script = [...script];
      const at = pick(script.length);
      const dice = next();
      if (dice < 0.5) script[at] = { ...lines(types[pick(6)] ?? "action", 1 + pick(9)), id: script[at]?.id ?? "" };
      else if (dice < 0.7) script.splice(at, 0, lines(types[pick(6)] ?? "action", 1 + pick(4)));
      else if (dice < 0.9) script.splice(at, 1 + pick(3));
      else script.splice(pick(script.length), 0, ...script.splice(at, pick(30)));
      const before = paginator.update(script);
      expect([...before.breaks], `round ${round}`).toEqual([...paginate(script).breaks]);
      expect(before.count).toBe(paginate(script).count);
      expect(paginator.update(script)).toBe(before);
    }
  });

  it("typing that moves no break leaves them the same objects", () => {
    const script = generateScript({ scenes: 20 });
    const paginator = new Paginator();
    const before = paginator.update(script);
    const typed = script.map((node, index) => (index === 9 ? { ...node } : node)) as Script;
    const after = paginator.update(typed);
    for (const [id, breaks] of before.breaks) expect(after.breaks.get(id)).toBe(breaks);
  });
});

it.runIf(process.env.COST)("cost", () => {
  const script = generateScript();
  const paginator = new Paginator();
  paginator.update(script);
  const time = (work: (round: number) => void) => {
    const since = performance.now();
    for (let round = 0; round < 200; round += 1) work(round);
    return ((performance.now() - since) / 200).toFixed(3);
  };
  const afresh = time(() => paginate(script));
  let typed = script;
  const again = time((round) => {
    typed = [...typed];
    typed[100] = lines("action", 1 + (round % 2));
    paginator.update(typed);
  });
  console.log(`${paginate(script).count} pages: ${afresh} ms afresh, ${again} ms after an edit on page 5`);
});

describe("what is not on paper", () => {
  it("takes no lines: notes, cuts, sections, summaries", () => {
    const script = fill(LINES_PER_PAGE);
    const unprinted = ["note", "boneyard", "section", "summary"] as const;
    const between = script.flatMap((each) => [...unprinted.map((type) => block(type, "x\nx\nx")), each]);
    expect(paginate(between).count).toBe(1);
    expect(paginate([...between, block("action", "x")]).count).toBe(2);
    const aside: Block = {
      ...block("action", ""),
      children: [{ text: "x " }, { text: `[[${"x ".repeat(99)}]]`, aside: true }],
    };
    expect(linesOf(aside)).toBe(1);
  });

  it("does not part a heading from what it is about", () => {
    const script = [
      ...fill(LINES_PER_PAGE - 4),
      block("scene_heading", "INT. HALL"),
      block("summary", "x"),
      block("action", "x"),
    ];
    expect(breaksOf(script)).toEqual([`2: ${script.length - 3}+0`]);
  });
});

describe("a page that begins where it is wanted", () => {
  const page = (each: Block): Block => ({ ...each, startsNewPage: true });

  it("begins there, once, and not at the beginning", () => {
    const script = [
      page(block("action", "One")),
      block("action", "Two"),
      page(block("scene_heading", "INT. A")),
      page(block("action", "")),
    ];
    expect(breaksOf(script)).toEqual(["2: 2+0", "3: 3+0"]);
  });

  it("has no (CONT'D) above it", () => {
    const script = [block("character", "MARA"), block("dialogue", "One."), page(block("dialogue", "Two."))];
    expect(breaksOf(script)).toEqual(["2: 2+0"]);
  });

  it("is found again after edits before it", () => {
    const script = [...fill(30), page(block("action", "x")), ...fill(LINES_PER_PAGE), page(block("action", "x"))];
    const paginator = new Paginator();
    paginator.update(script);
    const edited = script.with(2, block("action", "x\nx\nx"));
    expect([...paginator.update(edited).breaks]).toEqual([...paginate(edited).breaks]);
  });

  it("what another program has put there is laid out as a general element", () => {
    const strange = { id: "x", type: "mystery", children: [{ text: "What\nis this?" }] } as unknown as Block;
    const bare = { children: [{ text: "" }] } as unknown as Block;
    expect(paginate([strange, bare])).toEqual({ count: 1, breaks: new Map() });
    expect(sheetsOf([strange, bare])[0]?.lines.map(({ row }) => row)).toEqual([0, 1, 3]);
  });
});
