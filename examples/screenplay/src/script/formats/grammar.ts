// The grammar of Fountain: what kind of line a line is. Reading goes by it, and writing asks it whether a line has to be
// forced, so that what is written is read as what it was. Pure; nothing is kept between two calls.
import { looksLikeHeading, looksLikeShot, looksLikeTransition } from "../elements.ts";
import { findAsides } from "./asides.ts";
import type { LeftOut } from "./named.ts";

export type Kind =
  | "blank"
  | "page_break"
  | "section"
  | "synopsis"
  | "lyrics"
  | "centered"
  | "transition"
  | "heading"
  | "cue"
  | "shot"
  | "action";

/** Of the whole line, without notes and cuts and without spaces at its ends. */
const SIGNED: readonly (readonly [Kind, RegExp])[] = [
  ["page_break", /^={3,}$/],
  ["section", /^#+\s*[^#\s]/],
  ["synopsis", /^=(?!=)\s*\S/],
  ["lyrics", /^~\s*\S/],
  ["centered", /^>\s*[^\s<].*(?<!\\)<$|^>\s*<.*\S.*(?<!\\)<$/],
  ["transition", /^>(?!\s*<$)\s*\S/],
  ["action", /^!/],
];

/**
 * `free`: nothing stands directly above the line, so that it may be what is told by its words. `followed`: something
 * stands directly below, as it does below a cue.
 */
export function kindOf(line: string, free: boolean, followed: boolean): Kind {
  if (line === "") return "blank";
  for (const [kind, pattern] of SIGNED) if (pattern.test(line)) return kind;
  if (!free) return "action";
  if (/^\.[^.\s]/.test(line)) return "heading";
  if (/^@\s*\S/.test(line)) return "cue";
  if (looksLikeHeading(line)) return "heading";
  if (looksLikeTransition(line)) return "transition";
  if (looksLikeShot(line)) return "shot";
  return followed && isCue(line) ? "cue" : "action";
}

/** A name in capitals; what is in parentheses behind it may be in small letters. */
function isCue(line: string): boolean {
  const name = line.replace(/\s*\^$/, "").replaceAll(/\([^()]*\)/g, "");
  return /\p{Lu}/u.test(name) && !/\p{Ll}/u.test(name);
}

/** Two spaces: a line of a speech with nothing in it. */
export const HELD_LINE = "  ";

/** A line of a file. A note or a cut that goes over several lines is inside of one. */
export interface Line {
  /** Of its beginning in the file, from 1. */
  number: number;
  text: string;
  /** Without notes and cuts, and without spaces at the ends. */
  bare: string;
  /** It consists of one note or cut. */
  aside: boolean;
}

const BREAK = /\r\n?|\n/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** Line ends are all of one kind afterwards, and characters are gone that are no text. */
export function cleaned(source: string, leftOut: LeftOut[]): string {
  const text = source.replace(/^\ufeff/, "").replaceAll(BREAK, "\n");
  for (const [index, line] of CONTROLS.test(text) ? text.split("\n").entries() : []) {
    const found = line.match(CONTROLS);
    if (found) leftOut.push({ line: index + 1, text: found.join(""), reason: "control characters are no text" });
  }
  return text.replaceAll(CONTROLS, "");
}

export function linesOf(source: string, firstNumber = 1): Line[] {
  const lines: Line[] = [];
  const asides = findAsides(source);
  let number = firstNumber;
  let start = 0;
  let next = 0;
  while (start <= source.length) {
    let end = source.indexOf("\n", start);
    const first = next;
    let bare = "";
    let from = start;
    for (let aside = asides[next]; aside && (end < 0 || aside.start < end); aside = asides[next]) {
      bare += source.slice(from, aside.start);
      from = aside.end;
      if (end >= 0 && end < aside.end) end = source.indexOf("\n", aside.end);
      next += 1;
    }
    const stop = end < 0 ? source.length : end;
    bare = (bare + source.slice(from, stop)).trim();
    const text = source.slice(start, stop);
    lines.push({ number, text, bare, aside: bare === "" && next - first === 1 });
    number += text.split("\n").length;
    start = stop + 1;
  }
  return lines;
}

/** Nothing is on it at all, not a note either. */
export const isBlank = (line: Line | undefined): boolean => line === undefined || line.text.trim() === "";
