import { Editor, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { createScriptEditor } from "../script/editor.ts";
import type { Block } from "../script/types.ts";
import { entered, pressed } from "./shortcuts.ts";

function someWords() {
  const editor = createScriptEditor([{ id: "a", type: "action", children: [{ text: "Some words" }] }]);
  Transforms.select(editor, Editor.range(editor, []));
  return editor;
}

function press(
  key: string,
  options: Partial<{ ctrlKey: boolean; altKey: boolean; shiftKey: boolean; code: string }> = {},
  editor = someWords(),
) {
  let prevented = false;
  pressed(editor, {
    key,
    code: "",
    ctrlKey: false,
    altKey: false,
    shiftKey: false,
    metaKey: false,
    nativeEvent: { isComposing: false },
    preventDefault: () => {
      prevented = true;
    },
    ...options,
  } as never);
  return { block: editor.children[0] as Block, prevented };
}

describe("keys", () => {
  it.each([
    ["b", "bold"],
    ["i", "italic"],
    ["u", "underline"],
  ])("Ctrl+%s: %s", (key, mark) => {
    const { block, prevented } = press(key, { ctrlKey: true });
    expect(block.children).toEqual([{ text: "Some words", [mark]: true }]);
    expect(prevented).toBe(true);
  });

  it("Tab and Shift+Tab go through the types", () => {
    expect(press("Tab").block.type).toBe("character");
    expect(press("Tab", { shiftKey: true }).block.type).toBe("scene_heading");
  });

  it.each([
    ["Digit1", "scene_heading"],
    ["Digit3", "character"],
    ["Digit5", "dialogue"],
  ])("Ctrl+Alt+%s: %s, whatever character that is", (code, type) => {
    expect(press("¹", { ctrlKey: true, altKey: true, code }).block.type).toBe(type);
  });

  it("Escape, then Tab, leaves the page; any other key between them takes that back", () => {
    const editor = someWords();
    const tab = (options = {}) => press("Tab", options, editor).prevented;
    expect(tab()).toBe(true);
    expect(press("Escape", {}, editor).prevented).toBe(false);
    press("Shift", { shiftKey: true }, editor);
    expect(tab({ shiftKey: true })).toBe(false);
    expect(tab()).toBe(true);
    press("Escape", {}, editor);
    press("a", {}, editor);
    expect(tab()).toBe(true);
  });

  it("Tab changes nothing in a page that was reached by Tab, until something is done in it", () => {
    const editor = someWords();
    const tab = (options = {}) => press("Tab", options, editor);
    entered(editor, true);
    expect(tab().prevented).toBe(false);
    press("Shift", { shiftKey: true }, editor);
    expect(tab({ shiftKey: true })).toEqual({ block: editor.children[0], prevented: false });
    expect((editor.children[0] as Block).type).toBe("action");
    press("ArrowDown", {}, editor);
    expect(tab()).toMatchObject({ block: { type: "character" }, prevented: true });
    entered(editor, true);
    entered(editor, false);
    expect(tab().prevented).toBe(true);
  });

  it("Tab leaves lines alone that are selected together", () => {
    const line = (id: string): Block => ({ id, type: "action", children: [{ text: id }] });
    const editor = createScriptEditor([line("a"), line("b")]);
    Transforms.select(editor, Editor.range(editor, []));
    expect(press("Tab", {}, editor).prevented).toBe(true);
    expect(editor.children.map((node) => (node as Block).type)).toEqual(["action", "action"]);
  });

  it("leaves other keys to the browser", () => {
    for (const key of ["a", "ArrowDown", "Enter"]) expect(press(key).prevented).toBe(false);
    expect(press("c", { ctrlKey: true }).prevented).toBe(false);
    expect(press("B", { ctrlKey: true, shiftKey: true }).prevented).toBe(false);
  });
});
