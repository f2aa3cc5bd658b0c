// The scenes of a script: where each begins, what its heading says, and moving a whole scene to another place. Pure.
import { Editor, type Path, Transforms } from "slate";
import { elementOf } from "./elements.ts";
import { omittedBehind } from "./omitted.ts";
import { letters } from "./page-labels.ts";
import { recorded } from "./revising.ts";
import { isBlock, printedText, type ScriptNode } from "./types.ts";

export interface SceneEntry {
  id: string;
  /** Where the heading stands among the top-level nodes. */
  index: number;
  /** Its own number where it has one; else counted from 1, or behind the one before it: 12A. */
  number: string;
  title: string;
  /** The number is its own, whatever comes before it. */
  locked: boolean;
  omitted: boolean;
}

export function scenesOf(script: readonly unknown[]): SceneEntry[] {
  const scenes: SceneEntry[] = [];
  const numbers = numbering(script);
  for (const [index, node] of script.entries()) {
    if (isBlock(node) && node.type === "scene_heading") {
      const number = numbers[scenes.length] ?? "";
      const title = printedText(node).trim().toUpperCase();
      const omitted = omittedBehind(script, index) >= 0;
      scenes.push({ id: node.id, index, number, title, locked: Boolean(node.sceneNumber), omitted });
    }
  }
  return scenes;
}

export const areLocked = (scenes: readonly SceneEntry[]): boolean => scenes.some(({ locked }) => locked);

/**
 * The numbers of the scenes. Once some have one of their own, those are fixed, as in a shooting script: a scene without
 * one that comes behind scene 12 is 12A, and before the first one A1.
 */
function numbering(script: readonly unknown[]): string[] {
  const own: (string | undefined)[] = [];
  for (const node of script)
    if (isBlock(node) && node.type === "scene_heading") own.push(node.sceneNumber || undefined);
  const first = own.find((number) => number !== undefined);
  if (first === undefined) return own.map((_, index) => String(index + 1));
  const taken = new Set(own);
  let last: string | undefined;
  return own.map((number, index) => {
    if (number !== undefined) {
      last = number;
      return number;
    }
    const next = own.slice(index).find((later) => later !== undefined);
    const between = numbersBetween(last, next ?? "");
    for (let letter = 0; ; letter += 1) {
      const free = between(letter);
      if (taken.has(free)) continue;
      taken.add(free);
      return free;
    }
  });
}

/** Behind 12: 12A, 12B …; behind 12B: 12C …, but 12BA … where 12C comes; before the first one A1, B1 … */
function numbersBetween(last: string | undefined, next: string): (count: number) => string {
  if (last === undefined) return (count) => letters(count) + next;
  const [, base = last, letter = ""] = /^(.*\d)([A-Z])$/.exec(last) ?? [];
  if (letter === "" || (next.startsWith(base) && /^[A-Z]/.test(next.slice(base.length))))
    return (count) => last + letters(count);
  const from = letter.charCodeAt(0) - 64;
  return (count) => base + letters(from + count);
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
  recorded(editor, () =>
    Editor.withoutNormalizing(editor, () => {
      for (let step = 0; step < length; step += 1) {
        const at: Path = [target > scene.index ? scene.index : scene.index + step];
        // Forwards each node leaves a gap that the rest closes, so the target stays in the same place.
        const place: Path = [target > scene.index ? target - 1 : target + step];
        Transforms.moveNodes(editor, { at, to: place });
      }
    }),
  );
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

/** Those that are printed. */
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
    const printed = blocks.filter(({ type }) => elementOf(type).printed);
    words = printed.reduce((sum, block) => sum + (printedText(block).match(/\S+/g)?.length ?? 0), 0);
    counted.set(node, words);
  }
  return words;
}
