// What one change of a writer did to a script: which text is new, beside which some is gone, and where locked pages
// begin now whose first lines are elsewhere. Found by comparing the script before and after. Pure.
import { startsIn } from "./locked-pages.ts";
import { type Block, type FormattedText, isBlock, isDual, MARKS, type ScriptNode, textOf } from "./types.ts";

/** Characters of a block, of all its text. */
export interface TextRange {
  path: number[];
  from: number;
  to: number;
}

/** A page gets another beginning, or a node begins none any more (`null`). */
export interface PageMove {
  label: string | null;
  /** The text of a block; without `range` the node begins the page. */
  at: number;
  range?: TextRange;
}

export interface Changes {
  texts: TextRange[];
  pages: PageMove[];
}

interface Entry {
  block: Block;
  path: number[];
}

/** @param caret Where the caret is, in which block: of equal letters the one before it is the new one. */
export function changesBetween(
  before: readonly unknown[],
  after: readonly unknown[],
  wanted: { texts: boolean },
  caret?: { id: string; offset: number },
): Changes {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const old = nodesIn(before, head, before.length - tail);
  const now = nodesIn(after, head, after.length - tail);
  const locked = old.some((node) => startsIn(node).length > 0);
  if (!wanted.texts && !locked) return { texts: [], pages: [] };
  const stays = stayingIn(old, now);
  return {
    texts: wanted.texts ? changedTexts({ before, after, head, tail, old, now, stays }, caret) : [],
    pages: locked ? movedPages({ before, after, head, tail, old, now, stays }) : [],
  };
}

const nodesIn = (script: readonly unknown[], from: number, to: number): ScriptNode[] =>
  script.slice(from, to).filter((node): node is ScriptNode => isBlock(node) || isDual(node));

interface Compared {
  before: readonly unknown[];
  after: readonly unknown[];
  head: number;
  tail: number;
  old: readonly ScriptNode[];
  now: readonly ScriptNode[];
  /** Of the nodes at the top: those that are in both, in the same order. */
  stays: ReadonlySet<string>;
}

function stayingIn(old: readonly ScriptNode[], now: readonly ScriptNode[]): Set<string> {
  const places = new Map(old.map(({ id }, at) => [id, at]));
  const common = now.filter(({ id }) => places.has(id)).map(({ id }) => ({ id, at: places.get(id) as number }));
  const ends: number[] = [];
  const previous: number[] = [];
  for (const [n, { at }] of common.entries()) {
    let length = ends.findIndex((end) => (common[end] as { at: number }).at >= at);
    if (length < 0) length = ends.length;
    previous[n] = length > 0 ? (ends[length - 1] as number) : -1;
    ends[length] = n;
  }
  const stays = new Set<string>();
  for (let n = ends.at(-1) ?? -1; n >= 0; n = previous[n] as number) stays.add((common[n] as { id: string }).id);
  return stays;
}

function entriesOf(script: readonly unknown[], from: number, to: number): Entry[] {
  const entries: Entry[] = [];
  for (let at = from; at < to; at += 1) {
    const node = script[at];
    if (isBlock(node)) entries.push({ block: node, path: [at] });
    else if (isDual(node)) {
      for (const [n, column] of node.children.entries()) {
        for (const [m, block] of column.children.entries())
          if (isBlock(block)) entries.push({ block, path: [at, n, m] });
      }
    }
  }
  return entries;
}

function changedTexts(compared: Compared, caret: { id: string; offset: number } | undefined): TextRange[] {
  const { before, after, head, tail, stays, old, now } = compared;
  const olds = entriesOf(before, head, before.length - tail);
  const news = entriesOf(after, head, after.length - tail);
  const known = new Map(olds.map(({ block }) => [block.id, block]));
  const moved = new Set(
    now.filter(({ id }) => !stays.has(id) && old.some((node) => node.id === id)).map(({ id }) => id),
  );
  const texts: TextRange[] = [];
  const changed = new Set<string>();
  for (const { block, path } of news) {
    const was = known.get(block.id);
    const range =
      !was || moved.has(block.id) || was.type !== block.type || was.align !== block.align
        ? { from: 0, to: textOf(block).length }
        : changedIn(was, block, caret?.id === block.id ? caret.offset : undefined);
    if (!range) continue;
    if (range.from < range.to) changed.add(block.id);
    texts.push({ path, ...range });
  }
  // Where all of a block is gone, the line that follows says so: but for one that went into the line before.
  const filled = new Set(news.filter(({ block }) => textOf(block) !== "").map(({ block }) => block.id));
  const around = entriesOf(after, Math.max(0, head - 1), Math.min(after.length, after.length - tail + 1));
  for (const [n, { block }] of olds.entries()) {
    if (filled.has(block.id) || textOf(block) === "" || changed.has(olds[n - 1]?.block.id ?? "")) continue;
    const later = new Set(olds.slice(n + 1).map((entry) => entry.block.id));
    const next =
      around.find((entry) => later.has(entry.block.id) && filled.has(entry.block.id)) ??
      around.find(({ path }) => (path[0] as number) >= after.length - tail);
    const last = around.findLast((entry) => textOf(entry.block) !== "");
    if (next) texts.push({ path: next.path, ...wordAt(textOf(next.block), 0) });
    else if (last) texts.push({ path: last.path, ...wordAt(textOf(last.block), Number.POSITIVE_INFINITY) });
  }
  return texts.filter(({ from, to }) => from < to);
}

/** A character with how it looks. */
function looksOf({ children }: Block): string[] {
  return (children as readonly FormattedText[]).flatMap((leaf) => {
    const look = MARKS.map((mark) => (leaf[mark] ? "1" : "0")).join("");
    return leaf.text.split("").map((letter) => letter + look);
  });
}

/** What is new in the text of a block; where something is only gone, the word beside it. */
function changedIn(was: Block, is: Block, caret: number | undefined): { from: number; to: number } | null {
  const [old, now] = [looksOf(was), looksOf(is)];
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) head += 1;
  if (head === old.length && head === now.length) return null;
  const more = now.length - old.length;
  // Of equal letters, that before the caret.
  if (caret !== undefined && more > 0 && head > caret - more && caret >= more) head = caret - more;
  let tail = 0;
  while (tail < most - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  const to = now.length - tail;
  return head < to ? { from: head, to } : wordAt(textOf(is), head);
}

/** The word at a place, or else the one before it. */
function wordAt(text: string, place: number): { from: number; to: number } {
  const at = Math.min(place, text.length);
  let from = at;
  while (from > 0 && /\S/.test(text[from - 1] as string)) from -= 1;
  let to = at;
  while (to < text.length && /\S/.test(text[to] as string)) to += 1;
  if (from < to) return { from, to };
  const before = /\S+\s*$/.exec(text.slice(0, at));
  if (before) return { from: before.index, to: at };
  const [after = ""] = /^\s*\S+/.exec(text.slice(at)) ?? [];
  return { from: at, to: at + after.length };
}

/** Each page whose first lines are gone, or were moved, begins with what followed them. */
function movedPages({ after, head, tail, before, old, now, stays }: Compared): PageMove[] {
  const moves: PageMove[] = [];
  const end = after.length - tail;
  const indexOf = (id: string) => {
    const at = now.findIndex((node) => node.id === id);
    return at < 0 ? -1 : after.indexOf(now[at], head);
  };
  /** At the top, where a block is that is in two columns now, or was. */
  const around = (node: ScriptNode): number => {
    const ids = new Set(
      isDual(node) ? node.children.flatMap((column) => column.children.map(({ id }) => id)) : [node.id],
    );
    const found = entriesOf(after, head, end).find(
      ({ block, path }) => ids.has(block.id) && (isDual(node) || path.length > 1),
    );
    return found?.path[0] ?? -1;
  };
  for (const [n, node] of old.entries()) {
    const starts = startsIn(node);
    if (starts.length === 0) continue;
    const label = starts.at(-1)?.label as string;
    if (stays.has(node.id)) {
      const there = now.some((other) => startsIn(other).some((start) => start.label === label));
      if (!there) passOn(n + 1, label);
      continue;
    }
    const moved = indexOf(node.id);
    if (moved >= 0) moves.push({ label: null, at: moved });
    const inside = moved < 0 ? around(node) : -1;
    if (inside >= 0) moves.push({ label, at: inside });
    else if (moved >= 0 || !joined(n, node, label)) passOn(n + 1, label);
  }
  return moves;

  /** A block that went into the one before: the page begins with what is left of it. */
  function joined(n: number, node: ScriptNode, label: string): boolean {
    const into = now.find(({ id }) => id === old[n - 1]?.id) ?? (n === 0 ? after[head - 1] : undefined);
    const was = n === 0 ? before[head - 1] : old[n - 1];
    if (isDual(node) || !isBlock(into) || !isBlock(was) || into === was) return false;
    const [text, own, kept] = [textOf(into), textOf(node), textOf(was)];
    let same = 0;
    while (same < Math.min(text.length, own.length) && text.at(-1 - same) === own.at(-1 - same)) same += 1;
    let first = 0;
    while (first < Math.min(text.length, kept.length) && text[first] === kept[first]) first += 1;
    const length = Math.min(same, text.length - first);
    if (length === 0) return false;
    const at = after.indexOf(into);
    moves.push({ label, at, range: { path: [at], from: text.length - length, to: text.length } });
    return true;
  }

  function passOn(from: number, label: string): void {
    for (const node of old.slice(from)) {
      // All of the page is gone.
      if (startsIn(node).length > 0) return;
      if (stays.has(node.id)) {
        moves.push({ label, at: indexOf(node.id) });
        return;
      }
    }
    const next = after[end];
    if ((isBlock(next) || isDual(next)) && startsIn(next).every(({ offset }) => offset > 0))
      moves.push({ label, at: end });
  }
}
