// @vitest-environment jsdom
// An omitted scene leaves its number, its pages theirs, and files have what was in it.
import { Editor, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { bare } from "../../corpus/count.ts";
import { createScriptEditor } from "./editor.ts";
import { fromFdx, toFdx } from "./formats/fdx.ts";
import { fromFountain, toFountain } from "./formats/fountain.ts";
import { generateScript } from "./generator.ts";
import { lockPages, lockScenes } from "./locking.ts";
import { bringBack, omitScene } from "./omit.ts";
import { scenesOf } from "./outline.ts";
import { reviseIn, withRevisions } from "./revising.ts";
import { sheetsOf } from "./sheets.ts";
import type { ScriptEditor } from "./slate.ts";
import { type Block, type BlockType, isBlock, isDual, type Script, textOf } from "./types.ts";

const block = (id: string, type: BlockType, text: string, more: Partial<Block> = {}): Block => ({
  id,
  type,
  children: [{ text }],
  ...more,
});

function editing(value: Script): ScriptEditor {
  let ids = 0;
  return withRevisions(createScriptEditor(value, () => `n${++ids}`));
}

let ids = 0;
const newId = () => `r${++ids}`;
const long = (word: string) => Array.from({ length: 45 }, (_, n) => `${word} ${n + 1}`).join("\n");
/** A page each, but for the second scene: three. */
const script = (): Script => [
  block("a", "scene_heading", "INT. A"),
  block("a1", "action", long("a")),
  block("b", "scene_heading", "int. b", { startsNewPage: true, color: "#ff0000" }),
  block("b0", "summary", "What happens"),
  block("b1", "action", long("one")),
  block("b2", "action", long("two"), { startsNewPage: true }),
  block("b3", "character", "Ada"),
  block("b4", "dialogue", "So *there*.", { startsNewPage: true }),
  block("c", "scene_heading", "INT. C", { startsNewPage: true }),
  block("c1", "action", "c"),
];
const shown = (editor: ScriptEditor) =>
  sheetsOf(editor.children as Script).map(({ page, label, lines }) => {
    const words = lines.map(({ spans }) => spans.map(({ text }) => text).join("")).filter((text) => !/^\d/.test(text));
    return `${label ?? page}: ${words[0]} … ${words.at(-1)}`;
  });

describe("a scene that is omitted", () => {
  it("says so on its page, keeps its number, and leaves the pages of what follows alone", () => {
    const editor = editing(script());
    lockScenes(editor);
    lockPages(editor);
    expect(shown(editor).map((page) => page.split(":")[0])).toEqual(["1", "2", "3", "4", "5"]);
    expect(omitScene(editor, "b")).toBe(true);
    expect(shown(editor)).toEqual(["1: INT. A … a 45", "2-4: OMITTED … OMITTED", "5: INT. C … c"]);
    expect(scenesOf(editor.children).map(({ number, title, omitted }) => [number, title, omitted])).toEqual([
      ["1", "INT. A", false],
      ["2", "OMITTED", true],
      ["3", "INT. C", false],
    ]);
    expect(editor.children[2]).toMatchObject({ id: "b", color: "#ff0000", sceneNumber: "2" });
    expect(omitScene(editor, "b")).toBe(false);
  });

  it("comes back as it was", () => {
    const editor = editing(script());
    lockScenes(editor);
    const before = bare(editor.children as Script);
    omitScene(editor, "b");
    expect(editor.children).toHaveLength(6);
    expect(bringBack(editor, "b")).toBe(true);
    expect(bare(editor.children as Script)).toEqual(before);
    expect(bringBack(editor, "b")).toBe(false);
    expect(editor.selection?.anchor.path).toEqual([2, 0]);
  });

  it("is marked by the open revision, and leaves what others write in other scenes where it is", () => {
    const editor = editing(script());
    lockScenes(editor);
    reviseIn(editor, 2);
    Transforms.select(editor, Editor.end(editor, [9]));
    omitScene(editor, "b");
    expect((editor.children[2] as Block).children).toEqual([{ text: "OMITTED", revision: 2 }]);
    expect((editor.children[5] as Block).children).toEqual([{ text: "c" }]);
  });

  it("is one still where somebody was writing in its heading, and loses nothing of that", () => {
    const editor = editing(script());
    lockScenes(editor);
    omitScene(editor, "b");
    editor.insertText("d rain.");
    expect(scenesOf(editor.children)[1]).toMatchObject({ title: "OMITTEDD RAIN.", omitted: true });
    bringBack(editor, "b");
    expect(textOf(editor.children[2] as Block)).toBe("int. bd rain.");
  });

  it("may be the last one, or empty", () => {
    const editor = editing([block("a", "scene_heading", "INT. A")]);
    omitScene(editor, "a");
    expect(scenesOf(editor.children)).toMatchObject([{ number: "1", title: "OMITTED", omitted: true }]);
    bringBack(editor, "a");
    expect(textOf(editor.children[0] as Block)).toBe("INT. A");
  });

  it.each([1, 2, 3, 4])("is in files with all that was in it, whatever it is (seed %i)", (seed) => {
    const editor = editing(generateScript({ scenes: 12, seed }));
    lockScenes(editor);
    const before = bare(editor.children as Script);
    const scenes = scenesOf(editor.children);
    for (const { id } of scenes) omitScene(editor, id);
    const omitted = bare(editor.children as Script);
    const fdx = toFdx(editor.children as Script);
    expect(fdx.match(/<OmittedScene>/g)).toHaveLength(scenes.length);
    expect(bare(fromFdx(fdx, newId).script)).toEqual(omitted);
    expect(bare(fromFountain(toFountain(editor.children as Script), newId).script)).toEqual(omitted);
    for (const { id } of scenes) bringBack(editor, id);
    expect(bare(editor.children as Script)).toEqual(before);
  });

  it("is read from FDX with two speeches side by side", () => {
    const said = (name: string, words: string) =>
      `<Paragraph Type="Character"><Text>${name}</Text></Paragraph><Paragraph Type="Dialogue"><Text>${words}</Text></Paragraph>`;
    const source = `<FinalDraft><Content><Paragraph Number="4" Type="Scene Heading"><Text>OMITTED</Text><OmittedScene>
      <Paragraph Type="Scene Heading"><Text>INT. B</Text></Paragraph>
      <Paragraph><DualDialogue>${said("ADA", "One.")}${said("BEN", "Two.")}</DualDialogue></Paragraph>
      </OmittedScene></Paragraph></Content></FinalDraft>`;
    const { script, leftOut } = fromFdx(source, newId);
    expect(leftOut).toEqual([]);
    expect(textOf(script[1] as Block)).toBe("INT. B\n\nADA\nOne.\n\nBEN ^\nTwo.");
    const editor = editing(script);
    bringBack(editor, (script[0] as Block).id);
    expect(editor.children.map((node) => (isBlock(node) ? textOf(node) : isDual(node)))).toEqual(["INT. B", true]);
  });
});
