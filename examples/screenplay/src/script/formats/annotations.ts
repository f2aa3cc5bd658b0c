// What Fountain has no sign for stands in a note at the end of its element, which other programs leave alone:
// `[[element: cast_list]]`, `[[align: right]]`, `[[color: #ff0000]]`.
import { type Align, type Block, isBlockType } from "../types.ts";

const ALIGNS: readonly string[] = ["left", "center", "right", "full"] satisfies Align[];
export const COLOR = /^#(?:[0-9a-f]{6}|[0-9a-f]{12})$/i;
const LAST = /(?:^| )\[\[(element|align|color): ([^\s\]]+)\]\]$/;

export function annotation(properties: Partial<Pick<Block, "type" | "align" | "color">>): string {
  const { type, align, color } = properties;
  return [
    ...(type ? [` [[element: ${type}]]`] : []),
    ...(align ? [` [[align: ${align}]]`] : []),
    ...(color ? [` [[color: ${color}]]`] : []),
  ].join("");
}

/** The block with what is said in notes at its end, which are gone from its text. */
export function annotated(block: Block): Block {
  const text = block.children.map((leaf) => leaf.text).join("");
  let rest = text;
  const found: Partial<Block> = {};
  for (let last = LAST.exec(rest); last; last = LAST.exec(rest)) {
    const [whole, name, value = ""] = last;
    if (name === "element" && isBlockType(value)) found.type = value;
    else if (name === "align" && ALIGNS.includes(value)) found.align = value as Align;
    else if (name === "color" && COLOR.test(value)) found.color = value;
    else break;
    rest = rest.slice(0, -whole.length);
  }
  if (rest.length === text.length) return block;
  return { ...block, ...found, children: cut(block.children, rest.length) };
}

function cut(leaves: Block["children"], length: number): Block["children"] {
  const kept: Block["children"] = [];
  let left = length;
  for (const leaf of leaves) {
    if (left > 0) kept.push({ ...leaf, text: leaf.text.slice(0, left) });
    left -= leaf.text.length;
  }
  return kept.length > 0 ? kept : [{ text: "" }];
}
