// Places in the text of a block, counted over all its pieces. Pure.
import type { Path, Point } from "slate";
import type { Block } from "./types.ts";

/** Between two pieces: at the end of the one before (`backward`) or at the start of the next. */
export function blockTextPoint(block: Block, path: Path, offset: number, side: "forward" | "backward"): Point {
  let left = offset;
  const last = block.children.length - 1;
  for (const [leaf, { text }] of block.children.entries()) {
    const here = side === "forward" ? left < text.length : left <= text.length;
    if (here || leaf === last) return { path: [...path, leaf], offset: Math.min(left, text.length) };
    left -= text.length;
  }
  return { path: [...path, 0], offset: 0 };
}

/** Where the character of the printed text stands in all of it; parentheses that only paper has are not in it. */
export function fromPaper(block: Block, printed: number): number {
  let left = block.type === "parenthetical" ? Math.max(0, printed - 1) : printed;
  let offset = 0;
  for (const { text, aside } of block.children) {
    if (!aside && left < text.length) return offset + left;
    if (!aside) left -= text.length;
    offset += text.length;
  }
  return offset;
}
