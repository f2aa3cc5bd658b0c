// Estimates pages: 54 lines of 12 pt Courier on US Letter, with the usual rules about what stays together.
// Pure, and fast enough to run on a whole feature after each pause in typing: lines are remembered per block.
import { ELEMENTS } from "./elements.ts";
import { type Block, isBlock, isDual, type ScriptNode, textOf } from "./types.ts";

export const LINES_PER_PAGE = 54;

export interface Pages {
  count: number;
  /** The id of each block that begins a page → the page's number (from 2). */
  starts: ReadonlyMap<string, number>;
}

const DUAL_MEASURE = 26;
const remembered = new WeakMap<object, number>();

/** Lines a block takes, without the blank ones above it. */
export function linesOf(block: Block, measure = ELEMENTS[block.type].measure): number {
  let lines = 0;
  for (const paragraph of textOf(block).split("\n")) {
    let column = 0;
    let count = 1;
    for (const word of paragraph.split(" ")) {
      if (column > 0 && column + word.length > measure) {
        count += 1;
        column = 0;
      }
      column += word.length + 1;
    }
    lines += count;
  }
  return lines;
}

/** Lines with the blank ones above. */
function height(node: ScriptNode): number {
  let lines = remembered.get(node);
  if (lines === undefined) {
    if (isDual(node)) {
      const columns = node.children.map((column) =>
        column.children.reduce((sum, block) => sum + linesOf(block, DUAL_MEASURE), 0),
      );
      lines = 1 + Math.max(0, ...columns);
    } else {
      lines = linesOf(node) + ELEMENTS[node.type].above;
    }
    remembered.set(node, lines);
  }
  return lines;
}

/** A heading or a cue does not stand alone at the foot of a page. */
function keepsWithNext(node: ScriptNode): boolean {
  return isBlock(node) && (node.type === "scene_heading" || node.type === "character" || node.type === "parenthetical");
}

export function paginate(script: readonly ScriptNode[]): Pages {
  const starts = new Map<string, number>();
  let count = 1;
  let used = 0;
  for (let index = 0; index < script.length; ) {
    // A group is what must stand on one page: everything that keeps with its next, and that next.
    let end = index;
    let lines = 0;
    for (; end < script.length; end += 1) {
      const node = script[end] as ScriptNode;
      lines += height(node);
      if (!keepsWithNext(node) || lines > LINES_PER_PAGE / 2) break;
    }
    const first = script[index] as ScriptNode;
    if (used > 0 && used + lines > LINES_PER_PAGE) {
      count += 1;
      used = 0;
      starts.set(first.id, count);
    }
    used += lines;
    // A single block longer than a page runs over it.
    while (used > LINES_PER_PAGE) {
      count += 1;
      used -= LINES_PER_PAGE;
    }
    index = end + 1;
  }
  return { count, starts };
}
