// What Fountain has no sign for stands in a note at the end of its element, which other programs leave alone:
// `[[element: cast_list]]`, `[[align: right]]`, `[[color: #ff0000]]`.

import { type Align, type Block, type BlockType, isBlockType } from "../types.ts";
import { findAsides } from "./asides.ts";

const ALIGNS: readonly string[] = ["left", "center", "right", "full"] satisfies Align[];
export const COLOR = /^#(?:[0-9a-f]{6}|[0-9a-f]{12})$/i;
const LAST = /(?:^| )\[\[(element|align|color|number|depth): ([^\s\]]+)\]\]$/;

export function annotation(
  properties: Partial<Pick<Block, "type" | "align" | "color" | "sceneNumber" | "depth">>,
): string {
  const { type, align, color, sceneNumber, depth } = properties;
  return [
    ...(type ? [` [[element: ${type}]]`] : []),
    ...(align ? [` [[align: ${align}]]`] : []),
    ...(color ? [` [[color: ${color}]]`] : []),
    ...(sceneNumber ? [` [[number: ${sceneNumber}]]`] : []),
    ...(depth ? [` [[depth: ${depth}]]`] : []),
  ].join("");
}

/** What is said in notes at the end of an element, and the rest of it. */
export function annotated(source: string, type: BlockType): { text: string; properties: Partial<Block> } {
  const properties: Partial<Block> = {};
  let text = source;
  for (let last = LAST.exec(text); last; last = LAST.exec(text)) {
    const [whole, name, value = ""] = last;
    // Inside of a longer note, it says nothing.
    if (findAsides(text).at(-1)?.start !== text.lastIndexOf("[[")) break;
    if (name === "element" && isBlockType(value)) properties.type = value;
    else if (name === "align" && ALIGNS.includes(value)) properties.align = value as Align;
    else if (name === "color" && COLOR.test(value)) properties.color = value;
    else if (name === "number") properties.sceneNumber = value;
    else if (name === "depth" && /^[2-9]$/.test(value)) properties.depth = Number(value);
    else break;
    text = text.slice(0, -whole.length);
  }
  const told = properties.type ?? type;
  const ofHeading = properties.color !== undefined || properties.sceneNumber !== undefined;
  const fits = (!ofHeading || told === "scene_heading") && (properties.depth === undefined || told === "section");
  return fits ? { text, properties } : { text: source, properties: {} };
}
