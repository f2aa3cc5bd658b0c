// @vitest-environment jsdom
// Notes on words go into files, and come back out of them as notes on the same words.
import { describe, expect, it } from "vitest";
import { generateScript, random } from "../generator.ts";
import { type Block, blocksOf, isDual, type Script, textOf } from "../types.ts";
import { fromFdx, toFdx } from "./fdx.ts";
import { fromFountain, toFountain } from "./fountain.ts";
import { type NoteOnWords, takeNotes, withNotes } from "./with-notes.ts";

let ids = 0;
const newId = () => `w${++ids}`;
const line = (text: string, type: Block["type"] = "action"): Block => ({ id: newId(), type, children: [{ text }] });
const lines = (script: Script) => [...blocksOf(script)].map((block) => `${block.type}: ${textOf(block)}`);

const note = (path: number[], offset: number, length: number, by: string, ...texts: string[]): NoteOnWords => ({
  at: { path, offset, length },
  said: texts.map((text, n) => ({ by: n === 0 ? by : "Ben", text })),
});
const gone = (text: string): NoteOnWords => ({ at: null, said: [{ by: "Ada", text }] });
/** What is said, and of which words. */
const said = (script: Script, notes: readonly NoteOnWords[]) =>
  notes.map(({ at, said }) => {
    const node = script[at?.path[0] ?? -1];
    const block = isDual(node) ? node.children[at?.path[1] ?? 0]?.children[at?.path[2] ?? 0] : node;
    const words = block && at ? textOf(block as Block).slice(at.offset - at.length, at.offset) : null;
    return `${words}: ${said.map(({ by, text }) => `${by}: ${text}`).join(" | ")}`;
  });
const FORMATS = [
  ["FDX", (script: Script) => fromFdx(toFdx(script), newId).script],
  ["Fountain", (script: Script) => fromFountain(toFountain(script), newId).script],
] as const;

describe("notes on words", () => {
  const script: Script = [line("She waits. And waits."), line("MARA", "character"), line("No.", "dialogue")];
  const notes: NoteOnWords[] = [
    note([0], 9, 5, "Ada", "Why?\n\nOr:\n– so", "Because [[of]] it."),
    note([0], 3, 3, "Ada", "Who"),
    note([2], 3, 3, "Ben", "Louder /* no */"),
    gone("gone"),
    note([9], 0, 0, "Ada", "nowhere"),
  ];
  const noted = withNotes(script, notes);

  it("stand behind their words, which they name; where these are gone, at the end", () => {
    expect(lines(noted)).toEqual([
      "action: She[[“She” – Ada: Who]] waits[[“waits” – Ada: Why?\nOr:\n– – so\n– Ben: Because [ [of] ] it.]]. And waits.",
      "character: MARA",
      "dialogue: No.[[“No.” – Ben: Louder / * no * /]]",
      "note: – Ada: gone",
      "note: – Ada: nowhere",
    ]);
    expect(withNotes(script, [])).toEqual(script);
  });

  it("stand behind a note that is there, and none within it", () => {
    const children = [{ text: "He" }, { text: "[[old]]", aside: true }, { text: " goes." }];
    const again = withNotes([{ id: "a", type: "action", children }], [note([0], 5, 5, "Ada", "new")]);
    expect(lines(again)).toEqual(["action: He[[old]][[“He” – Ada: new]] goes."]);
  });

  it.each(FORMATS)("come back out of %s as notes on the same words", (_, again) => {
    const read = takeNotes(again(noted));
    expect(lines(read.script)).toEqual([...lines(script), "note: – Ada: gone", "note: – Ada: nowhere"]);
    expect(said(read.script, read.notes)).toEqual([
      "She: Ada: Who",
      "waits: Ada: Why?\nOr:\n– so | Ben: Because [ [of] ] it.",
      "No.: Ben: Louder / * no * /",
    ]);
  });

  it("leave all that is no such note where it stands", () => {
    const source =
      "He[[TODO: who?]] goes[[“comes” – Ada: where?]] on[[“on” and]]. [[– Ada: so]]\n\n[[“He” – Ada: alone]]\n";
    const { script: read } = fromFountain(source, newId);
    expect(takeNotes(read)).toEqual({ script: read, notes: [] });
  });

  it("are known by the beginning and the end of long words", () => {
    const long =
      "It was late, and nobody had come to the house on the hill since the lamp was lit, as nobody ever did.";
    const written = withNotes([line(`${long} So.`)], [note([0], long.length, long.length, "Ada", "Cut?")]);
    expect(lines(written)[0]).toContain(
      "[[“It was late, and nobody had come to the … was lit, as nobody ever did.” – Ada: Cut?]]",
    );
    const read = takeNotes(written);
    expect(said(read.script, read.notes)).toEqual([`${long}: Ada: Cut?`]);
  });
});

it.each([1, 2, 3])("anywhere in a script they change nothing of it, and come back (seed %i)", (seed) => {
  const dice = random(seed);
  const roll = (below: number) => Math.floor(dice() * below);
  const script = generateScript({ scenes: 8, seed });
  const notes = Array.from({ length: 40 }, (_, n): NoteOnWords => {
    const top = roll(script.length);
    const node = script[top];
    const path = isDual(node) ? [top, roll(2), 1] : [top];
    const block = isDual(node) ? node.children[path[1] as number]?.children[1] : node;
    const text = block ? textOf(block as Block) : "";
    const offset = 1 + roll(text.length);
    let length = 1 + roll(offset);
    // Of a space alone nobody can say anything.
    while (length < offset && text.slice(offset - length, offset).trim() === "") length += 1;
    const by = ["Ada", "– B: C", ""][roll(3)] as string;
    return note(path, offset, length, by, `n${n}. ${"]*["[roll(3)]}`, "– so\n– and");
  });
  for (const [, again] of FORMATS) {
    const read = takeNotes(again(withNotes(script, notes)));
    expect(lines(read.script)).toEqual(lines(again(script)));
    const found = said(read.script, read.notes);
    const words = ([kind, ...rest]: string) => `${kind}${rest.join("")}`.replaceAll(/\s+/g, " ").trim();
    for (const text of said(script, notes)) {
      const [, about = "", n = ""] = /^([\s\S]*?): (?:Ada|– B: C|): (n\d+\.)/.exec(text) ?? [];
      const back = found.find((other) => other.includes(`: ${n} `)) ?? "";
      expect(back).toMatch(/ \| Ben: – so\n– and$/);
      expect(words(back.slice(0, back.search(/: (?:Ada|B C|Somebody): /)))).toBe(words(about));
    }
  }
});
