import { Editor, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { createScriptEditor } from "../script/editor.ts";
import { type Block, type BlockType, textOf } from "../script/types.ts";
import { Suggester } from "./suggester.ts";

const block = (type: BlockType, text: string, id = text): Block => ({ id, type, children: [{ text }] });

/** An editor with the caret in an empty line of this type, behind a scene with Mara and Max. */
function open(type: BlockType) {
  const editor = createScriptEditor([
    block("scene_heading", "INT. KITCHEN - DAY"),
    block("character", "MARA"),
    block("dialogue", "One."),
    block("character", "MAX"),
    block("dialogue", "Two."),
    block(type, "", "here"),
  ]);
  Transforms.select(editor, Editor.end(editor, [5]));
  const suggester = new Suggester(editor);
  suggester.changed();
  const type_ = (text: string) => {
    for (const letter of text) {
      suggester.typed();
      editor.insertText(letter);
      suggester.changed();
    }
  };
  const press = (key: string, modifiers = {}) => {
    const event = { key, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, ...modifiers };
    const taken = suggester.pressed({ ...event, nativeEvent: { isComposing: false } });
    suggester.changed();
    return taken;
  };
  const list = () => suggester.get()?.items.map(({ label }) => label);
  return { editor, suggester, type: type_, press, list, line: () => textOf(editor.children[5] as Block) };
}

describe("suggestions", () => {
  it("open while one types, and Tab takes the first", () => {
    const { type, press, list, line } = open("character");
    expect(press("Tab")).toBe(false);
    type("m");
    expect(list()).toEqual(["MARA", "MAX"]);
    expect(press("Tab")).toBe(true);
    expect([line(), list()]).toEqual(["MARA", undefined]);
    expect(press("Tab")).toBe(false);
  });

  it("take Enter only from who has chosen one", () => {
    const { type, press, list, line } = open("character");
    type("ma");
    expect(press("Enter")).toBe(false);
    expect([line(), list()]).toEqual(["ma", undefined]);
    type("x");
    expect(list()).toBeUndefined();
    press("Backspace");
    const other = open("character");
    other.type("m");
    expect([other.press("ArrowDown"), other.press("ArrowDown"), other.press("Enter")]).toEqual([true, true, true]);
    expect(other.line()).toBe("MAX");
  });

  it("close with Escape, with a caret that goes elsewhere, and leave Shift+Tab alone", () => {
    const { editor, suggester, type, press, list } = open("character");
    type("m");
    expect(press("Tab", { shiftKey: true })).toBe(false);
    expect(press("Escape")).toBe(true);
    expect([list(), press("Escape")]).toEqual([undefined, false]);
    type("a");
    expect(list()).toHaveLength(2);
    Transforms.select(editor, Editor.start(editor, [5]));
    suggester.changed();
    expect(list()).toBeUndefined();
  });

  it("do not open for what somebody else writes in the line, nor where the caret comes to it", () => {
    const { editor, suggester, list } = open("character");
    editor.apply({ type: "insert_text", path: [5, 0], offset: 0, text: "M" });
    suggester.changed();
    expect(list()).toBeUndefined();
    Transforms.select(editor, Editor.end(editor, [1]));
    suggester.changed();
    expect(list()).toBeUndefined();
  });

  it("go on from INT. to the places, and keep what was typed as it was", () => {
    const { type, press, list, line, suggester } = open("scene_heading");
    type("I");
    expect(press("Tab")).toBe(true);
    suggester.changed();
    expect([line(), list()]).toEqual(["INT. ", ["KITCHEN"]]);
    press("Tab");
    type(" - n");
    press("Tab");
    expect(line()).toBe("INT. KITCHEN - NIGHT");
  });

  it("come for who asks, on an empty line too", () => {
    const { press, list, line } = open("character");
    expect(press("ArrowDown", { altKey: true })).toBe(true);
    expect(list()).toEqual(["MARA", "MAX"]);
    expect(press("Enter")).toBe(true);
    expect(line()).toBe("MARA");
    expect(open("action").press("ArrowDown", { altKey: true })).toBe(false);
  });
});
