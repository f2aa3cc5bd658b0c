// What a line may go on with: names at a cue, places and times in a heading, out of what the script has already. Pure;
// what a block gives is remembered with it, so that asking again in a feature costs little.
import { nameOf } from "./cues.ts";
import { looksLikeHeading } from "./elements.ts";
import { type Block, type BlockType, blocksOf, printedText } from "./types.ts";

/** What would stand in the line up to the caret. */
export interface Suggestion {
  /** The whole line that it makes. */
  line: string;
  /** What the list shows. */
  label: string;
}

/** More than these nobody reads. */
const MOST = 8;

const INTRODUCTIONS = ["INT. ", "EXT. ", "INT./EXT. ", "EST. "];
const TIMES = ["DAY", "NIGHT", "MORNING", "EVENING", "DAWN", "DUSK", "LATER", "MOMENTS LATER", "CONTINUOUS", "SAME"];
const EXTENSIONS = ["(V.O.)", "(O.S.)", "(O.C.)"];

interface Heading {
  introduction: string;
  place: string;
  time: string;
}

const INTRODUCTION = /^\s*((?:int\.?\s*\/\s*ext|ext\.?\s*\/\s*int|int|ext|est|i\.?\/e|e\.?\/i)(?:\.|\s)\s*)/i;

function headingOf(text: string): Heading {
  const introduction = INTRODUCTION.exec(text)?.[1] ?? "";
  const rest = text.slice(introduction.length);
  const dash = rest.lastIndexOf(" - ");
  return {
    introduction,
    place: (dash < 0 ? rest : rest.slice(0, dash)).trim(),
    time: dash < 0 ? "" : rest.slice(dash + 3).trim(),
  };
}

const known = new WeakMap<Block, { name: string } | Heading | null>();

function lookedAt(block: Block): { name: string } | Heading | null {
  let seen = known.get(block);
  if (seen === undefined) {
    const text = printedText(block);
    if (block.type === "character") seen = { name: nameOf(text) };
    else if (block.type === "scene_heading") seen = headingOf(text);
    else seen = null;
    known.set(block, seen);
  }
  return seen;
}

/** Words with how often they were said and when last, as they were first written. */
class Tally {
  private readonly words = new Map<string, { text: string; count: number; last: number }>();

  add(text: string, at: number): void {
    if (text === "") return;
    const key = text.toUpperCase();
    const entry = this.words.get(key);
    if (entry) {
      entry.count += 1;
      entry.last = at;
    } else this.words.set(key, { text, count: 1, last: at });
  }

  /** The newest first, if they were said behind `from`; the others by how often they were said, then as they came. */
  ranked(from: number): string[] {
    const rank = ({ last }: { last: number }) => (last > from ? last : -1);
    return [...this.words.values()].sort((a, b) => rank(b) - rank(a) || b.count - a.count).map(({ text }) => text);
  }
}

/**
 * What may stand in `block` instead of `typed`, its text up to the caret. Where nothing is typed yet, only who has asked
 * for it gets a list: it would be in the way.
 */
export function suggestionsFor(script: readonly unknown[], block: Block, typed: string, asked = false): Suggestion[] {
  const type: BlockType = block.type;
  if (typed.trim() === "" && !asked) return [];
  if (type === "character") return cues(script, block, typed);
  return type === "scene_heading" ? headings(script, block, typed) : [];
}

function cues(script: readonly unknown[], block: Block, typed: string): Suggestion[] {
  const open = typed.lastIndexOf("(");
  if (open > 0) {
    const before = typed.slice(0, open);
    return fitting([...EXTENSIONS], typed.slice(open)).map((label) => ({ line: before + label, label }));
  }
  const names = new Tally();
  let at = 0;
  let sceneFrom = -1;
  let here = -1;
  let previous = "";
  for (const each of blocksOf(script)) {
    at += 1;
    if (each === block) here = at;
    if (here < 0 && each.type === "scene_heading") sceneFrom = at;
    const seen = each === block ? null : lookedAt(each);
    if (seen === null || !("name" in seen)) continue;
    names.add(seen.name, here < 0 ? at : 0);
    if (here < 0) previous = seen.name.toUpperCase();
  }
  // Whoever has just spoken is answered by somebody else.
  const ranked = names.ranked(sceneFrom);
  const sorted = [
    ...ranked.filter((name) => name.toUpperCase() !== previous),
    ...ranked.filter((name) => name.toUpperCase() === previous),
  ];
  return fitting(sorted, typed.trimStart()).map((label) => ({ line: label, label }));
}

function headings(script: readonly unknown[], block: Block, typed: string): Suggestion[] {
  const text = typed.trimStart();
  if (!looksLikeHeading(text))
    return fitting([...INTRODUCTIONS], text).map((label) => ({ line: label, label: label.trim() }));
  const { introduction } = headingOf(text);
  const rest = text.slice(introduction.length);
  const dash = rest.lastIndexOf(" - ");
  const places = new Tally();
  const times = new Tally();
  let at = 0;
  for (const each of blocksOf(script)) {
    at += 1;
    const seen = each === block ? null : lookedAt(each);
    if (seen === null || !("place" in seen)) continue;
    // A place that was seen from inside is offered for the inside first.
    places.add(seen.place, sameSide(seen.introduction, introduction) ? at : 0);
    times.add(seen.time, 0);
  }
  const after = fitting(places.ranked(0), rest).map((label) => ({ line: introduction + label, label }));
  if (dash < 0 || after.length > 0) return after;
  const before = introduction + rest.slice(0, dash + 3);
  // The script's own times count once more than those that nobody has used yet.
  for (const time of TIMES) times.add(time, 0);
  const all = times.ranked(0);
  return fitting(all, rest.slice(dash + 3)).map((label) => ({ line: before + label, label }));
}

const sameSide = (a: string, b: string): boolean =>
  a.trim().slice(0, 3).toUpperCase() === b.trim().slice(0, 3).toUpperCase();

/** Those that go on from what is typed; none, where it is there already. */
function fitting(words: readonly string[], typed: string): string[] {
  const start = typed.toUpperCase();
  const fit = words.filter((word) => word.toUpperCase().startsWith(start));
  if (fit.length === 1 && fit[0]?.toUpperCase().trim() === start.trim()) return [];
  return fit.filter((word) => word.toUpperCase() !== start).slice(0, MOST);
}
