// Revision sets: what is marked of what a writer changes, what stands beside it, and which set a page belongs to.
import { Editor, type Point, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { createScriptEditor, setType } from "./editor.ts";
import { Finder, replaceAll } from "./find.ts";
import { generateScript } from "./generator.ts";
import { moveScene } from "./outline.ts";
import { paginate } from "./paginate.ts";
import { revisedLines } from "./revised-lines.ts";
import { reviseIn, withRevisions } from "./revising.ts";
import { headerOf, nextSet, openSet, setsOf } from "./revisions.ts";
import { sheetsOf } from "./sheets.ts";
import type { ScriptEditor } from "./slate.ts";
import { type Block, type BlockType, blocksOf, type RevisionSet, type Script } from "./types.ts";

const block = (id: string, type: BlockType, text: string): Block => ({ id, type, children: [{ text }] });
const script = (): Script => [
  block("h", "scene_heading", "INT. HALL - DAY"),
  block("a", "action", "She waits for a long time."),
  block("c", "character", "MARA"),
  block("d", "dialogue", "No. I said no."),
];

function revised(value: Script, set: number | null): ScriptEditor {
  let ids = 0;
  const editor = withRevisions(createScriptEditor(value, () => `n${++ids}`));
  reviseIn(editor, set);
  return editor;
}

/** What is marked of a script: `id: [marked]not marked`. */
const marks = (editor: ScriptEditor): string[] =>
  [...blocksOf(editor.children)]
    .map(({ id, children }) => {
      const text = children.map((leaf) => (leaf.revision ? `[${leaf.text}]${leaf.revision}` : leaf.text)).join("");
      return `${id}: ${text}`;
    })
    .filter((line) => line.includes("["));

const at = (index: number, offset: number): Point => ({ path: [index, 0], offset });

describe("what a writer changes belongs to the open revision", () => {
  it("letters that are typed are one piece, and the caret stays in it", () => {
    const editor = revised(script(), 2);
    Transforms.select(editor, at(1, 9));
    for (const letter of " here") editor.insertText(letter);
    expect(marks(editor)).toEqual(["a: She waits[ here]2 for a long time."]);
    expect(editor.selection?.anchor).toEqual({ path: [1, 1], offset: 5 });
    expect((editor.children[1] as Block).children).toHaveLength(3);
  });

  it("of equal letters, the one that was typed", () => {
    const editor = revised([block("a", "action", "all the")], 1);
    Transforms.select(editor, at(0, 2));
    editor.insertText("l");
    expect(marks(editor)).toEqual(["a: al[l]1l the"]);
  });

  it("where something is only gone, the word beside it", () => {
    const editor = revised(script(), 1);
    Transforms.select(editor, at(1, 9));
    editor.deleteBackward("character");
    editor.deleteBackward("character");
    expect(marks(editor)).toEqual(["a: She [wai]1 for a long time."]);
    Transforms.select(editor, { anchor: at(3, 0), focus: at(3, 4) });
    editor.deleteFragment();
    expect(marks(editor)[1]).toBe("d: [I]1 said no.");
  });

  it("a line that is gone is seen at the one that follows, or at the last", () => {
    const editor = revised(script(), 1);
    Transforms.select(editor, { anchor: at(0, 3), focus: at(1, 4) });
    editor.deleteFragment();
    expect(marks(editor)).toEqual(["h: INT[waits for a long time.]1"]);
    const other = revised(script(), 1);
    Transforms.select(other, { anchor: at(1, 0), focus: Editor.end(other, [1]) });
    other.deleteFragment();
    other.deleteBackward("character");
    expect(marks(other)).toEqual(["c: [MARA]1"]);
    const last = revised(script(), 1);
    Transforms.select(last, { anchor: at(2, 0), focus: Editor.end(last, [3]) });
    last.deleteFragment();
    expect(marks(last)).toEqual(["a: She waits for a long [time.]1"]);
  });

  it("another type is another line; so is one that was moved or pasted", () => {
    const editor = revised(script(), 3);
    Transforms.select(editor, at(1, 0));
    setType(editor, "general");
    expect(marks(editor)).toEqual(["a: [She waits for a long time.]3"]);
    Transforms.select(editor, at(3, 14));
    editor.insertFragment([block("x", "action", "One"), block("y", "action", "Two")]);
    expect(marks(editor).slice(1)).toEqual(["d: No. I said no.[One]3", "n2: [Two]3"]);
    const moving = revised([...script(), block("h2", "scene_heading", "EXT. YARD"), block("b", "action", "Rain.")], 1);
    moveScene(moving, 1, 0);
    expect(marks(moving)).toEqual(["h2: [EXT. YARD]1", "b: [Rain.]1"]);
  });

  it("words that were replaced, and words that look otherwise", () => {
    const editor = revised(script(), 1);
    replaceAll(editor, new Finder({ text: "no", matchCase: true, wholeWords: true }), "yes");
    expect(marks(editor)).toEqual(["d: No. I said [yes]1."]);
    Transforms.select(editor, { anchor: at(1, 0), focus: at(1, 3) });
    editor.addMark("bold", true);
    expect(marks(editor)[0]).toBe("a: [She]1 waits for a long time.");
  });

  it("without an open set nothing is marked, and what comes from elsewhere never is", () => {
    const editor = revised(script(), null);
    Transforms.select(editor, at(1, 9));
    editor.insertText("x");
    expect(marks(editor)).toEqual([]);
    reviseIn(editor, 1);
    editor.apply({ type: "insert_text", path: [1, 0], offset: 0, text: "Ben: " });
    expect(marks(editor)).toEqual([]);
  });

  it("a copy is of no revision and on no locked page", () => {
    const editor = revised(script(), null);
    const copied: Block = { id: "q", type: "action", page: "3", children: [{ text: "One", revision: 1, page: "3" }] };
    Transforms.select(editor, Editor.end(editor, [1]));
    editor.insertFragment([copied, { ...copied, id: "r" }]);
    expect(JSON.stringify(editor.children)).not.toMatch(/"page"|"revision"/);
  });
});

const set = (id: number, more: Partial<RevisionSet> = {}): RevisionSet => ({
  id,
  color: "blue",
  name: `Set ${id}`,
  date: "5/12/26",
  mark: "*",
  open: true,
  ...more,
});

describe("revised lines", () => {
  it("are those that have something of it, by the last set in each", () => {
    const long = `${"word ".repeat(12)}${"more ".repeat(12)}end`;
    const children = [
      { text: long.slice(0, 58) },
      { text: long.slice(58, 62), revision: 1 },
      { text: long.slice(62, 121) },
      { text: long.slice(121), revision: 3 },
    ];
    expect(revisedLines({ id: "a", type: "action", children })).toEqual([
      { line: 0, revision: 1 },
      { line: 1, revision: 1 },
      { line: 2, revision: 3 },
    ]);
  });

  it("have their mark on paper, and the page the name of the last set", () => {
    const value: Script = [
      {
        id: "a",
        type: "action",
        children: [{ text: "old\n" }, { text: "first\n", revision: 1 }, { text: "second", revision: 2 }],
      },
      { id: "p", type: "parenthetical", children: [{ text: "[[no]]", aside: true, revision: 2 }, { text: "beat" }] },
      { id: "b", type: "action", startsNewPage: true, children: [{ text: "once", revision: 1 }] },
      { id: "z", type: "action", startsNewPage: true, children: [{ text: "never" }] },
    ];
    const revisions = [set(1, { mark: "+" }), set(2, { name: "Pink Rev.", color: "pink" })];
    const marked = (marks: "newest" | "all") =>
      sheetsOf(value, [], { revisions, marks }).map(({ lines, header }) => [
        header,
        ...lines.filter(({ column }) => column > 80).map(({ row, spans }) => `${row}${spans[0]?.text}`),
      ]);
    expect(marked("newest")).toEqual([["Pink Rev. 5/12/26", "2*"], ["Set 1 5/12/26"], [undefined]]);
    expect(marked("all")).toEqual([["Pink Rev. 5/12/26", "1+", "2*"], ["Set 1 5/12/26", "0+"], [undefined]]);
    const { firstRevision, breaks } = paginate(value);
    expect([firstRevision, breaks.get("b")?.[0]?.revision, breaks.get("z")?.[0]?.revision]).toEqual([2, 1, undefined]);
  });

  it("of two columns stand beside both", () => {
    const script: Script = [
      {
        id: "x",
        type: "dualDialogueBlock",
        children: [
          {
            id: "l",
            type: "column",
            children: [block("c1", "character", "A"), block("d1", "dialogue", "one\ntwo\nthree")],
          },
          {
            id: "r",
            type: "column",
            children: [
              block("c2", "character", "B"),
              { id: "d2", type: "dialogue", children: [{ text: "eins", revision: 1 }, { text: "\nzwei" }] },
            ],
          },
        ],
      },
    ];
    expect(revisedLines(script[0] as never)).toEqual([{ line: 1, revision: 1 }]);
  });
});

describe("revision sets", () => {
  it("follow the colours of the trade, and begin again behind cherry", () => {
    const sets: RevisionSet[] = [];
    for (let n = 0; n < 11; n += 1) sets.push(nextSet(sets, new Date(2026, 4, 12)));
    expect(sets.map(({ name }) => name)).toEqual([
      "Blue Rev.",
      "Pink Rev.",
      "Yellow Rev.",
      "Green Rev.",
      "Goldenrod Rev.",
      "Buff Rev.",
      "Salmon Rev.",
      "Cherry Rev.",
      "2nd White Rev.",
      "2nd Blue Rev.",
      "2nd Pink Rev.",
    ]);
    expect(headerOf(sets, 1)).toBe("Blue Rev. 5/12/26");
    expect(headerOf(sets, 99)).toBe("");
  });

  it("are read from values that may be anything", () => {
    const good = set(2, { open: false });
    const values = new Map<string, unknown>([
      ["set 2", good],
      ["set 1", set(1)],
      ["set 3", { ...set(3), color: "mauve" }],
      ["set 9", set(4)],
      ["else", 5],
    ]);
    expect(setsOf(values)).toEqual([set(1), good]);
    expect(openSet(setsOf(values))).toBeNull();
    expect(openSet([set(1), set(2)])?.id).toBe(2);
  });
});

it("a feature is written in as before while a revision is open: one operation to a key", () => {
  const editor = revised(generateScript({ scenes: 20 }), 1);
  const index = editor.children.findIndex((node) => (node as Block).type === "action");
  Transforms.select(editor, Editor.end(editor, [index]));
  editor.insertText("a");
  editor.operations = [];
  editor.insertText("b");
  expect(editor.operations.map(({ type }) => type)).toEqual(["insert_text"]);
});
