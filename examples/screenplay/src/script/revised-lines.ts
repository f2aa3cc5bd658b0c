// Which lines of a block have something that was changed in a revision. Pure.
import { elementOf } from "./elements.ts";
import { dualMeasure, linesIn, paperText } from "./lines.ts";
import { type Block, type FormattedText, isDual, type ScriptNode } from "./types.ts";

export interface RevisedLine {
  /** Of the block, or of the two columns of dual dialogue; 0 is the first. */
  line: number;
  /** The number of the last revision set that changed something in it. */
  revision: number;
}

const NONE: readonly RevisedLine[] = [];
const known = new WeakMap<object, readonly RevisedLine[]>();

export function revisedLines(node: ScriptNode): readonly RevisedLine[] {
  let lines = known.get(node);
  if (lines === undefined) {
    lines = isDual(node) ? inOrder(node.children.flatMap((column) => inColumn(column.children))) : linesIfAny(node);
    known.set(node, lines);
  }
  return lines;
}

/** The last revision set in some of the lines of a node; 0: none. */
export function newestIn(node: ScriptNode, from: number, to: number): number {
  let newest = 0;
  for (const { line, revision } of revisedLines(node)) {
    if (line >= from && line < to && revision > newest) newest = revision;
  }
  return newest;
}

function inColumn(blocks: readonly Block[]): RevisedLine[] {
  const found: RevisedLine[] = [];
  let above = 0;
  for (const block of blocks) {
    if (!elementOf(block.type).printed) continue;
    const measure = dualMeasure(block.type);
    for (const { line, revision } of linesIfAny(block, measure)) found.push({ line: above + line, revision });
    above += linesIn(paperText(block), measure).length;
  }
  return found;
}

function linesIfAny(block: Block, measure = elementOf(block.type).measure): readonly RevisedLine[] {
  const leaves = block.children as readonly FormattedText[];
  // Other programs may have put anything there.
  if (!elementOf(block.type).printed || !leaves.some(({ revision }) => revision !== undefined)) return NONE;
  const lines = linesIn(paperText(block), measure);
  const found: RevisedLine[] = [];
  let offset = block.type === "parenthetical" ? 1 : 0;
  for (const { text, revision, aside } of leaves) {
    if (aside) continue;
    const end = offset + text.length;
    if (typeof revision === "number" && text !== "") {
      for (const [line, [from]] of lines.entries()) {
        // A space that hangs over the end of a line is on it.
        const next = lines[line + 1]?.[0] ?? Number.POSITIVE_INFINITY;
        if (offset < next && end > from) found.push({ line, revision });
      }
    }
    offset = end;
  }
  return inOrder(found);
}

function inOrder(lines: readonly RevisedLine[]): readonly RevisedLine[] {
  const newest = new Map<number, number>();
  for (const { line, revision } of lines) newest.set(line, Math.max(revision, newest.get(line) ?? 0));
  return [...newest].sort(([a], [b]) => a - b).map(([line, revision]) => ({ line, revision }));
}
