// What stands in a script without being printed: notes `[[ ]]` and what was cut, `/* */`. Where they begin and end is
// decided here alone, for reading and for writing. Pure.

export interface Range {
  start: number;
  /** After the last character. */
  end: number;
}

/** A line without anything ends a note that is not closed; one of two spaces does not. */
const EMPTY_LINE = /\n[^\S\n]?\n/g;

/** Notes and cuts in their order. None is inside of another: what comes first holds what is in it. */
export function findAsides(source: string): Range[] {
  const found: Range[] = [];
  const next = { note: source.indexOf("[["), cut: source.indexOf("/*") };
  let emptyLine = -1;
  while (next.note >= 0 || next.cut >= 0) {
    const isNote = next.cut < 0 || (next.note >= 0 && next.note < next.cut);
    let start = isNote ? next.note : next.cut;
    // Of more than two brackets, the last two begin the note.
    while (isNote && source[start + 2] === "[") start += 1;
    const close = source.indexOf(isNote ? "]]" : "*/", start + 2);
    if (close < 0) {
      // Nor is any later one closed.
      next[isNote ? "note" : "cut"] = -1;
      continue;
    }
    if (isNote && emptyLine < start) {
      EMPTY_LINE.lastIndex = start;
      emptyLine = EMPTY_LINE.exec(source)?.index ?? source.length;
    }
    const closed = !isNote || close < emptyLine;
    const end = closed ? close + 2 : start + 1;
    if (closed) found.push({ start, end });
    if (next.note >= 0 && next.note < end) next.note = source.indexOf("[[", end);
    if (next.cut >= 0 && next.cut < end) next.cut = source.indexOf("/*", end);
  }
  return found;
}

/** The text without its notes and cuts. */
export function withoutAsides(text: string): string {
  let rest = "";
  let from = 0;
  for (const { start, end } of findAsides(text)) {
    rest += text.slice(from, start);
    from = end;
  }
  return rest + text.slice(from);
}

/** The text as what notes and cuts stand before, what they stand behind, and those at its two ends. */
export function parted(text: string): { before: string; core: string; after: string } {
  const asides = findAsides(text);
  const skip = (at: number) => at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);
  let start = skip(0);
  for (const aside of asides) if (aside.start === start) start = skip(aside.end);
  const back = (at: number) => text.slice(0, at).trimEnd().length;
  let end = back(text.length);
  for (const aside of asides.toReversed()) if (aside.end === end) end = back(aside.start);
  if (end < start) return { before: text, core: "", after: "" };
  return { before: text.slice(0, start), core: text.slice(start, end), after: text.slice(end) };
}
