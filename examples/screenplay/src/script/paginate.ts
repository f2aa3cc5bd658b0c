// Where the pages of a script break: 54 lines of 12 pt Courier on US Letter (six to the inch, nine inches), and what
// the trade keeps together. A heading goes with what follows it, a cue with its speech, a transition with
// what it ends; action and dialogue are broken
// with at least two lines on either side, dialogue with (MORE) below and NAME (CONT'D) above. A (MORE) may stand on a
// 55th line. Pure. After an edit only the pages from there on are laid out again, until they break as before.
// Locked pages begin where they began, in any case.
import { elementOf } from "./elements.ts";
import { dualMeasure, linesIn, paperText } from "./lines.ts";
import { labelPages, type PageLabel, type PageStart, pageStarts } from "./locked-pages.ts";
import { newestIn } from "./revised-lines.ts";
import {
  type Block,
  type BlockType,
  type DualDialogueBlock,
  isBlock,
  isDual,
  printedText,
  type ScriptNode,
} from "./types.ts";

export const LINES_PER_PAGE = 54;
/** Of a block that is broken, on either side. */
const FEWEST_LINES = 2;
/** Of what is looked at to keep a heading or a cue with what follows: nobody writes more parentheticals in a row. */
const MOST_KEPT = 8;

export interface PageBreak {
  /** The number of the page that begins here; the first break begins page 2. */
  page: number;
  /** How many lines of the block stand before the break; 0: it is above the block. */
  line: number;
  /** In the midst of somebody's speech: the cue to repeat. */
  speaker: string | null;
  /** What the page is called where pages are locked. */
  label?: string;
  /** The last revision set that has changed something on the page. */
  revision?: number;
}

export interface Pages {
  count: number;
  /** Where pages are locked, what each is called. */
  labels?: readonly PageLabel[];
  /** The last revision set on page 1, above which there is no break. */
  firstRevision?: number;
  /** By the id of the block that is broken, or above which the page breaks. */
  breaks: ReadonlyMap<string, readonly PageBreak[]>;
}

const remembered = new WeakMap<object, number>();

/** Lines a block takes, without the blank ones above it. */
export function linesOf(block: Block, measure = elementOf(block.type).measure): number {
  return elementOf(block.type).printed ? linesIn(paperText(block), measure).length : 0;
}

function dualLines(dual: DualDialogueBlock): number {
  const columns = dual.children.map((column) =>
    column.children.reduce((sum, block) => sum + linesOf(block, dualMeasure(block.type)), 0),
  );
  return Math.max(1, ...columns);
}

function height(node: ScriptNode): number {
  let lines = remembered.get(node);
  if (lines === undefined) {
    lines = isDual(node) ? dualLines(node) : linesOf(node);
    remembered.set(node, lines);
  }
  return lines;
}

export const isPrinted = (node: ScriptNode): boolean => isDual(node) || elementOf(node.type).printed;
/** Blank lines above it. */
export const above = (node: ScriptNode): number =>
  isDual(node) ? 1 : isPrinted(node) ? elementOf(node.type).above : 0;
/** Whether a page begins above it in any case. */
const beginsPage = (node: ScriptNode): boolean =>
  (isDual(node) ? node.children[0]?.children[0]?.startsNewPage : node.startsNewPage) === true;

const typeOf = (node: ScriptNode | undefined): BlockType | null => (isBlock(node) ? node.type : null);

function keepsWithNext(node: ScriptNode): boolean {
  const type = typeOf(node);
  return type === "scene_heading" || type === "character" || type === "parenthetical" || type === "new_act";
}

function canBreak(node: ScriptNode): boolean {
  const type = typeOf(node);
  return type === "action" || type === "dialogue" || type === "lyrics" || type === "general" || type === "cast_list";
}

/** In a speech, after its cue: what is broken off here needs the cue again. */
const isSpoken = (node: ScriptNode | undefined): boolean =>
  typeOf(node) === "dialogue" || typeOf(node) === "parenthetical" || typeOf(node) === "lyrics";

/** A break, and above or in which node it is. */
export interface At extends PageBreak {
  index: number;
}

/** Lays out one script again and again. */
export class Paginator {
  private script: readonly ScriptNode[] = [];
  private breaks: readonly At[] = [];
  private starts: readonly PageStart[] = [];
  private pages: Pages = { count: 1, breaks: new Map() };

  /** The same object as before if no page breaks elsewhere, or is called otherwise. */
  update(script: readonly ScriptNode[]): Pages {
    const before = this.script;
    if (script === before) return this.pages;
    const most = Math.min(script.length, before.length);
    let head = 0;
    while (head < most && script[head] === before[head]) head += 1;
    let tail = 0;
    while (tail < most - head && script[script.length - 1 - tail] === before[before.length - 1 - tail]) tail += 1;
    const moved = script.length - before.length;

    const starts = pageStarts(script);
    const changed = sameStarts(starts, this.starts, moved, head) ? { head, tail, moved } : WHOLE;
    const breaks = layOut(script, this.breaks, changed, forcedBy(script, starts));
    this.script = script;
    this.starts = starts;
    this.breaks = breaks;
    this.pages = samePages(this.pages, pagesOf(script, breaks, starts, this.pages.breaks));
    return this.pages;
  }
}

const WHOLE: Changed = { head: 0, tail: 0, moved: 0 };

/** What is to be printed: where the pages break, in their order, and what they are called. */
export function layoutOf(script: readonly ScriptNode[]): {
  breaks: readonly At[];
  labels: readonly PageLabel[] | null;
} {
  const starts = pageStarts(script);
  const breaks = layOut(script, [], WHOLE, forcedBy(script, starts));
  return { breaks, labels: starts.length > 0 ? labelPages(lockedOn(script, breaks, starts)) : null };
}

export function paginate(script: readonly ScriptNode[]): Pages {
  return new Paginator().update(script);
}

/** Where pages begin in any case: lines of nodes, by their index. */
type Forced = ReadonlyMap<number, readonly number[]>;
const NONE: Forced = new Map();

function forcedBy(script: readonly ScriptNode[], starts: readonly PageStart[]): Forced {
  if (starts.length === 0) return NONE;
  const forced = new Map<number, number[]>();
  for (const [n, start] of starts.entries()) {
    // What was written before the first line of page 1 is on it.
    if (n === 0 && start.label === "1") continue;
    const line = lineOf(script[start.index] as ScriptNode, start.offset);
    const lines = forced.get(start.index) ?? [];
    if (lines.at(-1) !== line) lines.push(line);
    forced.set(start.index, lines);
  }
  return forced;
}

function lineOf(node: ScriptNode, offset: number): number {
  if (offset === 0 || isDual(node) || !elementOf(node.type).printed) return 0;
  const lines = linesIn(paperText(node), elementOf(node.type).measure);
  return Math.max(
    0,
    lines.findLastIndex(([from]) => from <= offset),
  );
}

const sameStarts = (a: readonly PageStart[], b: readonly PageStart[], moved: number, head: number): boolean =>
  a.length === b.length &&
  a.every((start, n) => {
    const old = b[n] as PageStart;
    const there = old.index < head ? old.index : old.index + moved;
    return start.label === old.label && start.offset === old.offset && start.index === there;
  });

/** The labels of the locked pages that begin on each page. */
function lockedOn(script: readonly ScriptNode[], breaks: readonly At[], starts: readonly PageStart[]): string[][] {
  const pages: string[][] = Array.from({ length: breaks.length + 1 }, () => []);
  let page = 0;
  for (const [n, { index, offset, label }] of starts.entries()) {
    const line = lineOf(script[index] as ScriptNode, offset);
    const first = n === 0 && label === "1";
    for (let next = breaks[page]; !first && next; next = breaks[page]) {
      if (next.index > index || (next.index === index && next.line > line)) break;
      page += 1;
    }
    pages[page]?.push(label);
  }
  return pages;
}

const sameBreak = (a: PageBreak, b: PageBreak | undefined): boolean =>
  a.line === b?.line &&
  a.page === b.page &&
  a.speaker === b.speaker &&
  a.label === b.label &&
  a.revision === b.revision;

/** The older one where they say the same. */
function samePages(old: Pages, now: Pages): Pages {
  const same =
    old.count === now.count &&
    old.firstRevision === now.firstRevision &&
    old.labels?.[0]?.shown === now.labels?.[0]?.shown &&
    old.breaks.size === now.breaks.size &&
    [...now.breaks].every(([id, breaks]) => breaks === old.breaks.get(id));
  return same ? old : now;
}

/** Where nothing changed, breaks are the same array as before. */
function pagesOf(
  script: readonly ScriptNode[],
  breaks: readonly At[],
  starts: readonly PageStart[],
  before: Pages["breaks"],
): Pages {
  const labels = starts.length > 0 ? labelPages(lockedOn(script, breaks, starts)) : undefined;
  const revisions = newestOnPages(script, breaks);
  const found = new Map<string, PageBreak[]>();
  for (const [n, at] of breaks.entries()) {
    const { id } = script[at.index] as ScriptNode;
    const label = labels?.[n + 1]?.shown;
    const revision = revisions[n + 1] ?? 0;
    const shown: PageBreak = {
      page: at.page,
      line: at.line,
      speaker: at.speaker,
      ...(label !== undefined && { label }),
      ...(revision > 0 && { revision }),
    };
    const those = found.get(id);
    if (those) those.push(shown);
    else found.set(id, [shown]);
  }
  const kept = new Map<string, readonly PageBreak[]>();
  for (const [id, now] of found) {
    const old = before.get(id);
    kept.set(id, old?.length === now.length && now.every((each, n) => sameBreak(each, old[n])) ? old : now);
  }
  const first = revisions[0] ?? 0;
  return {
    count: breaks.length + 1,
    breaks: kept,
    ...(labels && { labels }),
    ...(first > 0 && { firstRevision: first }),
  };
}

/** The last revision set that has changed something on each page; 0: none. */
function newestOnPages(script: readonly ScriptNode[], breaks: readonly At[]): number[] {
  const pages = new Array<number>(breaks.length + 1).fill(0);
  let page = 0;
  for (const [index, node] of script.entries()) {
    let from = 0;
    for (let at = breaks[page]; at?.index === index; at = breaks[page]) {
      pages[page] = Math.max(pages[page] ?? 0, newestIn(node, from, at.line));
      from = at.line;
      page += 1;
    }
    pages[page] = Math.max(pages[page] ?? 0, newestIn(node, from, Number.POSITIVE_INFINITY));
  }
  return pages;
}

/** `head` nodes at the start and `tail` at the end are what they were; the latter are `moved` places on. */
interface Changed {
  head: number;
  tail: number;
  moved: number;
}

function layOut(
  script: readonly ScriptNode[],
  old: readonly At[],
  { head, tail, moved }: Changed,
  forced: Forced,
): At[] {
  // Whether a page breaks at a place depends on the page before and the few blocks after it: two pages back is safe.
  let kept = 0;
  while (kept < old.length && (old[kept] as At).index < head) kept += 1;
  const breaks = old.slice(0, Math.max(0, kept - 2));
  const from = breaks.at(-1);
  let used = from?.speaker ? 1 : 0;
  let fresh = true;
  let index = from?.index ?? 0;
  let done = from?.line ?? 0;
  let next = breaks.length;
  while (index < script.length) {
    const node = script[index] as ScriptNode;
    const gap = fresh ? 0 : above(node);
    const locked = forced.get(index);
    /** Up to a locked page that begins within the node. */
    const stop = locked?.find((line) => line > done) ?? height(node);
    const whole = stop >= height(node);
    const left = Math.max(0, stop - done);
    const room = LINES_PER_PAGE - used - gap;
    const needed = keepsWithNext(node) ? needOf(script, index + 1, forced) : transitionAfter(script, index, forced);
    const follows = whole ? needed : 0;
    const fits = left + follows <= room;
    const wanted = done === 0 && !fresh && (beginsPage(node) || locked?.[0] === 0);
    const take = wanted ? 0 : fits ? left : broken(node, left, room, fresh);
    if (take === left && !wanted) {
      fresh = fresh && !isPrinted(node);
      used += gap + left;
      if (whole) {
        index += 1;
        done = 0;
        continue;
      }
    }
    done += take;
    const inSpeech =
      isSpoken(node) &&
      !(wanted && beginsPage(node)) &&
      (done > 0 || isSpoken(script[index - 1]) || typeOf(script[index - 1]) === "character");
    const at = { index, line: done, page: breaks.length + 2, speaker: inSpeech ? speakerAt(script, index) : null };
    // From the first page on that breaks where one did before, and has nothing new behind it, all break as before.
    while (next < old.length && (old[next] as At).index + moved < index) next += 1;
    const again = index >= script.length - tail ? match(old, next, at, moved) : -1;
    if (again >= 0) return breaks.concat(shifted(old.slice(again), moved, at.page - (old[again] as At).page));
    breaks.push(at);
    used = at.speaker ? 1 : 0;
    fresh = true;
  }
  return breaks;
}

function match(old: readonly At[], from: number, at: At, moved: number): number {
  for (let n = from; n < old.length && (old[n] as At).index + moved === at.index; n += 1) {
    if (old[n]?.line === at.line && old[n]?.speaker === at.speaker) return n;
  }
  return -1;
}

function shifted(breaks: readonly At[], moved: number, pages: number): readonly At[] {
  if (moved === 0 && pages === 0) return breaks;
  return breaks.map((at) => ({ ...at, index: at.index + moved, page: at.page + pages }));
}

/** How many of the `left` lines of a block stay on a page that has not room for all. */
function broken(node: ScriptNode, left: number, room: number, alone: boolean): number {
  const most = Math.min(room, left - FEWEST_LINES);
  if (canBreak(node) && most >= FEWEST_LINES) return most;
  // Nothing is gained on the next page, which is as long.
  if (alone) return Math.max(1, Math.min(left, room));
  return 0;
}

/** Lines that must follow on the same page, from the node at `index` on. */
function needOf(script: readonly ScriptNode[], index: number, forced: Forced): number {
  let lines = 0;
  for (let at = index; at < Math.min(script.length, index + MOST_KEPT); at += 1) {
    const node = script[at] as ScriptNode;
    const own = height(node);
    if (beginsPage(node) || forced.get(at)?.[0] === 0) return lines;
    if (!isPrinted(node)) continue;
    if (keepsWithNext(node)) {
      lines += above(node) + own;
      continue;
    }
    const whole = Math.min(own + transitionAfter(script, at, forced), LINES_PER_PAGE / 2);
    return lines + above(node) + (canBreak(node) && own >= 2 * FEWEST_LINES ? FEWEST_LINES : whole);
  }
  return lines;
}

/** No page begins with a transition: lines it needs after the node at `index`. */
function transitionAfter(script: readonly ScriptNode[], index: number, forced: Forced): number {
  const next = script[index + 1];
  if (forced.get(index + 1)?.[0] === 0) return 0;
  return next && typeOf(next) === "transition" ? above(next) + height(next) : 0;
}

function speakerAt(script: readonly ScriptNode[], index: number): string | null {
  let at = index;
  while (isSpoken(script[at])) at -= 1;
  const cue = script[at];
  if (!isBlock(cue) || cue.type !== "character") return null;
  return printedText(cue)
    .replace(/\s*\((?:cont|CONT)[’'.]?[dD]?\)\s*$/, "")
    .trim()
    .toUpperCase();
}
