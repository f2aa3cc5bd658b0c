// @vitest-environment jsdom
import { readFileSync } from "node:fs";
import { Editor, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { createScriptEditor } from "./editor.ts";
import { linesOfHtml, pasteFragment, pasteText } from "./paste.ts";
import { type Block, type BlockType, type FormattedText, isDual, type Script, textOf } from "./types.ts";

const fixture = (name: string) => readFileSync(`${import.meta.dirname}/pasted/${name}.txt`, "utf8");

let ids = 0;
const block = (type: BlockType, text = ""): Block => ({ id: `p${++ids}`, type, children: [{ text }] });
function edit(script: Script, at: number, offset?: number) {
  const editor = createScriptEditor(script);
  const point = Editor.end(editor, [at]);
  Transforms.select(editor, offset === undefined ? point : { ...point, offset });
  return editor;
}
const lines = (editor: { children: unknown[] }) =>
  editor.children.map((node) => (isDual(node) ? "dual" : `${(node as Block).type}: ${textOf(node as Block)}`));
const leaves = (line: FormattedText[] | undefined) =>
  line?.map(({ text, ...marks }) => [text, ...Object.keys(marks).sort()].join("|"));

describe("words from word processors", () => {
  it("come with their looks out of Word", () => {
    const read = linesOfHtml(fixture("word"));
    expect(read.map(leaves)).toEqual([
      ["The ", "red|bold", " door ", "locks|italic", "."],
      [],
      ["Then ", "nothing|underline", ", for a ", "long|strike", " while."],
    ]);
  });

  it("come with their looks out of Google Docs, where all stands in a <b>", () => {
    const read = linesOfHtml(fixture("google-docs"));
    expect(read.map(leaves)).toEqual([
      ["The ", "red|bold", " door, 2 * 3 ", "locks|italic", "."],
      [],
      ["A link", " and ", "all of it|bold|italic|underline", "gone|strike"],
    ]);
  });

  it("become elements that look like that", () => {
    const editor = edit([block("action")], 0);
    const plain = "The red door, 2 * 3 locks.\n\nA link and all of itgone";
    expect(pasteText(editor, plain, fixture("google-docs"))).toBe(true);
    expect(lines(editor)).toEqual(["action: The red door, 2 * 3 locks.", "action: A link and all of itgone"]);
    expect(leaves((editor.children[0] as Block).children)).toEqual([
      "The ",
      "red|bold",
      " door, 2 * 3 ",
      "locks|italic",
      ".",
    ]);
  });

  it("go into a line as they look", () => {
    const editor = edit([block("dialogue", "Say !")], 0, 4);
    expect(pasteText(editor, "it now", "<b>it</b> <i>now</i>")).toBe(true);
    expect(leaves((editor.children[0] as Block).children)).toEqual(["Say ", "it|bold", " ", "now|italic", "!"]);
  });

  it("are plain text where the page says other words than its text, or nothing of looks", () => {
    const editor = edit([block("action")], 0);
    expect(pasteText(editor, "one line", "<b>other</b> words")).toBe(false);
    expect(pasteText(editor, "one line", "<p>one line</p>")).toBe(false);
    expect(pasteText(editor, "A\n\nB", "<b>C</b>")).toBe(true);
    expect(lines(editor)).toEqual(["action: A", "action: B"]);
  });
});

describe("where it lands", () => {
  const speech = (words = "Too late.") => [
    block("character", "MARA"),
    block("dialogue", words),
    block("action", "End."),
  ];
  const prose = "It rains.\n\nIt pours.";

  it("lines stay spoken in a speech, and what stood behind the caret behind them", () => {
    const editor = edit(speech("Hello there."), 1, 6);
    pasteText(editor, prose, "");
    expect(lines(editor)).toEqual([
      "character: MARA",
      "dialogue: Hello It rains.",
      "dialogue: It pours.there.",
      "action: End.",
    ]);
    expect(new Set(editor.children.map((node) => (node as Block).id)).size).toBe(4);
  });

  it("lines stay sung in a song, and follow a parenthetical as what is said", () => {
    const song = edit([block("character", "MARA"), block("lyrics", "La")], 1);
    pasteText(song, prose, "");
    expect(lines(song)).toEqual(["character: MARA", "lyrics: LaIt rains.", "lyrics: It pours."]);
    const manner = edit([block("character", "MARA"), block("parenthetical", "soft")], 1);
    pasteText(manner, "ly\n\nIt rains.", "");
    expect(lines(manner)).toEqual(["character: MARA", "parenthetical: softly", "dialogue: It rains."]);
  });

  it("a cue stays a cue, and what follows it is said", () => {
    const empty = edit([block("character")], 0);
    pasteText(empty, "Mara\nIt rains.\nIt pours.", "");
    expect(lines(empty)).toEqual(["character: Mara", "dialogue: It rains.", "dialogue: It pours."]);
    const begun = edit([block("character", "YOUNG ")], 0);
    pasteText(begun, "MARA\nIt rains.", "");
    expect(lines(begun)).toEqual(["character: YOUNG MARA", "dialogue: It rains."]);
  });

  it("what is more than lines is what it is", () => {
    const editor = edit(speech(), 1);
    pasteText(editor, "INT. HALL - DAY\n\nIt rains.\n\nKIT\nNo.", "");
    expect(lines(editor)).toEqual([
      "character: MARA",
      "dialogue: Too late.",
      "scene_heading: INT. HALL - DAY",
      "action: It rains.",
      "character: KIT",
      "dialogue: No.",
      "action: End.",
    ]);
  });

  it("words that were copied from an element are words, in every line that is something", () => {
    const words = [block("scene_heading", "INT. HALL")];
    for (const type of ["character", "dialogue", "transition"] as const) {
      const editor = edit([block("action", "Before."), block(type)], 1);
      expect(pasteFragment(editor, words)).toBe(true);
      expect(lines(editor)).toEqual(["action: Before.", `${type}: INT. HALL`]);
    }
    expect(pasteFragment(edit([block("action")], 0), words)).toBe(false);
  });

  it("elements that were copied together stay spoken in a speech if they are lines, and are themselves if not", () => {
    const editor = edit(speech(), 1);
    expect(pasteFragment(editor, [block("action", " One."), block("action", "Two.")])).toBe(true);
    expect(lines(editor)).toEqual(["character: MARA", "dialogue: Too late. One.", "dialogue: Two.", "action: End."]);
    expect(pasteFragment(editor, [block("scene_heading", "INT. HALL"), block("action", "Two.")])).toBe(false);
  });

  it("takes the place of what is selected", () => {
    const editor = edit(speech("Hello there."), 1);
    Transforms.select(editor, { anchor: { path: [1, 0], offset: 6 }, focus: { path: [1, 0], offset: 11 } });
    pasteText(editor, prose, "");
    expect(lines(editor).slice(1, 3)).toEqual(["dialogue: Hello It rains.", "dialogue: It pours.."]);
  });
});
