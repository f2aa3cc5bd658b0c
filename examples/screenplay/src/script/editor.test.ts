import { type Descendant, Editor, type Path, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { createScriptEditor, cycleType, insertBlocks, setType, toggleDual, toggleMark } from "./editor.ts";
import { fountainLines } from "./formats/fountain.ts";
import type { ScriptEditor } from "./slate.ts";
import { type Block, type BlockType, isDual, type Script, textOf } from "./types.ts";

let ids = 0;
const block = (type: BlockType, text = ""): Block => ({ id: `t${++ids}`, type, children: [{ text }] });

/** An editor with the caret at the end of the last block, or where `at` says. */
function edit(script: Script, at?: Path, offset?: number): ScriptEditor {
  let fresh = 0;
  const editor = createScriptEditor(script, () => `new${++fresh}`);
  const point = Editor.end(editor, at ?? []);
  Transforms.select(editor, offset === undefined ? point : { ...point, offset });
  return editor;
}

const lines = (editor: ScriptEditor) =>
  editor.children.map((node) => {
    if (isDual(node)) return node.children.map((column) => column.children.map((b) => `${b.type}: ${textOf(b)}`));
    return `${(node as Block).type}: ${textOf(node as Block)}`;
  });

function type(editor: ScriptEditor, text: string) {
  for (const character of text) {
    if (character === "\n") editor.insertBreak();
    else if (character === "\t") cycleType(editor, false);
    else editor.insertText(character);
  }
}

const caret = (editor: ScriptEditor) => [
  editor.selection?.focus.path.slice(0, -1).join("."),
  editor.selection?.focus.offset,
];

describe("Enter", () => {
  it.each<[BlockType, BlockType]>([
    ["scene_heading", "action"],
    ["action", "action"],
    ["character", "dialogue"],
    ["parenthetical", "dialogue"],
    ["dialogue", "character"],
    ["transition", "scene_heading"],
    ["shot", "action"],
    ["general", "general"],
    ["cast_list", "cast_list"],
    ["new_act", "scene_heading"],
    ["end_of_act", "new_act"],
    ["summary", "scene_heading"],
  ])("after %s begins %s", (before, after) => {
    const editor = edit([block(before, "Text")]);
    editor.insertBreak();
    expect(lines(editor)).toEqual([`${before}: Text`, `${after}: `]);
    expect(caret(editor)).toEqual(["1", 0]);
  });

  it("on an empty line makes it action", () => {
    const editor = edit([block("dialogue", "Hello."), block("character")]);
    editor.insertBreak();
    expect(lines(editor)).toEqual(["dialogue: Hello.", "action: "]);
  });

  it("inside a block keeps the type and gives the new half an id of its own", () => {
    const editor = edit([block("dialogue", "One. Two.")], [0], 5);
    editor.insertBreak();
    expect(lines(editor)).toEqual(["dialogue: One. ", "dialogue: Two."]);
    const [first, second] = editor.children as Block[];
    expect(second?.id).toBe("new1");
    expect(first?.id).not.toBe(second?.id);
  });

  it("at the start of a block puts an empty one above, and the block keeps its id", () => {
    const heading = block("scene_heading", "INT. HERE");
    const editor = edit([block("action", "Before."), heading], [1], 0);
    editor.insertBreak();
    expect(lines(editor)).toEqual(["action: Before.", "action: ", "scene_heading: INT. HERE"]);
    expect((editor.children[2] as Block).id).toBe(heading.id);
    expect(caret(editor)).toEqual(["2", 0]);
  });

  it("leaves to the first half what there is once: its number, its colour, its page", () => {
    const heading: Block = {
      ...block("scene_heading", "INT. HALL"),
      sceneNumber: "1",
      color: "#ff0000",
      startsNewPage: true,
    };
    const editor = edit([{ ...heading, align: "right" }], [0], 5);
    editor.insertBreak();
    expect(editor.children[0]).toMatchObject({ sceneNumber: "1", color: "#ff0000", startsNewPage: true });
    expect(editor.children[1]).toEqual({
      id: "new1",
      type: "scene_heading",
      align: "right",
      children: [{ text: "HALL" }],
    });
  });

  it("replaces a selection", () => {
    const editor = edit([block("action", "One two three")]);
    Transforms.select(editor, { anchor: { path: [0, 0], offset: 3 }, focus: { path: [0, 0], offset: 7 } });
    editor.insertBreak();
    expect(lines(editor)).toEqual(["action: One", "action:  three"]);
  });

  it("after action that reads CUT TO: makes it a transition", () => {
    const editor = edit([block("action")]);
    type(editor, "CUT TO:\n");
    expect(lines(editor)).toEqual(["transition: CUT TO:", "scene_heading: "]);
  });
});

describe("typing", () => {
  it("writes a scene without the mouse", () => {
    const editor = edit([block("action")]);
    type(editor, "int. kitchen - day\nShe waits.\n\tMARA\n(quietly\nToo late.\nKIT\nNo.\n\next. yard\n");
    expect(lines(editor)).toEqual([
      "scene_heading: int. kitchen - day",
      "action: She waits.",
      "character: MARA",
      "parenthetical: quietly",
      "dialogue: Too late.",
      "character: KIT",
      "dialogue: No.",
      "scene_heading: ext. yard",
      "action: ",
    ]);
  });

  it.each(["int.", "EXT.", "est.", "i/e", "Int ", "int./ext."])("%s at the start makes a scene heading", (prefix) => {
    const editor = edit([block("action")]);
    type(editor, prefix);
    expect(lines(editor)).toEqual([`scene_heading: ${prefix}`]);
  });

  it.each(["interesting", "External. ", "He int. ", "pint."])("%s does not", (text) => {
    const editor = edit([block("action")]);
    type(editor, text);
    expect(lines(editor)).toEqual([`action: ${text}`]);
  });

  it("leaves dialogue alone, and who changes the type back", () => {
    const editor = edit([block("dialogue")]);
    type(editor, "int. is an abbreviation");
    expect(lines(editor)).toEqual(["dialogue: int. is an abbreviation"]);
    const other = edit([block("action")]);
    type(other, "int.");
    setType(other, "action");
    type(other, " of course");
    expect(lines(other)).toEqual(["action: int. of course"]);
  });

  it("a parenthetical's parentheses are there already: neither typed ones nor those of a line that becomes one are stored", () => {
    const spoken = edit([block("character", "MARA"), block("dialogue")]);
    type(spoken, "(softly)\nWell.");
    expect(lines(spoken)).toEqual(["character: MARA", "parenthetical: softly", "dialogue: Well."]);
    const nested = edit([block("parenthetical")]);
    type(nested, "beat (long))");
    expect(lines(nested)).toEqual(["parenthetical: beat (long)"]);
    const before = edit([block("action", "(softly)")]);
    setType(before, "parenthetical");
    expect(lines(before)).toEqual(["parenthetical: softly"]);
  });

  it("( in an empty parenthetical is not stored, in the middle of a line it is", () => {
    const editor = edit([block("dialogue", "Well ")]);
    type(editor, "(");
    expect(lines(editor)).toEqual(["dialogue: Well ("]);
  });
});

describe("Tab", () => {
  it("goes through the types and back", () => {
    const editor = edit([block("scene_heading", "x")]);
    const seen: string[] = [];
    for (let count = 0; count < 7; count += 1) {
      cycleType(editor, false);
      seen.push((editor.children[0] as Block).type);
    }
    expect(seen).toEqual(["action", "character", "parenthetical", "dialogue", "transition", "shot", "scene_heading"]);
    cycleType(editor, true);
    expect((editor.children[0] as Block).type).toBe("shot");
  });

  it("brings a rare type back to action", () => {
    const editor = edit([block("cast_list", "x")]);
    cycleType(editor, false);
    expect(lines(editor)).toEqual(["action: x"]);
  });
});

describe("marks", () => {
  it.each(["bold", "italic", "underline"] as const)("%s goes on and off", (mark) => {
    const editor = edit([block("action", "One")]);
    Transforms.select(editor, { anchor: { path: [0, 0], offset: 0 }, focus: { path: [0, 0], offset: 3 } });
    toggleMark(editor, mark);
    expect((editor.children[0] as Block).children).toEqual([{ text: "One", [mark]: true }]);
    toggleMark(editor, mark);
    expect((editor.children[0] as Block).children).toEqual([{ text: "One" }]);
  });
});

const duet = (): Script => [
  block("action", "A"),
  block("character", "MARA"),
  block("dialogue", "Left."),
  block("character", "KIT"),
  block("parenthetical", "loud"),
  block("dialogue", "Right."),
  block("action", "B"),
];
const duetLines = [
  "action: A",
  [
    ["character: MARA", "dialogue: Left."],
    ["character: KIT", "parenthetical: loud", "dialogue: Right."],
  ],
  "action: B",
];

describe("dual dialogue", () => {
  it.each([[[2]], [[3]], [[5]]])("sets two speeches side by side, from %j, and apart again", (at) => {
    const script = duet();
    const editor = edit(structuredClone(script), at);
    expect(toggleDual(editor)).toBe(true);
    expect(lines(editor)).toEqual(duetLines);
    Transforms.select(editor, Editor.end(editor, [1, 0]));
    expect(toggleDual(editor)).toBe(true);
    expect(editor.children).toEqual(script);
  });

  it("needs two speeches", () => {
    const editor = edit([block("action", "A"), block("character", "MARA"), block("dialogue", "Alone.")]);
    expect(toggleDual(editor)).toBe(false);
    expect(lines(editor)).toHaveLength(3);
  });

  it("is left by Enter on an empty last line: to the right, then out", () => {
    const editor = edit(duet(), [2]);
    toggleDual(editor);
    Transforms.select(editor, Editor.end(editor, [1, 0]));
    type(editor, "\n\n");
    expect(lines(editor)).toEqual(duetLines);
    expect(caret(editor)).toEqual(["1.1.0", 0]);
    Transforms.select(editor, Editor.end(editor, [1, 1]));
    type(editor, "\n\n");
    expect(lines(editor)).toEqual([...duetLines.slice(0, 2), "action: ", "action: B"]);
    expect(caret(editor)).toEqual(["2", 0]);
  });

  it("is not torn by Backspace at the start of a column or after it", () => {
    const editor = edit(duet(), [2]);
    toggleDual(editor);
    for (const path of [[1, 0, 0], [1, 1, 0], [2]]) {
      Transforms.select(editor, Editor.start(editor, path));
      editor.deleteBackward("character");
      expect(lines(editor)).toEqual(duetLines);
    }
  });
});

describe("the structure", () => {
  const deep = (children: unknown[]) => children as Descendant[];
  const column = (...children: unknown[]) => ({ id: "c", type: "column", children });
  const dual = (...children: unknown[]) => ({ id: "d", type: "dualDialogueBlock", children });
  const a = block("character", "A");
  const b = block("character", "B");

  it.each<[string, Descendant[], Descendant[]]>([
    ["lifts a block out of a block", deep([{ ...a, children: [b] }]), [b]],
    ["dissolves dual dialogue with one column", deep([dual(column(a, b))]), [a, b]],
    [
      "joins a third column to the second",
      deep([dual(column(a), column(b), column(b))]),
      deep([dual(column(a), column(b, b))]),
    ],
    ["dissolves a column outside", deep([column(a, b)]), [a, b]],
    ["takes out an emptied column", deep([dual(column(a), column({ text: "" }))]), [a]],
    [
      "dissolves dual dialogue inside dual dialogue",
      deep([dual(column(dual(column(a), column(a))), column(b))]),
      deep([dual(column(a, a), column(b))]),
    ],
    ["leaves a valid one alone", deep([dual(column(a), column(b))]), deep([dual(column(a), column(b))])],
    [
      "leaves what it does not know alone",
      deep([{ id: "x", type: "page_break", children: [{ text: "" }] }]),
      deep([{ id: "x", type: "page_break", children: [{ text: "" }] }]),
    ],
  ])("%s", (_, before, after) => {
    const editor = createScriptEditor(structuredClone(before));
    editor.normalize({ force: true });
    expect(editor.children).toEqual(after);
    const settled = editor.children;
    editor.normalize({ force: true });
    expect(editor.children).toBe(settled);
  });

  it("gives pasted blocks fresh ids", () => {
    const script = [block("action", "One"), block("action", "Two")];
    const editor = edit(script);
    editor.insertFragment(structuredClone([block("action", "x"), ...script]));
    const all = (editor.children as Block[]).map(({ id }) => id);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe("pasting blocks", () => {
  const pasted = [block("scene_heading", "INT. NEW"), block("action", "Line.")];

  it("takes the place of an empty block", () => {
    const editor = edit([block("action", "A"), block("action"), block("action", "B")], [1]);
    insertBlocks(editor, pasted);
    expect(lines(editor)).toEqual(["action: A", "scene_heading: INT. NEW", "action: Line.", "action: B"]);
    expect(caret(editor)).toEqual(["2", 5]);
  });

  it("comes after a block at its end", () => {
    const editor = edit([block("dialogue", "A"), block("action", "B")], [0]);
    insertBlocks(editor, pasted);
    expect(lines(editor)).toEqual(["dialogue: A", "scene_heading: INT. NEW", "action: Line.", "action: B"]);
    expect(caret(editor)).toEqual(["2", 5]);
  });

  it("goes into the middle of a text, with nothing lost", () => {
    const editor = edit([block("action", "onetwo")], [0], 3);
    insertBlocks(editor, pasted);
    expect(lines(editor).join(" ")).toMatch(/one.*INT\. NEW.*Line\..*two/);
  });

  it("with ids of their own", () => {
    const editor = edit(structuredClone(pasted));
    insertBlocks(editor, pasted);
    const all = (editor.children as Block[]).map(({ id }) => id);
    expect(all).toHaveLength(4);
    expect(new Set(all).size).toBe(4);
  });
});

describe("pasted lines", () => {
  it("that look like a title page take the place of what was selected, and nothing that was selected goes for nothing", () => {
    const pasted = edit([block("action", "Before.")]);
    Transforms.select(pasted, Editor.range(pasted, []));
    insertBlocks(pasted, fountainLines("Notes: call Mara\nDate: Monday", pasted.newId));
    expect(lines(pasted)).toEqual(["action: Notes: call Mara\nDate: Monday"]);
    insertBlocks(pasted, []);
    expect(lines(pasted)).toEqual(["action: Notes: call Mara\nDate: Monday"]);
  });
});
