// Where the pages of a script break: 54 lines of 12 pt Courier on US Letter (six to the inch, nine inches), and what
// the trade keeps together. A heading goes with what follows it, a cue with its speech, a transition with
// what it ends; action and dialogue are broken
// with at least two lines on either side, dialogue with (MORE) below and NAME (CONT'D) above. A (MORE) may stand on a
// 55th line. Pure. After an edit only the pages from there on are laid out again, until they break as before.
import { ELEMENTS } from "./elements.ts";
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
}

export interface Pages {
  count: number;
  /** By the id of the block that is broken, or above which the page breaks. */
  breaks: ReadonlyMap<string, readonly PageBreak[]>;
}

/** The columns of dual dialogue are narrower. */
const DUAL_MEASURE: Partial<Record<BlockType, number>> = { parenthetical: 20, character: 22 };
export const dualMeasure = (type: BlockType): number => DUAL_MEASURE[type] ?? 28;
const remembered = new WeakMap<object, number>();

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

/** Lines a block takes, without the blank ones above it. */
export function linesOf(block: Block, measure = ELEMENTS[block.type].measure): number {
  return ELEMENTS[block.type].printed ? linesIn(paperText(block), measure).length : 0;
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

export const isPrinted = (node: ScriptNode): boolean => isDual(node) || ELEMENTS[node.type].printed;
/** Blank lines above it. */
export const above = (node: ScriptNode): number => (isDual(node) ? 1 : isPrinted(node) ? ELEMENTS[node.type].above : 0);
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
  private breaks: At[] = [];
  private pages: Pages = { count: 1, breaks: new Map() };

  /** The same object as before if no page breaks elsewhere. */
  update(script: readonly ScriptNode[]): Pages {
    const before = this.script;
    if (script === before) return this.pages;
    const most = Math.min(script.length, before.length);
    let head = 0;
    while (head < most && script[head] === before[head]) head += 1;
    let tail = 0;
    while (tail < most - head && script[script.length - 1 - tail] === before[before.length - 1 - tail]) tail += 1;

    const breaks = layOut(script, this.breaks, { head, tail, moved: script.length - before.length });
    const same =
      breaks.length === this.breaks.length &&
      breaks.every((at, n) => at === this.breaks[n] || (sameBreak(at, this.breaks[n]) && at.index < head));
    this.script = script;
    this.breaks = breaks;
    if (!same) this.pages = { count: breaks.length + 1, breaks: byBlock(script, breaks, this.pages.breaks) };
    return this.pages;
  }
}

/** Where the pages break, in their order. */
export function breaksIn(script: readonly ScriptNode[]): readonly At[] {
  return layOut(script, [], { head: 0, tail: 0, moved: 0 });
}

export function paginate(script: readonly ScriptNode[]): Pages {
  return new Paginator().update(script);
}

const sameBreak = (a: At, b: At | undefined): boolean =>
  a.index === b?.index && a.line === b.line && a.page === b.page && a.speaker === b.speaker;

/** Where nothing changed, the same array as before. */
function byBlock(script: readonly ScriptNode[], breaks: readonly At[], before: Pages["breaks"]): Pages["breaks"] {
  const found = new Map<string, readonly PageBreak[]>();
  for (const at of breaks) {
    const { id } = script[at.index] as ScriptNode;
    found.set(id, [...(found.get(id) ?? []), { page: at.page, line: at.line, speaker: at.speaker }]);
  }
  for (const [id, now] of found) {
    const old = before.get(id);
    const same = (each: PageBreak, n: number) =>
      each.page === old?.[n]?.page && each.line === old[n].line && each.speaker === old[n].speaker;
    if (old?.length === now.length && now.every(same)) found.set(id, old);
  }
  return found;
}

/** `head` nodes at the start and `tail` at the end are what they were; the latter are `moved` places on. */
interface Changed {
  head: number;
  tail: number;
  moved: number;
}

function layOut(script: readonly ScriptNode[], old: readonly At[], { head, tail, moved }: Changed): At[] {
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
    const left = height(node) - done;
    const room = LINES_PER_PAGE - used - gap;
    const follows = keepsWithNext(node) ? needOf(script, index + 1) : transitionAfter(script, index);
    const fits = left + follows <= room;
    const wanted = done === 0 && !fresh && beginsPage(node);
    const take = wanted ? 0 : fits ? left : broken(node, left, room, fresh);
    if (take === left && !wanted) {
      fresh = fresh && !isPrinted(node);
      used += gap + left;
      index += 1;
      done = 0;
      continue;
    }
    done += take;
    const inSpeech =
      isSpoken(node) &&
      !wanted &&
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
function needOf(script: readonly ScriptNode[], index: number): number {
  let lines = 0;
  for (let at = index; at < Math.min(script.length, index + MOST_KEPT); at += 1) {
    const node = script[at] as ScriptNode;
    const own = height(node);
    if (beginsPage(node)) return lines;
    if (!isPrinted(node)) continue;
    if (keepsWithNext(node)) {
      lines += above(node) + own;
      continue;
    }
    const whole = Math.min(own + transitionAfter(script, at), LINES_PER_PAGE / 2);
    return lines + above(node) + (canBreak(node) && own >= 2 * FEWEST_LINES ? FEWEST_LINES : whole);
  }
  return lines;
}

/** No page begins with a transition: lines it needs after the node at `index`. */
function transitionAfter(script: readonly ScriptNode[], index: number): number {
  const next = script[index + 1];
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
