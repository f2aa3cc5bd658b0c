import { Node, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { createScriptEditor } from "./editor.ts";
import { countWords, moveScene, moveSceneById, sceneAt, scenesOf, shiftScene } from "./outline.ts";
import { restoreScene } from "./restore.ts";
import type { Block, BlockType, Script } from "./types.ts";

let ids = 0;
const block = (type: BlockType, text: string): Block => ({ id: `o${++ids}`, type, children: [{ text }] });
const scene = (title: string, lines = 2): Script => [
  block("scene_heading", title),
  ...Array.from({ length: lines }, (_, index) => block("action", `${title}${index}`)),
];

describe("the scenes", () => {
  it("are found with number, place and title", () => {
    const script = [block("transition", "FADE IN:"), ...scene("int. a"), ...scene("ext. b")];
    expect(scenesOf(script).map(({ index, number, title }) => [index, number, title])).toEqual([
      [1, "1", "INT. A"],
      [4, "2", "EXT. B"],
    ]);
    expect([0, 1, 3, 4, 6].map((index) => sceneAt(scenesOf(script), index))).toEqual([-1, 0, 0, 1, 1]);
  });

  it.each([
    [
      ["", "12", "", "", "13", "12B", ""],
      ["A12", "12", "12A", "12C", "13", "12B", "12D"],
    ],
    [
      ["1A", "", "1B", "", "2"],
      ["1A", "1AA", "1B", "1C", "2"],
    ],
    [
      ["", "", ""],
      ["1", "2", "3"],
    ],
    [
      ["", "", "1"],
      ["A1", "B1", "1"],
    ],
  ])("with numbers of their own keep them, the others stand between: %j", (own, expected) => {
    const script = own.map((number) => ({
      ...block("scene_heading", "INT. A"),
      ...(number && { sceneNumber: number }),
    }));
    expect(scenesOf(script).map(({ number }) => number)).toEqual(expected);
  });

  it.each([
    [0, 2, "BAC"],
    [0, 3, "BCA"],
    [2, 0, "CAB"],
    [1, 0, "BAC"],
    [1, 1, "ABC"],
    [1, 2, "ABC"],
    [1, 3, "ACB"],
  ])("moves scene %i before %i", (from, to, order) => {
    const editor = createScriptEditor([
      block("transition", "FADE IN:"),
      ...scene("A", 1),
      ...scene("B", 3),
      ...scene("C", 2),
    ]);
    const before = editor.children.length;
    moveScene(editor, from, to);
    expect(
      scenesOf(editor.children)
        .map(({ title }) => title)
        .join(""),
    ).toBe(order);
    expect(editor.children).toHaveLength(before);
    expect(scenesOf(editor.children)[0]?.index).toBe(1);
    for (const { index, title } of scenesOf(editor.children)) {
      expect(editor.children[index + 1]).toMatchObject({ children: [{ text: `${title}0` }] });
    }
  });
});

describe("words", () => {
  it("words are counted", () => {
    expect(countWords([block("action", " One  two—three "), block("action", "")])).toBe(2);
    const aside: Block = { id: "n", type: "action", children: [{ text: "Two more" }, { text: "[[no]]", aside: true }] };
    expect(countWords([block("note", "not on paper"), block("boneyard", "nor this"), aside])).toBe(2);
  });
});

describe("restoring a scene", () => {
  it("replaces the scene with that heading, and only it", () => {
    const script = [...scene("A"), ...scene("B"), ...scene("C")];
    const editor = createScriptEditor(structuredClone(script));
    Transforms.removeNodes(editor, { at: [4] });
    Transforms.insertText(editor, "!", { at: { path: [3, 0], offset: 0 } });
    Transforms.insertText(editor, "kept ", { at: { path: [1, 0], offset: 0 } });
    const heading = script[3] as Block;
    expect(restoreScene(editor, script, heading.id)).toBe(true);
    const texts = editor.children.map((node) => Node.string(node));
    expect(texts).toEqual(["A", "kept A0", "A1", "B", "B0", "B1", "C", "C0", "C1"]);
  });

  it("brings a scene back that has gone, at the end", () => {
    const script = [...scene("A", 1), ...scene("B", 1)];
    const editor = createScriptEditor(structuredClone(script.slice(2)));
    expect(restoreScene(editor, script, (script[0] as Block).id)).toBe(true);
    expect(editor.children.map((node) => Node.string(node))).toEqual(["B", "B0", "A", "A0"]);
    expect(restoreScene(editor, script, "nowhere")).toBe(false);
  });
});

describe("a scene that is dragged", () => {
  it("is the one that was taken, wherever others have put scenes meanwhile", () => {
    const editor = createScriptEditor([...scene("INT. A"), ...scene("INT. B"), ...scene("INT. C")]);
    const titles = () => scenesOf(editor.children).map(({ title }) => title.slice(-1));
    const [a, , c] = scenesOf(editor.children).map(({ id }) => id) as [string, string, string];
    Transforms.insertNodes(editor, scene("INT. X"), { at: [0] });
    moveSceneById(editor, c, a);
    expect(titles()).toEqual(["X", "C", "A", "B"]);
    moveSceneById(editor, a, null);
    expect(titles()).toEqual(["X", "C", "B", "A"]);
    shiftScene(editor, a, "up");
    shiftScene(editor, c, "down");
    expect(titles()).toEqual(["X", "A", "C", "B"]);
    moveSceneById(editor, "gone", a);
    shiftScene(editor, "gone", "down");
    expect(titles()).toEqual(["X", "A", "C", "B"]);
  });
});
