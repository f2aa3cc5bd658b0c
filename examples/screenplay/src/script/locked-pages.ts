// Pages that are locked: where each begins in the script as it is now, and what each is called. A page begins with the
// block that has its number, or within a block where the text that has it begins. Whatever is written stays on the page
// that it is written into; what does not fit goes on to 12A. Pure.
import { labelBetween, labelOrder, parsedLabel } from "./page-labels.ts";
import { type Block, type FormattedText, isDual, type ScriptNode } from "./types.ts";

/** Where a locked page begins, in a node by itself. */
export interface StartIn {
  /** In the text that is printed; 0: with the node. */
  offset: number;
  label: string;
}

export interface PageStart extends StartIn {
  index: number;
}

const NONE: readonly StartIn[] = [];
const known = new WeakMap<object, readonly StartIn[]>();

export function startsIn(node: ScriptNode): readonly StartIn[] {
  let starts = known.get(node);
  if (starts === undefined) {
    starts = isDual(node) ? (node.page ? [{ offset: 0, label: node.page }] : NONE) : startsInBlock(node);
    known.set(node, starts);
  }
  return starts;
}

/** What stands before the text of a block on paper. */
const before = (block: Block): number => (block.type === "parenthetical" ? 1 : 0);

function startsInBlock(block: Block): readonly StartIn[] {
  const starts: StartIn[] = block.page ? [{ offset: 0, label: block.page }] : [];
  let offset = before(block);
  for (const leaf of block.children as readonly FormattedText[]) {
    if (leaf.aside) continue;
    if (leaf.page !== undefined && leaf.text !== "" && starts.every(({ label }) => label !== leaf.page)) {
      starts.push({ offset: offset <= before(block) ? 0 : offset, label: leaf.page });
    }
    offset += leaf.text.length;
  }
  return starts.length === 0 ? NONE : starts;
}

/**
 * Where the locked pages begin; none: they are not locked. Numbers that are out of their order (two people have moved
 * things at once) and second ones are passed over, as few as possible.
 */
export function pageStarts(script: readonly ScriptNode[]): PageStart[] {
  const all: PageStart[] = [];
  for (const [index, node] of script.entries()) {
    for (const start of startsIn(node)) if (parsedLabel(start.label) !== null) all.push({ ...start, index });
  }
  return inOrder(all);
}

/** The longest sequence in which the labels rise. */
function inOrder(all: readonly PageStart[]): PageStart[] {
  /** By length less one: the last of the sequence of that length which ends lowest. */
  const ends: number[] = [];
  const previous: number[] = [];
  for (const [at, { label }] of all.entries()) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (labelOrder((all[ends[middle] as number] as PageStart).label, label) < 0) low = middle + 1;
      else high = middle;
    }
    previous[at] = low > 0 ? (ends[low - 1] as number) : -1;
    ends[low] = at;
  }
  const starts: PageStart[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at] as number) starts.unshift(all[at] as PageStart);
  return starts;
}

/** As a page's own: its first number, and, where the pages behind it are gone, the last of theirs: 12-13. */
export interface PageLabel {
  own: string;
  shown: string;
}

/**
 * What pages are called, of which each has the locked ones that begin on it. The first one is page 1, whatever is left of
 * it; numbers of pages that are gone go to the page before.
 */
export function labelPages(pages: readonly (readonly string[])[]): PageLabel[] {
  const later = pages.map((_, at) => pages.slice(at + 1).find((own) => own.length > 0)?.[0]);
  const labels: string[] = [];
  for (const [at, own] of pages.entries()) {
    labels.push(own[0] ?? (at === 0 ? "1" : labelBetween(labels[at - 1] as string, later[at])));
  }
  return labels.map((own, at) => {
    const from = at === 0 ? "1" : own;
    const last = pages[at]?.at(-1) ?? own;
    const next = labels[at + 1] === undefined ? null : parsedLabel(labels[at + 1] as string);
    const gone = next ? next.number - 1 : 0;
    const to = gone > (parsedLabel(last)?.number ?? gone) ? String(gone) : last;
    return { own, shown: from === to ? own : `${from}-${to}` };
  });
}
