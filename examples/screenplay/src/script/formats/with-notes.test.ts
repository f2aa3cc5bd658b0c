// @vitest-environment jsdom
// Notes on words go into files, and are read from them as notes in the text.
import { describe, expect, it } from "vitest";
import { generateScript, random } from "../generator.ts";
import { type Block, blocksOf, isDual, type Script, textOf } from "../types.ts";
import { fromFdx, toFdx } from "./fdx.ts";
import { fromFountain, toFountain } from "./fountain.ts";
import { type NoteOnWords, withNotes } from "./with-notes.ts";

let ids = 0;
const newId = () => `w${++ids}`;
const line = (text: string, type: Block["type"] = "action"): Block => ({ id: newId(), type, children: [{ text }] });
const lines = (script: Script) => [...blocksOf(script)].map((block) => `${block.type}: ${textOf(block)}`);

describe("notes on words", () => {
  const script: Script = [line("She waits. And waits."), line("MARA", "character"), line("No.", "dialogue")];
  const notes: NoteOnWords[] = [
    { at: { path: [0], offset: 9 }, text: "Ada: Why?\n\nBen: Because [[of]] it." },
    { at: { path: [0], offset: 3 }, text: "Ada: Who" },
    { at: { path: [2], offset: 3 }, text: "Ben: Louder /* no */" },
    { at: null, text: "Ada: gone" },
    { at: { path: [9], offset: 0 }, text: "Ada: nowhere" },
  ];
  const noted = withNotes(script, notes);

  it("stand behind their words; where these are gone, at the end", () => {
    expect(lines(noted)).toEqual([
      "action: She[[Ada: Who]] waits[[Ada: Why?\nBen: Because [ [of] ] it.]]. And waits.",
      "character: MARA",
      "dialogue: No.[[Ben: Louder / * no * /]]",
      "note: Ada: gone",
      "note: Ada: nowhere",
    ]);
    expect(withNotes(script, [])).toEqual(script);
  });

  it("stand behind a note that is there, and none within it", () => {
    const children = [{ text: "He" }, { text: "[[old]]", aside: true }, { text: " goes." }];
    const again = withNotes(
      [{ id: "a", type: "action", children }],
      [{ at: { path: [0], offset: 5 }, text: "Ada: new" }],
    );
    expect(lines(again)).toEqual(["action: He[[old]][[Ada: new]] goes."]);
  });

  it("are ScriptNote in FDX and [[ ]] in Fountain, and come back as what they are written as", () => {
    const fdx = toFdx(noted);
    expect(fdx).toMatch(/She<\/Text><ScriptNote ID="1"><Paragraph><Text>Ada: Who<\/Text><\/Paragraph><\/ScriptNote>/);
    expect(lines(fromFdx(fdx, newId).script)).toEqual(lines(noted));
    const fountain = toFountain(noted);
    expect(fountain).toContain("No.[[Ben: Louder / * no * /]]");
    expect(lines(fromFountain(fountain, newId).script)).toEqual(lines(noted));
  });
});

it.each([1, 2, 3])("anywhere in a script they change nothing else of it (seed %i)", (seed) => {
  const dice = random(seed);
  const roll = (below: number) => Math.floor(dice() * below);
  const script = generateScript({ scenes: 8, seed });
  const notes = Array.from({ length: 40 }, (_, n): NoteOnWords => {
    const top = roll(script.length);
    const node = script[top];
    const path = isDual(node) ? [top, roll(2), 1] : [top];
    const block = isDual(node) ? node.children[path[1] as number]?.children[1] : node;
    return {
      at: { path, offset: roll(block ? textOf(block as Block).length + 1 : 1) },
      text: `Ada: n${n} ${"]*["[roll(3)]}`,
    };
  });
  const noted = withNotes(script, notes);
  const without = (value: Script) =>
    lines(value).map((text) =>
      text
        .replaceAll(/\[\[[\s\S]*?\]\]/g, "")
        .replaceAll(/\s+/g, " ")
        .trim(),
    );
  expect(without(noted)).toEqual(without(script));
  for (const again of [fromFdx(toFdx(noted), newId).script, fromFountain(toFountain(noted), newId).script]) {
    expect(without(again)).toEqual(without(script));
    const found = [...blocksOf(again)].map(textOf).join(" ");
    for (let n = 0; n < 40; n += 1) expect(found).toContain(`Ada: n${n} `);
  }
});
