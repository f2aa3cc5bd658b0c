// A script as sheets of paper: where each line stands, for printing and for PDF. It is the layout whose pages the editor
// counts (`paginate.ts`), so that a page on the screen is a page on paper. Pure.
// Measures: ten characters to the inch, six lines to the inch, US Letter; rows count from an inch below the top edge,
// columns from the left edge.

import { continuedCues } from "./cues.ts";
import { elementOf } from "./elements.ts";
import { readEmphasis } from "./formats/emphasis.ts";
import { entryOf, nameOf } from "./formats/title-page.ts";
import { dualMeasure, type Line, linesIn, paperText } from "./lines.ts";
import { areLocked, scenesOf } from "./outline.ts";
import { type At, above, isPrinted, LINES_PER_PAGE, layoutOf } from "./paginate.ts";
import { revisedLines } from "./revised-lines.ts";
import { headerOf, type MarksOf, markOf } from "./revisions.ts";
import {
  type Align,
  type Block,
  type DualDialogueBlock,
  type FormattedText,
  isDual,
  type RevisionSet,
  type ScriptNode,
} from "./types.ts";

export interface Span {
  text: string;
  bold?: boolean;
  italic?: boolean;
  underline?: boolean;
  strike?: boolean;
}

export interface SheetLine {
  row: number;
  column: number;
  spans: Span[];
}

export interface Sheet {
  /** `null`: the title page, which is not counted. */
  page: number | null;
  /** As the page is called, where pages are locked: 12A. */
  label?: string;
  /** The last revision set that changed something on it: its name and date. */
  header?: string;
  lines: SheetLine[];
  /** The headings of scenes on it, for the outline of a PDF. */
  headings: { row: number; title: string }[];
}

/** Of a sheet, in characters. */
export const COLUMNS = 85;
/** Where the name of a revision stands, in the line of the page's number. */
export const HEADER = 15;
/** Rows above the first. */
export const TOP = 6;

const LEFT = 15;
const RIGHT = 75;
const CUE = 37;
/** Of the marks of revisions, behind the numbers of scenes. */
const MARK = 81;
/** Of one of two columns side by side: as far as `.dual` in page.css has them apart. */
const SECOND_COLUMN = 31.25;

interface Place {
  /** Of the first line; the others begin at `column`. */
  first?: number;
  column: number;
  align?: "left" | "center" | "right";
  style?: Omit<Span, "text">;
}

const PLACES: Partial<Record<Block["type"], Place>> = {
  scene_heading: { column: LEFT, style: { bold: true } },
  character: { column: CUE },
  parenthetical: { column: 31, first: 30 },
  dialogue: { column: 25 },
  lyrics: { column: 25, style: { italic: true } },
  transition: { column: LEFT, align: "right" },
  new_act: { column: LEFT, align: "center", style: { underline: true } },
  end_of_act: { column: LEFT, align: "center", style: { underline: true } },
  cast_list: { column: 20 },
};
const IN_COLUMN: Partial<Record<Block["type"], Place>> = {
  character: { column: 6 },
  parenthetical: { column: 5, first: 4 },
  lyrics: { column: 0, style: { italic: true } },
  scene_heading: { column: 0, style: { bold: true } },
};

/** What the page shows besides, and paper like it. */
export interface PaperOptions {
  /** The numbers of scenes beside their headings; once some are locked, they are there in any case. */
  numbers?: boolean;
  /** (CONT’D) where somebody goes on after action. */
  continued?: boolean;
  /** The revision sets of the script, and which of them are marked: the newest, if nothing is said. */
  revisions?: readonly RevisionSet[];
  marks?: MarksOf;
}

/** The number of a page, where one is printed: not on the first, which everybody knows, unless it is another's too. */
export function numberOf({ page, label }: Sheet): string | null {
  const shown = label ?? (page === null ? "1" : String(page));
  return shown === "1" ? null : `${shown}.`;
}

export function sheetsOf(
  script: readonly ScriptNode[],
  titlePage: readonly (readonly [string, string])[] = [],
  options: PaperOptions = {},
): Sheet[] {
  const additions = additionsOf(script, options);
  const sheets: Sheet[] = [];
  const title = titleSheet(titlePage);
  if (title) sheets.push(title);
  let sheet: Sheet = { page: 1, lines: [], headings: [] };
  sheets.push(sheet);
  let row = 0;
  let fresh = true;
  let next = 0;
  const { breaks, labels } = layoutOf(script);
  const { revisions = [], marks = "newest" } = options;
  /** The newest revision of a line on the sheet. */
  let revised = 0;
  const finish = (page: number) => {
    const label = labels?.[page - 1]?.shown;
    if (label !== undefined) sheet.label = label;
    const header = headerOf(revisions, revised || undefined);
    if (header !== "") sheet.header = header;
    revised = 0;
  };
  const turn = (at: At) => {
    if (at.speaker) sheet.lines.push({ row, column: CUE, spans: [{ text: "(MORE)" }] });
    finish(at.page - 1);
    sheet = { page: at.page, lines: [], headings: [] };
    sheets.push(sheet);
    row = 0;
    fresh = true;
    if (!at.speaker) return;
    sheet.lines.push({ row, column: CUE, spans: [{ text: `${at.speaker} (CONT’D)` }] });
    row = 1;
  };
  script.forEach((node, index) => {
    const rows = isPrinted(node) ? rowsOf(node, additions.get(node.id)) : [];
    const changed = new Map(revisedLines(node).map(({ line, revision }) => [line, revision]));
    let done = 0;
    const put = (until: number) => {
      for (const [n, line] of rows.slice(done, until).entries()) {
        for (const part of line) sheet.lines.push({ row, ...part });
        const revision = changed.get(done + n) ?? 0;
        revised = Math.max(revised, revision);
        const set = markOf(revisions, revision, marks);
        if (set) sheet.lines.push({ row, column: MARK, spans: [{ text: set.mark }] });
        row += 1;
      }
      done = until;
    };
    for (let at = breaks[next]; at?.index === index; at = breaks[next]) {
      if (done < at.line) {
        if (done === 0 && !fresh) row += above(node);
        put(at.line);
      }
      turn(at);
      next += 1;
    }
    if (done === rows.length) return;
    if (done === 0 && !fresh) row += above(node);
    fresh = false;
    if (!isDual(node) && node.type === "scene_heading") {
      const heading = paperText(node).trim().toUpperCase();
      if (heading !== "") sheet.headings.push({ row, title: heading });
    }
    put(rows.length);
  });
  finish(breaks.length + 1);
  return sheets;
}

type Part = Omit<SheetLine, "row">;

/** What stands beside a block without being in it, by its id. */
function additionsOf(script: readonly ScriptNode[], { numbers, continued }: PaperOptions): ReadonlyMap<string, string> {
  const additions = new Map<string, string>();
  const scenes = scenesOf(script);
  if (numbers || areLocked(scenes)) for (const { id, number } of scenes) additions.set(id, number);
  if (continued) for (const id of continuedCues(script)) additions.set(id, " (CONT’D)");
  return additions;
}

/** What stands in each line that a node takes. */
function rowsOf(node: ScriptNode, addition: string | undefined): Part[][] {
  if (!isDual(node)) {
    const rows = blockRows(node, PLACES[node.type] ?? { column: LEFT }, elementOf(node.type).measure, LEFT, RIGHT);
    if (addition && node.type === "scene_heading") {
      const spans = [{ text: addition, bold: true }];
      rows[0]?.push({ column: Math.max(1, LEFT - 4 - addition.length), spans }, { column: RIGHT + 2, spans });
    }
    if (addition && node.type === "character") rows.at(-1)?.[0]?.spans.push({ text: addition });
    return rows;
  }
  return sideBySide(node);
}

function sideBySide(dual: DualDialogueBlock): Part[][] {
  const columns = dual.children.map((column, n) =>
    column.children.flatMap((block) => {
      if (!elementOf(block.type).printed) return [];
      const from = LEFT + n * SECOND_COLUMN;
      const { column: at, first, ...place } = IN_COLUMN[block.type] ?? PLACES[block.type] ?? { column: 0 };
      const inside = IN_COLUMN[block.type] ? at : 0;
      const measure = dualMeasure(block.type);
      const placed = { ...place, column: from + inside, ...(first !== undefined && { first: from + first }) };
      return blockRows(block, placed, measure, from, from + 28);
    }),
  );
  const count = Math.max(1, ...columns.map((rows) => rows.length));
  return Array.from({ length: count }, (_, row) => columns.flatMap((rows) => rows[row] ?? []));
}

function blockRows(block: Block, place: Place, measure: number, left: number, right: number): Part[][] {
  const text = paperText(block);
  const { capitals } = elementOf(block.type);
  const spans = spansOf(block);
  return linesIn(text, measure).map((line, n) => {
    const cut = within(spans, line).map((span): Span => {
      const shown = { ...place.style, ...span };
      return capitals ? { ...shown, text: shown.text.toUpperCase() } : shown;
    });
    const align = alignOf(block.align) ?? place.align;
    return [
      { column: columnOf(cut, align, n === 0 ? (place.first ?? place.column) : place.column, left, right), spans: cut },
    ];
  });
}

/** Lines are not stretched: letters of a typewriter stand where they stand. */
const alignOf = (align: Align | undefined) => (align === "full" ? "left" : align);

function columnOf(spans: readonly Span[], align: Place["align"], column: number, left: number, right: number): number {
  if (align !== "center" && align !== "right") return column;
  const length = spans.reduce((sum, { text }) => sum + text.length, 0);
  const free = Math.max(0, right - left - length);
  return left + (align === "right" ? free : free / 2);
}

function spansOf(block: Block): Span[] {
  const spans = block.children.filter((leaf) => !leaf.aside && leaf.text !== "").map(spanOf);
  return block.type === "parenthetical" ? [{ text: "(" }, ...spans, { text: ")" }] : spans;
}

const spanOf = ({ text, bold, italic, underline, strike }: FormattedText): Span => ({
  text,
  ...(bold && { bold }),
  ...(italic && { italic }),
  ...(underline && { underline }),
  ...(strike && { strike }),
});

function within(spans: readonly Span[], [from, to]: Line): Span[] {
  const found: Span[] = [];
  let at = 0;
  for (const span of spans) {
    const text = span.text.slice(Math.max(0, from - at), Math.max(0, to - at));
    if (text !== "") found.push({ ...span, text });
    at += span.text.length;
  }
  const last = found.at(-1);
  if (last) last.text = last.text.trimEnd();
  return found;
}

/** Title, credit, author and source in the middle, a third down; the draft at the right foot, the rest at the left one. */
function titleSheet(entries: readonly (readonly [string, string])[]): Sheet | null {
  if (!entries.some(([, text]) => text.trim() !== "")) return null;
  const lines: SheetLine[] = [];
  /** Lines from `row` on; where `row` counts from below, the last of them stands there. */
  const put = (text: string, row: number, align: "left" | "center" | "right", style?: Omit<Span, "text">): number => {
    const leaves = readEmphasis(text).filter((leaf) => !leaf.aside);
    const cuts = linesIn(leaves.map((leaf) => leaf.text).join(""), RIGHT - LEFT);
    const first = row < 0 ? LINES_PER_PAGE + 1 + row - cuts.length : row;
    cuts.forEach((line, n) => {
      const spans = within(
        leaves.map((leaf) => ({ ...style, ...spanOf(leaf) })),
        line,
      );
      lines.push({ row: first + n, column: columnOf(spans, align, LEFT, LEFT, RIGHT), spans });
    });
    return cuts.length;
  };
  let row = 15;
  for (const name of MIDDLE) {
    const text = entryOf(entries, name);
    if (!text) continue;
    row += put(text, row, "center", name === "title" ? { bold: true } : undefined);
    row += name === "credit" ? 1 : name === "title" ? 3 : 2;
  }
  const foot = (align: "left" | "right", texts: readonly string[]) => {
    if (texts.length > 0) put(texts.join("\n"), -1, align);
  };
  foot(
    "right",
    FOOT_RIGHT.flatMap((name) => entryOf(entries, name) ?? []),
  );
  const placed = new Set([...MIDDLE, "authors", ...FOOT_RIGHT]);
  foot(
    "left",
    entries.filter(([name, text]) => !placed.has(nameOf(name)) && text.trim() !== "").map(([, text]) => text),
  );
  return { page: null, lines, headings: [] };
}

/** Entries of a title page by where they stand; the others are at the left of its foot. */
export const MIDDLE = ["title", "credit", "author", "source"];
export const FOOT_RIGHT = ["draft_date", "date"];
