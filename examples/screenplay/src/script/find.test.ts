import { Editor, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { createScriptEditor, toggleDual } from "./editor.ts";
import { Finder, foundAt, nextFound, rangeOf, replaceAll, replaceFound, type Wanted } from "./find.ts";
import { generateScript } from "./generator.ts";
import { type Block, type BlockType, blocksOf, type FormattedText, type Script, textOf } from "./types.ts";

let ids = 0;
const block = (type: BlockType, ...children: (string | FormattedText)[]): Block => ({
  id: `f${++ids}`,
  type,
  children: children.map((child) => (typeof child === "string" ? { text: child } : child)),
});
const finder = (text: string, options: Partial<Wanted> = {}) =>
  new Finder({ text, matchCase: false, wholeWords: false, ...options });
const wordsOf = (script: Script, ...args: Parameters<typeof finder>) =>
  finder(...args)
    .all(script)
    .map(({ path, block, start, end }) => `${path.join(".")} ${textOf(block).slice(start, end)}`);

describe("finding", () => {
  const script = [
    block("scene_heading", "INT. MARA’S KITCHEN - DAY"),
    block("character", "Mara"),
    block("dialogue", "Marathon? ", { text: "Ma", bold: true }, "ra. (mara)"),
  ];

  it("finds words in any letters, over marks, in all elements", () => {
    expect(wordsOf(script, "mara")).toEqual(["0 MARA", "1 Mara", "2 Mara", "2 Mara", "2 mara"]);
    expect(wordsOf(script, "")).toEqual([]);
  });

  it("minds letters and whole words where that is asked for", () => {
    expect(wordsOf(script, "Mara", { matchCase: true })).toEqual(["1 Mara", "2 Mara", "2 Mara"]);
    expect(wordsOf(script, "mara", { wholeWords: true })).toEqual(["0 MARA", "1 Mara", "2 Mara", "2 mara"]);
    expect(wordsOf([block("action", "Žofie, žofie, Žofiek")], "ŽOFIE", { wholeWords: true })).toHaveLength(2);
  });

  it("takes what is looked for as it stands, but for quotes and spaces of all kinds", () => {
    expect(wordsOf(script, "(mara)")).toEqual(["2 (mara)"]);
    expect(wordsOf(script, "M.ra")).toEqual([]);
    expect(
      wordsOf([block("action", "a-b/c [d] $e ^f {g} \\h *i+ j? k|l")], "a-b/c [d] $e ^f {g} \\h *i+ j? k|l"),
    ).toHaveLength(1);
    expect(wordsOf(script, "mara's kitchen")).toEqual(["0 MARA’S KITCHEN"]);
    expect(wordsOf([block("action", "one\ntwo\u00a0three")], "one two three")).toHaveLength(1);
  });

  it("looks into both columns of dual dialogue, in reading order", () => {
    const speech = (name: string) => [block("character", name), block("dialogue", "same")];
    const editor = createScriptEditor([...speech("A"), ...speech("B"), block("action", "same")]);
    Transforms.select(editor, Editor.end(editor, [3]));
    toggleDual(editor);
    expect(wordsOf(editor.children as Script, "same")).toEqual(["0.0.1 same", "0.1.1 same", "1 same"]);
  });
});

describe("going from one to the next", () => {
  const open = () => {
    const editor = createScriptEditor([
      block("action", "x ", { text: "x", bold: true }, " x"),
      block("action", "no"),
      block("action", "x"),
    ]);
    const found = finder("x").all(editor.children);
    const go = (back = false) => {
      const at = nextFound(editor, found, editor.selection, back);
      Transforms.select(editor, rangeOf(found[at]!));
      expect(foundAt(editor, found, editor.selection)).toBe(at);
      return at;
    };
    return { editor, found, go };
  };

  it("begins at the caret, and goes round the end", () => {
    const { editor, go } = open();
    Transforms.select(editor, { path: [0, 2], offset: 0 });
    expect([go(), go(), go(), go(), go()]).toEqual([2, 3, 0, 1, 2]);
  });

  it("goes back, and round the beginning", () => {
    const { editor, go } = open();
    Transforms.select(editor, Editor.start(editor, [1]));
    expect([go(true), go(true), go(true), go(true)]).toEqual([2, 1, 0, 3]);
  });

  it("knows of no place where nothing is selected, or something else", () => {
    const { editor, found } = open();
    expect(foundAt(editor, found, null)).toBe(-1);
    expect(nextFound(editor, found, null)).toBe(0);
    expect(nextFound(editor, [], null)).toBe(-1);
    expect(foundAt(editor, found, Editor.range(editor, [0]))).toBe(-1);
  });
});

describe("replacing", () => {
  it("keeps the look of the first of the words, and what is around them", () => {
    const editor = createScriptEditor([
      block("action", "say ", { text: "hello wo", bold: true }, { text: "rld", italic: true }, "!"),
    ]);
    replaceFound(editor, finder("hello world").all(editor.children)[0]!, "bye");
    expect((editor.children[0] as Block).children).toEqual([
      { text: "say " },
      { text: "bye", bold: true },
      { text: "!" },
    ]);
  });

  it("takes words away for none", () => {
    const editor = createScriptEditor([block("action", { text: "gone", bold: true })]);
    replaceFound(editor, finder("gone").all(editor.children)[0]!, "");
    expect(textOf(editor.children[0] as Block)).toBe("");
  });

  it("replaces all, in words that hold what is looked for too", () => {
    const script = [
      block("action", "a aa ", { text: "a", bold: true }, "a"),
      block("character", "A"),
      block("dialogue", "bb"),
    ];
    const editor = createScriptEditor(script);
    expect(replaceAll(editor, finder("a"), "aha")).toBe(6);
    expect((editor.children as Block[]).map(textOf)).toEqual(["aha ahaaha ahaaha", "aha", "bb"]);
    expect((editor.children[0] as Block).children).toEqual([
      { text: "aha ahaaha " },
      { text: "aha", bold: true },
      { text: "aha" },
    ]);
  });

  it("replaces all of a feature as its text says", () => {
    const editor = createScriptEditor(generateScript({ seed: 3, scenes: 40 }));
    const before = [...blocksOf(editor.children)].map(textOf);
    expect(replaceAll(editor, finder("the"), "DIE")).toBeGreaterThan(100);
    expect([...blocksOf(editor.children)].map(textOf)).toEqual(before.map((text) => text.replace(/the/gi, "DIE")));
  });
});
