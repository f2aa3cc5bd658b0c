// The lines that text takes in a column. Pure.
import { type Block, type BlockType, printedText } from "./types.ts";

/** The columns of dual dialogue are narrower. */
const DUAL_MEASURE: Partial<Record<BlockType, number>> = { parenthetical: 20, character: 22 };
export const dualMeasure = (type: BlockType): number => DUAL_MEASURE[type] ?? 28;
/** A line: from where to where it is in its text. */
export type Line = readonly [from: number, to: number];

/** The lines that a text takes in a column of so many characters. A word longer than a line runs over. */
export function linesIn(text: string, measure: number): Line[] {
  const lines: Line[] = [];
  let at = 0;
  for (const paragraph of text.split("\n")) {
    let from = at;
    for (const word of paragraph.split(" ")) {
      // Spaces at the end of a line hang over it.
      if (at > from && word !== "" && at - from + word.length > measure) {
        lines.push([from, at - 1]);
        from = at;
      }
      const end = at + word.length;
      while (end - from > measure && word.length > measure) {
        lines.push([from, from + measure]);
        from += measure;
      }
      at = end + 1;
    }
    // The last space is none.
    lines.push([from, at - 1]);
  }
  return lines;
}

/** What of a block stands on paper: the parentheses of a parenthetical are not part of its text. */
export function paperText(block: Block): string {
  return block.type === "parenthetical" ? `(${printedText(block)})` : printedText(block);
}
