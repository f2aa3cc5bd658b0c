// Omits a scene, and brings it back: each is one step of undo. What is in the scene is kept as Fountain; so notes on its
// words, revisions and locked pages within it come back by undo alone.
import { Editor, type Node, Transforms } from "slate";
import { fountainLines } from "./formats/fountain-read.ts";
import { toFountain } from "./formats/fountain-write.ts";
import { headingAlone, OMITTED, omittedBehind } from "./omitted.ts";
import { scenesOf } from "./outline.ts";
import { recorded } from "./revising.ts";
import type { ScriptEditor } from "./slate.ts";
import { type Block, type FormattedText, isBlock, type Script, textOf } from "./types.ts";

/** The scene's heading says OMITTED from now on, with the number that it has. Returns whether there was such a scene. */
export function omitScene(editor: ScriptEditor, id: string): boolean {
  const scenes = scenesOf(editor.children);
  const at = scenes.findIndex((scene) => scene.id === id);
  const { index, number } = scenes[at] ?? { index: -1, number: "" };
  const heading = editor.children[index];
  if (!isBlock(heading) || omittedBehind(editor.children, index) >= 0) return false;
  const end = scenes[at + 1]?.index ?? editor.children.length;
  const rest = editor.children.slice(index + 1, end) as Script;
  const text = toFountain([headingAlone(heading), ...rest]).trim();
  change(editor, () => {
    for (let last = end - 1; last > index; last -= 1) Transforms.removeNodes(editor, { at: [last] });
    Transforms.insertNodes(editor, cut(editor, text), { at: [index + 1] });
    say(editor, index, [{ text: OMITTED }]);
    if (!heading.sceneNumber) Transforms.setNodes<Block>(editor, { sceneNumber: number }, { at: [index] });
  });
  return true;
}

/** The scene as it was. Returns whether it was omitted. */
export function bringBack(editor: ScriptEditor, id: string): boolean {
  const index = editor.children.findIndex((node) => isBlock(node) && node.id === id);
  const behind = omittedBehind(editor.children, index);
  const kept = editor.children[behind];
  if (!isBlock(kept)) return false;
  const [first, ...rest] = fountainLines(kept.children.map(({ text }) => text).join(""), () => editor.newId());
  if (!first) return false;
  const more = textOf(editor.children[index] as Block).slice(OMITTED.length);
  const isHeading = isBlock(first) && first.type === "scene_heading";
  change(editor, () => {
    Transforms.removeNodes(editor, { at: [behind] });
    Transforms.insertNodes(editor, (isHeading ? rest : [first, ...rest]) as Node[], { at: [behind] });
    if (isHeading) say(editor, index, more === "" ? first.children : [...first.children, { text: more }]);
  });
  return true;
}

function change(editor: ScriptEditor, run: () => void): void {
  recorded(editor, () => Editor.withoutNormalizing(editor, run));
}

const cut = (editor: ScriptEditor, text: string): Block => ({
  id: editor.newId(),
  type: "boneyard",
  children: [{ text }],
});

/** Another text for a block, behind which the caret stands. */
function say(editor: ScriptEditor, index: number, children: FormattedText[]): void {
  const count = (editor.children[index] as Block).children.length;
  for (let leaf = count - 1; leaf >= 0; leaf -= 1) Transforms.removeNodes(editor, { at: [index, leaf] });
  Transforms.insertNodes(editor, children, { at: [index, 0] });
  Transforms.select(editor, Editor.end(editor, [index]));
}
