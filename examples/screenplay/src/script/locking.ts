// Locks the pages of a script, and the numbers of its scenes: as properties of its blocks and text, so that it is the
// same for everybody, and one step of undo.
import { Editor, Text, Transforms } from "slate";
import { fromPaper } from "./block-text.ts";
import { elementOf } from "./elements.ts";
import { linesIn, paperText } from "./lines.ts";
import { pageStarts } from "./locked-pages.ts";
import { scenesOf } from "./outline.ts";
import { layoutOf } from "./paginate.ts";
import { setText } from "./revising.ts";
import { type Block, isBlock, type Script, type ScriptNode, textOf } from "./types.ts";

export const arePagesLocked = (script: readonly ScriptNode[]): boolean => pageStarts(script).length > 0;

/** Each page keeps the number that it has now. Where pages are locked, those that have come since are from now on too. */
export function lockPages(editor: Editor): void {
  const script = editor.children as Script;
  const { breaks, labels } = layoutOf(script);
  const places = [{ index: 0, line: 0 }, ...breaks];
  const named = places.map(({ index, line }, n) => ({ index, line, label: labels?.[n]?.own ?? String(n + 1) }));
  Editor.withoutNormalizing(editor, () => {
    clearPages(editor);
    for (const { index, line, label } of named) {
      const node = editor.children[index];
      if (line === 0) Transforms.setNodes<ScriptNode>(editor, { page: label }, { at: [index] });
      else if (isBlock(node)) {
        const from = fromPaper(node, linesIn(paperText(node), elementOf(node.type).measure)[line]?.[0] ?? 0);
        setText(editor, { path: [index], from, to: textOf(node).length }, { page: label });
      }
      // Two speeches side by side that are longer than a page have no place for a second number.
    }
  });
}

export function unlockPages(editor: Editor): void {
  Editor.withoutNormalizing(editor, () => clearPages(editor));
}

function clearPages(editor: Editor): void {
  for (const [index, node] of editor.children.entries()) {
    if ("page" in node) Transforms.unsetNodes<ScriptNode>(editor, "page", { at: [index] });
    if (!isBlock(node) || !node.children.some((leaf) => leaf.page !== undefined)) continue;
    Transforms.unsetNodes<Text>(editor, "page", { at: [index], match: Text.isText, mode: "all" });
  }
}

export const areScenesLocked = (script: readonly ScriptNode[]): boolean =>
  script.some((node) => isBlock(node) && node.type === "scene_heading" && Boolean(node.sceneNumber));

/** Each scene keeps the number that it has now. */
export function lockScenes(editor: Editor): void {
  const scenes = scenesOf(editor.children);
  Editor.withoutNormalizing(editor, () => {
    for (const { index, number } of scenes) {
      const node = editor.children[index];
      if (isBlock(node) && node.sceneNumber !== number) {
        Transforms.setNodes<Block>(editor, { sceneNumber: number }, { at: [index] });
      }
    }
  });
}

export function unlockScenes(editor: Editor): void {
  Editor.withoutNormalizing(editor, () => {
    for (const [index, node] of editor.children.entries()) {
      if (isBlock(node) && node.sceneNumber) Transforms.unsetNodes<Block>(editor, "sceneNumber", { at: [index] });
    }
  });
}
