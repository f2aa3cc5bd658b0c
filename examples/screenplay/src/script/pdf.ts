// A script as a PDF: its sheets of paper, each line where it is printed, with the scenes as the outline. What writes the
// file (pdfkit, MIT) and the fonts are loaded when they are wanted.
import { COLUMNS, HEADER, numberOf, type Sheet, type SheetLine, type Span, TOP } from "./sheets.ts";

/** Bytes of fonts, Latin and what Latin has besides: of the latter, where the former has no glyph. */
export interface FontFiles {
  regular: readonly ArrayBuffer[];
  bold: readonly ArrayBuffer[];
  italic: readonly ArrayBuffer[];
  boldItalic: readonly ArrayBuffer[];
}
type Style = keyof FontFiles;

export interface Pdf {
  bytes: Uint8Array<ArrayBuffer>;
  /** Letters that no font has: they are left out. */
  missing: string[];
}

const INCH = 72;
const SIZE = 12;
/** Of a letter, and of a line. */
const WIDTH = INCH / 10;
const HEIGHT = INCH / 6;
/** From the top of a line to the line that letters stand on. */
const BASELINE = 9.2;

export async function pdfOf(title: string, sheets: readonly Sheet[], fonts: FontFiles): Promise<Pdf> {
  const { default: PDFDocument } = await import("pdfkit");
  const doc = new PDFDocument({
    size: "LETTER",
    margin: 0,
    autoFirstPage: false,
    // None of those that every reader has: the fonts are in the file.
    font: null as never,
    info: { Title: title, Creator: "Screenplay", Producer: "Screenplay" },
  });
  const chunks: Uint8Array[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    doc.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    doc.on("end", () => resolve());
    doc.on("error", reject);
  });
  const writer = new Writer(doc, fonts);
  for (const sheet of sheets) {
    doc.addPage();
    for (const { row, title: heading } of sheet.headings) {
      doc.outline.addItem(heading, { y: (TOP + row) * HEIGHT } as never);
    }
    const number = numberOf(sheet);
    if (number) writer.line({ row: 3 - TOP, column: COLUMNS - 10 - number.length, spans: [{ text: number }] });
    if (sheet.header) writer.line({ row: 3 - TOP, column: HEADER, spans: [{ text: sheet.header }] });
    for (const line of sheet.lines) writer.line(line);
  }
  doc.end();
  await ended;
  return { bytes: joined(chunks), missing: [...writer.missing] };
}

type Doc = InstanceType<typeof import("pdfkit")>;
/** What pdfkit has of an embedded font, and does not declare. */
type Embedded = { _font: { font: { hasGlyphForCodePoint(point: number): boolean } } };

class Writer {
  readonly missing = new Set<string>();
  /** The name of the font that has a letter, by style; `null`: none has. */
  private readonly known = new Map<string, string | null>();

  constructor(
    private readonly doc: Doc,
    private readonly fonts: FontFiles,
  ) {
    for (const style of Object.keys(fonts) as Style[]) {
      for (const [n, bytes] of fonts[style].entries()) doc.registerFont(`${style}${n}`, bytes);
    }
    doc.fontSize(SIZE);
  }

  line({ row, column, spans }: SheetLine): void {
    let at = column;
    const y = (TOP + row) * HEIGHT;
    for (const span of spans) {
      for (const { font, text } of this.runs(span)) {
        const x = at * WIDTH;
        if (font) {
          this.doc.font(font).text(text, x, y + BASELINE, { lineBreak: false, baseline: "alphabetic" });
        }
        at += text.length;
      }
      const from = at - span.text.length;
      if (span.underline) this.rule(from, at, y + 10.6);
      if (span.strike) this.rule(from, at, y + 6.4);
    }
  }

  private rule(from: number, to: number, y: number): void {
    this.doc
      .moveTo(from * WIDTH, y)
      .lineTo(to * WIDTH, y)
      .lineWidth(0.7)
      .stroke();
  }

  /** Stretches of one font. */
  private runs(span: Span): { font: string | null; text: string }[] {
    const style: Style = span.bold ? (span.italic ? "boldItalic" : "bold") : span.italic ? "italic" : "regular";
    const runs: { font: string | null; text: string }[] = [];
    for (const letter of span.text) {
      const font = this.fontOf(style, letter);
      const last = runs.at(-1);
      if (last && last.font === font) last.text += letter;
      else runs.push({ font, text: letter });
    }
    return runs;
  }

  private fontOf(style: Style, letter: string): string | null {
    const key = `${style} ${letter}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const names = this.fonts[style].map((_, n) => `${style}${n}`);
    const found = names.find((name) => {
      const { _font } = this.doc.font(name) as unknown as Embedded;
      return _font.font.hasGlyphForCodePoint(letter.codePointAt(0) ?? 0);
    });
    if (!found) this.missing.add(letter);
    this.known.set(key, found ?? null);
    return found ?? null;
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
