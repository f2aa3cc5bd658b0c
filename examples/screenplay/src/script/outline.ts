// The scenes of a script: where each begins, what its heading says, and moving a whole scene to another place. Pure.
import { Editor, type Path, Transforms } from "slate";
import { isBlock, printedText, type ScriptNode, textOf } from "./types.ts";

export interface SceneEntry {
  id: string;
  /** Where the heading stands among the top-level nodes. */
  index: number;
  /** Counted from 1. */
  number: number;
  title: string;
}

export function scenesOf(script: readonly unknown[]): SceneEntry[] {
  const scenes: SceneEntry[] = [];
  for (const [index, node] of script.entries()) {
    if (isBlock(node) && node.type === "scene_heading") {
      scenes.push({ id: node.id, index, number: scenes.length + 1, title: printedText(node).trim().toUpperCase() });
    }
  }
  return scenes;
}

/** The scene in which the top-level node `index` stands; -1 before the first. */
export function sceneAt(scenes: readonly SceneEntry[], index: number): number {
  let low = 0;
  let high = scenes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((scenes[middle] as SceneEntry).index <= index) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Moves scene `from` with all that is in it before scene `to` (the number of scenes: to the end).
 * Made of `move_node` operations, so what others write into the scene meanwhile moves along.
 */
export function moveScene(editor: Editor, from: number, to: number): void {
  const scenes = scenesOf(editor.children);
  const scene = scenes[from];
  if (!scene || to === from || to === from + 1) return;
  const end = scenes[from + 1]?.index ?? editor.children.length;
  const target = scenes[to]?.index ?? editor.children.length;
  const length = end - scene.index;
  Editor.withoutNormalizing(editor, () => {
    for (let step = 0; step < length; step += 1) {
      const at: Path = [target > scene.index ? scene.index : scene.index + step];
      // Forwards each node leaves a gap that the rest closes, so the target stays in the same place.
      const place: Path = [target > scene.index ? target - 1 : target + step];
      Transforms.moveNodes(editor, { at, to: place });
    }
  });
}

/** The same by the ids of the headings, which others' changes do not move; `before` null: to the end. */
export function moveSceneById(editor: Editor, id: string, before: string | null): void {
  const scenes = scenesOf(editor.children);
  const at = (heading: string) => scenes.findIndex((scene) => scene.id === heading);
  const [from, to] = [at(id), before === null ? scenes.length : at(before)];
  if (from >= 0 && to >= 0) moveScene(editor, from, to);
}

/** Moves a scene past its neighbour. */
export function shiftScene(editor: Editor, id: string, by: "up" | "down"): void {
  const from = scenesOf(editor.children).findIndex((scene) => scene.id === id);
  if (from >= 0 && (by === "down" || from > 0)) moveScene(editor, from, by === "up" ? from - 1 : from + 2);
}

export function countWords(script: readonly ScriptNode[]): number {
  let words = 0;
  for (const node of script) words += wordsIn(node);
  return words;
}

const counted = new WeakMap<object, number>();

function wordsIn(node: ScriptNode): number {
  let words = counted.get(node);
  if (words === undefined) {
    const blocks = isBlock(node) ? [node] : node.children.flatMap((column) => column.children);
    words = blocks.reduce((sum, block) => sum + (textOf(block).match(/\S+/g)?.length ?? 0), 0);
    counted.set(node, words);
  }
  return words;
}
