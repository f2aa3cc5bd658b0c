// What the paragraphs of FDX, Final Draft's XML, are called, how Final Draft lays them out, and how text stands in XML.
import type { Align, BlockType } from "../types.ts";

export const NAMES: Record<BlockType, string> = {
  scene_heading: "Scene Heading",
  action: "Action",
  character: "Character",
  parenthetical: "Parenthetical",
  dialogue: "Dialogue",
  transition: "Transition",
  shot: "Shot",
  general: "General",
  cast_list: "Cast List",
  new_act: "New Act",
  end_of_act: "End of Act",
  summary: "Summary",
  lyrics: "Lyrics",
  section: "Outline 1",
  // These two are notes of a paragraph with nothing in it.
  note: "General",
  boneyard: "General",
};

export const TYPES: ReadonlyMap<string, BlockType> = new Map([
  ...Object.entries(NAMES)
    .filter(([type]) => type !== "note" && type !== "boneyard")
    .map(([type, name]) => [name.toLowerCase(), type as BlockType] as const),
  ["singing", "lyrics"],
  ["outline body", "summary"],
]);

/** The name of a note that holds what was cut. */
export const CUT_NAME = "Cut";

interface Layout {
  align: Align;
  /** Inches from the left edge of the sheet. */
  left: number;
  right: number;
  /** Points. */
  spaceBefore: number;
  capitals?: true;
  bold?: true;
  underline?: true;
  startsNewPage?: true;
  /** What Return begins. */
  next: BlockType;
  shortcut: string;
}

const layout = (next: BlockType, shortcut: string, own: Partial<Layout> = {}): Layout => ({
  align: "left",
  left: 1.5,
  right: 7.5,
  spaceBefore: 12,
  next,
  shortcut,
  ...own,
});

/** Of each kind of paragraph that is in the file. */
export const LAYOUT: ReadonlyMap<BlockType, Layout> = new Map<BlockType, Layout>([
  ["general", layout("general", "0", { spaceBefore: 0 })],
  ["scene_heading", layout("action", "1", { spaceBefore: 24, capitals: true, bold: true })],
  ["action", layout("action", "2")],
  ["character", layout("dialogue", "3", { left: 3.5, right: 7.25, capitals: true })],
  ["parenthetical", layout("dialogue", "4", { left: 3, right: 5.5, spaceBefore: 0 })],
  ["dialogue", layout("action", "5", { left: 2.5, right: 6, spaceBefore: 0 })],
  ["transition", layout("scene_heading", "6", { align: "right", left: 5.5, right: 7.1, capitals: true })],
  ["shot", layout("action", "7", { capitals: true })],
  ["cast_list", layout("action", "8", { spaceBefore: 0 })],
  ["new_act", layout("scene_heading", "9", { align: "center", capitals: true, underline: true })],
  ["end_of_act", layout("new_act", "", { align: "center", capitals: true, underline: true })],
  ["summary", layout("scene_heading", "")],
  ["lyrics", layout("lyrics", "", { left: 2.5, right: 6, spaceBefore: 0 })],
  ["section", layout("scene_heading", "")],
]);

export const ALIGNMENTS: Record<Align, string> = { left: "Left", center: "Center", right: "Right", full: "Full" };

export function alignOf(name: string | null): Align | undefined {
  return (Object.keys(ALIGNMENTS) as Align[]).find((align) => ALIGNMENTS[align] === name);
}

/** Where lines of this type stand if nothing is said of it. */
export const usualAlign = (type: BlockType): Align => LAYOUT.get(type)?.align ?? "left";

/** Characters for which XML has no place at all are left out. */
export function escaped(text: string): string {
  return [...text]
    .filter((character) => character >= " " || character === "\n" || character === "\t")
    .filter((character) => !/^[\ud800-\udfff\ufffe\uffff]$/.test(character))
    .join("")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
