// Fountain's emphasis: *italic*, **bold**, ***both***, _underline_, and a backslash before what is meant literally.
// Struck-out text has no sign in Fountain; it stands between two notes, [[strike]] and [[/strike]], which other programs
// leave alone. An empty note, [[]], parts what would otherwise be read as one: an underscore and the word it stands in.
import { type FormattedText, MARKS, type Mark } from "../types.ts";
import { findAsides } from "./asides.ts";

const STRIKE = "[[strike]]";
const UNSTRIKE = "[[/strike]]";
const NOTHING = "[[]]";
/** What a backslash may stand before. */
const LITERAL = /[*_\\[\]#^<~(=]/;
const WORD = /[\p{L}\p{N}]$/u;
const STARTS_WITH_WORD = /^[\p{L}\p{N}]/u;

interface Piece {
  text: string;
  /** Stars or an underscore that may be emphasis. */
  sign?: string;
  aside?: true;
}

/** Emphasis that is not closed again on its line is no emphasis: the signs stay in the text. */
export function readEmphasis(source: string): FormattedText[] {
  const written: { text: string; marks: ReadonlySet<Mark> }[] = [];
  const pieces = piecesOf(source);
  const strikes = strikesOf(pieces);
  let struck = false;
  for (const line of linesOf(pieces)) {
    const toggles = togglesOf(line);
    const marks = new Set<Mark>();
    for (const [at, piece] of line.entries()) {
      for (const mark of toggles.get(at) ?? []) if (!marks.delete(mark)) marks.add(mark);
      if (strikes.has(piece)) struck = !struck;
      else if (!toggles.has(at) && piece.text !== NOTHING) {
        written.push({ text: piece.text, marks: new Set(struck ? [...marks, "strike"] : marks) });
      }
    }
  }
  return leavesOf(withBreaks(written));
}

/** Those that begin to strike out and are followed by one that ends it, and these. */
function strikesOf(pieces: readonly Piece[]): ReadonlySet<Piece> {
  const strikes = new Set<Piece>();
  let open: Piece | null = null;
  for (const piece of pieces) {
    if (!piece.aside) continue;
    if (piece.text === STRIKE) open ??= piece;
    if (piece.text === UNSTRIKE && open) {
      strikes.add(open).add(piece);
      open = null;
    }
  }
  return strikes;
}

/** A line break has the marks that the text has on either side: signs are closed at the end of each line. */
function withBreaks<T extends { text: string; marks: ReadonlySet<Mark> }>(pieces: T[]): T[] {
  let before: ReadonlySet<Mark> = new Set();
  for (const [at, piece] of pieces.entries()) {
    if (piece.text !== "\n") {
      before = piece.marks;
      continue;
    }
    let next = at + 1;
    while (pieces[next]?.text === "\n") next += 1;
    const after = pieces[next]?.marks ?? new Set();
    piece.marks = new Set([...before].filter((mark) => after.has(mark)));
  }
  return pieces;
}

function piecesOf(source: string): Piece[] {
  const pieces: Piece[] = [];
  const asides = findAsides(source);
  const signs = /\\[*_\\[\]#^<~(=]|\*+|_+|\n|[^\\*_\n]+|\\/g;
  let from = 0;
  for (const { start, end } of [...asides, { start: source.length, end: source.length }]) {
    for (const [found] of source.slice(from, start).matchAll(signs)) {
      if (found.length === 2 && found[0] === "\\") pieces.push({ text: found[1] as string });
      else if (/^(?:\*{1,3}|_)$/.test(found)) pieces.push({ text: found, sign: found });
      else pieces.push({ text: found });
    }
    if (end > start) pieces.push({ text: source.slice(start, end), aside: true });
    from = end;
  }
  return pieces;
}

/** Each line with the break at its end. */
function linesOf(pieces: readonly Piece[]): Piece[][] {
  const lines: Piece[][] = [[]];
  for (const piece of pieces) {
    lines.at(-1)?.push(piece);
    if (piece.text === "\n") lines.push([]);
  }
  return lines;
}

const OPENS: Record<string, readonly Mark[]> = {
  "*": ["italic"],
  "**": ["bold"],
  "***": ["bold", "italic"],
  _: ["underline"],
};

/** The signs of a line that are emphasis, and the marks that begin or end with them. */
function togglesOf(line: readonly Piece[]): Map<number, readonly Mark[]> {
  /** By sign: from where on it is text, because it is not closed. */
  const text = new Map<string, number>();
  for (;;) {
    const open = new Map<Mark, number>();
    const toggles = new Map<number, readonly Mark[]>();
    line.forEach(({ sign }, at) => {
      if (sign === undefined || at >= (text.get(sign) ?? Number.POSITIVE_INFINITY)) return;
      const marks = OPENS[sign] as readonly Mark[];
      const closing = marks.filter((mark) => open.has(mark));
      if (closing.length > 0 && !canClose(line, at)) return;
      if (closing.length < marks.length && !canOpen(line, at)) return;
      for (const mark of marks) if (!open.delete(mark)) open.set(mark, at);
      toggles.set(at, marks);
    });
    if (open.size === 0) return toggles;
    for (const at of open.values()) {
      const sign = line[at]?.sign as string;
      text.set(sign, Math.min(at, text.get(sign) ?? at));
    }
  }
}

function canOpen(line: readonly Piece[], at: number): boolean {
  const before = line[at - 1]?.text ?? " ";
  return !/^\s/.test(line[at + 1]?.text ?? " ") && !(line[at]?.sign === "_" && WORD.test(before));
}

function canClose(line: readonly Piece[], at: number): boolean {
  const after = line[at + 1]?.text ?? " ";
  return !/\s$/.test(line[at - 1]?.text ?? " ") && !(line[at]?.sign === "_" && STARTS_WITH_WORD.test(after));
}

type Kept = Pick<FormattedText, "revision" | "page">;
interface LookedPiece {
  text: string;
  marks: ReadonlySet<Mark>;
  /** What it is besides. */
  kept?: Kept;
}

/** Pieces as leaves: neighbours of one look are one, and notes and cuts are marked by where they are in the text. */
function leavesOf(pieces: readonly LookedPiece[]): FormattedText[] {
  const leaves: FormattedText[] = [];
  const asides = findAsides(pieces.map(({ text }) => text).join(""));
  let aside = 0;
  let offset = 0;
  let look: ReadonlySet<Mark> = new Set();
  for (const { text, marks, kept = {} } of pieces) {
    for (let from = 0; from < text.length; ) {
      while ((asides[aside]?.end ?? Number.POSITIVE_INFINITY) <= offset + from) aside += 1;
      const { start, end } = asides[aside] ?? { start: Number.POSITIVE_INFINITY, end: 0 };
      const inside = offset + from >= start;
      if (offset + from === start) look = marks;
      const to = Math.min(text.length, (inside ? end : start) - offset);
      // A note has one look, that of its beginning.
      addLeaf(leaves, text.slice(from, to), inside ? look : marks, inside, inside ? {} : kept);
      from = to;
    }
    offset += text.length;
  }
  return leaves.length > 0 ? leaves : [{ text: "" }];
}

function addLeaf(
  leaves: FormattedText[],
  text: string,
  marks: ReadonlySet<Mark>,
  aside: boolean,
  { revision, page }: Kept,
): void {
  const last = leaves.at(-1);
  const same =
    last &&
    (last.aside ?? false) === aside &&
    last.revision === revision &&
    last.page === page &&
    MARKS.every((mark) => (last[mark] ?? false) === marks.has(mark));
  if (same) last.text += text;
  else {
    const own = Object.fromEntries(MARKS.filter((mark) => marks.has(mark)).map((mark) => [mark, true]));
    const kept = { ...(revision !== undefined && { revision }), ...(page !== undefined && { page }) };
    leaves.push({ text, ...own, ...(aside && { aside }), ...kept });
  }
}

/** The leaves as they are after writing and reading: joined where they look alike, notes and cuts marked. */
export function tidied(leaves: readonly FormattedText[]): FormattedText[] {
  return leavesOf(
    leaves.map((leaf) => ({ text: leaf.text, marks: new Set(MARKS.filter((mark) => leaf[mark])), kept: leaf })),
  );
}

/** A character, or a note as a whole; its marks are bits. */
interface Unit {
  text: string;
  marks: number;
}

const BIT: Record<Mark, number> = { bold: 1, italic: 2, underline: 4, strike: 8 };

/** The lines of the text as Fountain. Breaks inside of a note or a cut are no lines of the text. */
export function writeLines(leaves: readonly FormattedText[]): string[] {
  const lines: Unit[][] = [[]];
  for (const leaf of tidied(leaves)) {
    const marks = MARKS.reduce((bits, mark) => (leaf[mark] ? bits | BIT[mark] : bits), 0);
    const texts = leaf.aside
      ? findAsides(leaf.text).map(({ start, end }) => leaf.text.slice(start, end))
      : Array.from(leaf.text);
    for (const text of texts) {
      if (text === "\n") lines.push([]);
      else lines.at(-1)?.push({ text, marks });
    }
  }
  return lines.map(writeLine);
}

export function writeEmphasis(leaves: readonly FormattedText[]): string {
  return writeLines(leaves).join("\n");
}

function writeLine(units: readonly Unit[]): string {
  for (const mark of MARKS) if (mark !== "strike") trim(units, BIT[mark]);
  const written: string[] = [];
  let open = 0;
  for (let at = 0; at <= units.length; at += 1) {
    const unit = units[at];
    const marks = unit?.marks ?? 0;
    if (marks !== open) written.push(signsBetween(open, marks, units[at - 1]?.text ?? "", unit?.text ?? ""));
    if (unit) written.push(unit.text.length > 2 ? unit.text : escaped(units, at));
    open = marks;
  }
  return written.join("");
}

/** What ends and begins between two characters. */
function signsBetween(open: number, marks: number, before: string, after: string): string {
  const ends = [...signsOf(open & ~marks)].reverse().join("");
  const begins = signsOf(marks & ~open);
  const strike = (open ^ marks) & BIT.strike ? (open & BIT.strike ? UNSTRIKE : STRIKE) : "";
  const signs = ends + strike + begins;
  // An underscore inside of a word is a character as any other: a note with nothing in it ends the word.
  if (signs.startsWith("_") && ends === "" && WORD.test(before)) return NOTHING + signs;
  if (signs.endsWith("_") && begins === "" && STARTS_WITH_WORD.test(after)) return signs + NOTHING;
  // Nor may a slash and a star begin a cut.
  return before === "/" && signs.startsWith("*") ? NOTHING + signs : signs;
}

/** The signs that begin the marks; an underscore is outside of the stars. */
function signsOf(marks: number): string {
  const stars = "*".repeat((marks & BIT.bold ? 2 : 0) + (marks & BIT.italic ? 1 : 0));
  return (marks & BIT.underline ? "_" : "") + stars;
}

/** Emphasis does not begin or end with a space: those at the ends stay outside. */
function trim(units: readonly Unit[], bit: number): void {
  if (!units.some((unit) => unit.marks & bit)) return;
  for (const those of [units, units.toReversed()]) {
    let inside = false;
    for (const unit of those) {
      if (!(unit.marks & bit)) inside = false;
      else if (!inside && /^\s$/.test(unit.text)) unit.marks &= ~bit;
      else inside = true;
    }
  }
}

function escaped(units: readonly Unit[], at: number): string {
  const { text, marks } = units[at] as Unit;
  const before = units[at - 1];
  const after = units[at + 1];
  if (text === "*") return "\\*";
  // Before what it would make literal.
  if (text === "\\") return marks || after?.marks || LITERAL.test(after?.text ?? "\\") ? "\\\\" : "\\";
  // Inside of a word it is a character as any other.
  if (text === "_") {
    const inWord = before?.marks === marks && after?.marks === marks && WORD.test(before.text);
    return inWord && STARTS_WITH_WORD.test(after.text) ? "_" : "\\_";
  }
  // Two that are not closed: a note may not begin with them.
  return text === "[" && before?.text === "[" ? "\\[" : text;
}
