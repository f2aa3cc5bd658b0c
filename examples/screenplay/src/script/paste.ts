// What is pasted, and where it lands: a cue stays a cue, lines in a speech stay spoken, bold and italic come along.
import { type Descendant, Editor, Range, Transforms } from "slate";
import { blockAt, freed, insertBlocks } from "./editor.ts";
import { writeEmphasis } from "./formats/emphasis.ts";
import { fountainLines } from "./formats/fountain.ts";
import type { ScriptEditor } from "./slate.ts";
import { type Block, type BlockType, type FormattedText, isBlock, MARKS, type Mark, textOf } from "./types.ts";

type Looks = Partial<Record<Mark, boolean>>;

/** Pastes text from elsewhere, as Fountain where it has several lines. Returns false for plain text of one line. */
export function pasteText(editor: ScriptEditor, plain: string, html: string): boolean {
  if (!editor.selection) return false;
  const lines = html === "" ? null : linesOfHtml(html);
  const marked = lines !== null && hasMarks(lines) && sameWords(lines, plain);
  if (marked && lines.length === 1) {
    insertLines(editor, lines, null);
    return true;
  }
  if (!/\n/.test(plain.trim())) return false;
  const source = marked ? lines.map(writeEmphasis).join("\n") : plain;
  pasteBlocks(editor, fountainLines(source, editor.newId));
  return true;
}

/** Inserts what was copied as elements. Returns false where there is nothing about the place to mind. */
export function pasteFragment(editor: ScriptEditor, fragment: readonly Descendant[]): boolean {
  const type = blockAt(editor)?.[0].type;
  const [first] = fragment;
  if (type === undefined || first === undefined) return false;
  if (fragment.length === 1 && isBlock(first)) {
    // Words, and not their element: but for an empty line of action, which may become anything.
    if (type === "action" || type === "general") return false;
    insertLines(editor, [first.children], null);
    return true;
  }
  return landLines(editor, type, fragment);
}

function pasteBlocks(editor: ScriptEditor, nodes: ReturnType<typeof fountainLines>): void {
  const type = blockAt(editor)?.[0].type;
  if (type === undefined || !landLines(editor, type, nodes)) insertBlocks(editor, nodes);
}

const SPOKEN: ReadonlySet<BlockType> = new Set(["dialogue", "parenthetical", "lyrics"]);
/** What says nothing of what it is. */
const PLAIN: ReadonlySet<BlockType> = new Set(["action", "general", "dialogue", "parenthetical", "lyrics"]);

/** In a speech, or at a cue, lines that are nothing else become what is said there. */
function landLines(editor: ScriptEditor, type: BlockType, nodes: readonly Descendant[]): boolean {
  if (type !== "character" && !SPOKEN.has(type)) return false;
  const blocks = nodes.filter(isBlock);
  const [first, ...rest] = blocks;
  if (first === undefined || blocks.length < nodes.length) return false;
  const spoken = type === "lyrics" ? type : "dialogue";
  if (blocks.every((block) => PLAIN.has(block.type))) {
    // A cue has one line: what follows it is said.
    const lines =
      type === "character" ? [...linesOf(first), ...rest.map(({ children }) => children)] : childrenOf(blocks);
    insertLines(editor, lines, spoken);
    return true;
  }
  const here = blockAt(editor)?.[0];
  if (type === "character" && first.type === "character" && here && textOf(here) !== "") {
    const plain = rest.every((block) => PLAIN.has(block.type));
    if (plain) insertLines(editor, childrenOf(blocks), spoken);
    return plain;
  }
  return false;
}

const childrenOf = (blocks: readonly Block[]): FormattedText[][] => blocks.map(({ children }) => children);

/** A block with line breaks in it, in lines. */
function linesOf({ children }: Block): FormattedText[][] {
  const lines: FormattedText[][] = [[]];
  for (const leaf of children) {
    for (const [index, text] of leaf.text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      lines.at(-1)?.push({ ...leaf, text });
    }
  }
  return lines;
}

/** The first line goes in at the caret; each that follows begins a block: of the type `next`, or of that which was there. */
function insertLines(editor: ScriptEditor, lines: readonly FormattedText[][], next: BlockType | null): void {
  Editor.withoutNormalizing(editor, () => {
    if (editor.selection && Range.isExpanded(editor.selection)) Transforms.delete(editor);
    for (const [index, line] of lines.entries()) {
      if (index > 0) {
        Transforms.splitNodes(editor, { always: true });
        const entry = blockAt(editor);
        if (entry && next) Transforms.setNodes<Block>(editor, { type: next }, { at: entry[1] });
      }
      const leaves = line.filter(({ text }) => text !== "").map((leaf) => ({ ...freed(leaf) }));
      if (leaves.length > 0) Transforms.insertNodes(editor, leaves, { select: true });
    }
  });
}

const hasMarks = (lines: readonly FormattedText[][]): boolean =>
  lines.some((line) => line.some((leaf) => MARKS.some((mark) => leaf[mark])));

/** What a page shows and what it gives as text may differ: then its text counts. */
function sameWords(lines: readonly FormattedText[][], plain: string): boolean {
  const words = (text: string) => text.replace(/[\s\u00a0]+/g, "");
  return words(lines.map((children) => textOf({ children })).join("")) === words(plain);
}

const TAGS: Record<string, Mark> = {
  B: "bold",
  STRONG: "bold",
  I: "italic",
  EM: "italic",
  U: "underline",
  INS: "underline",
  S: "strike",
  STRIKE: "strike",
  DEL: "strike",
};
const BLOCKS = /^(?:P|DIV|H[1-6]|LI|UL|OL|TR|TABLE|BLOCKQUOTE|PRE|SECTION|ARTICLE)$/;
const SILENT = /^(?:HEAD|STYLE|SCRIPT|TITLE|META|TEMPLATE|NOSCRIPT)$/;

/** The lines of a page as word processors put it on the clipboard, with how their words look. */
export function linesOfHtml(html: string): FormattedText[][] {
  const page = new DOMParser().parseFromString(html, "text/html");
  const reader = new HtmlReader();
  reader.read(page.body, {}, false);
  return reader.end();
}

class HtmlReader {
  private readonly lines: FormattedText[][] = [];
  private line: FormattedText[] = [];

  read(parent: Node, looks: Looks, kept: boolean): void {
    for (const node of parent.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) this.write(node.nodeValue ?? "", looks, kept);
      else if (node.nodeType === Node.ELEMENT_NODE) this.element(node as HTMLElement, looks, kept);
    }
  }

  end(): FormattedText[][] {
    if (this.line.length > 0) this.breakLine();
    while (this.lines.length > 0 && this.lines.at(-1)?.length === 0) this.lines.pop();
    while (this.lines.length > 0 && this.lines[0]?.length === 0) this.lines.shift();
    return this.lines;
  }

  private element(element: HTMLElement, looks: Looks, kept: boolean): void {
    const style = element.style ?? ({} as CSSStyleDeclaration);
    if (SILENT.test(element.tagName) || style.display === "none") return;
    if (element.tagName === "BR") {
      // Chromium ends what is copied with one.
      if (!element.classList.contains("Apple-interchange-newline")) this.breakLine();
      return;
    }
    const keeps = style.whiteSpace === "" || style.whiteSpace === undefined ? kept : style.whiteSpace.startsWith("pre");
    const inside = looksOf(element, style, looks);
    if (!BLOCKS.test(element.tagName)) {
      this.read(element, inside, keeps);
      return;
    }
    if (this.line.length > 0) this.breakLine();
    const before = this.lines.length;
    this.read(element, inside, keeps || element.tagName === "PRE");
    if (this.line.length > 0 || (this.lines.length === before && element.tagName === "P")) this.breakLine();
  }

  private write(source: string, looks: Looks, kept: boolean): void {
    let text = source.replace(/\r\n?/g, "\n");
    if (!kept) {
      text = text.replace(/[ \t\n]+/g, " ");
      const before = this.line.at(-1)?.text ?? " ";
      if (/\s$/.test(before)) text = text.replace(/^ /, "");
    }
    if (text !== "") this.line.push({ text: text.replaceAll("\u00a0", " "), ...looks });
  }

  private breakLine(): void {
    const line = this.line;
    this.line = [];
    const last = line.at(-1);
    if (last) last.text = last.text.trimEnd();
    this.lines.push(line.some(({ text }) => text.trim() !== "") ? line.filter(({ text }) => text !== "") : []);
  }
}

function looksOf(element: HTMLElement, style: CSSStyleDeclaration, around: Looks): Looks {
  const looks = { ...around };
  const tag = TAGS[element.tagName];
  if (tag) looks[tag] = true;
  // Google Docs puts all into a <b> that is not bold: what the style says counts.
  const { fontWeight, fontStyle } = style;
  if (fontWeight) set(looks, "bold", fontWeight === "bold" || fontWeight === "bolder" || Number(fontWeight) >= 600);
  if (fontStyle) set(looks, "italic", fontStyle !== "normal");
  const lines = `${style.textDecoration} ${style.textDecorationLine}`;
  // That links are underlined is not the writer's doing.
  if (/underline/.test(lines) && element.closest("a") === null) looks.underline = true;
  if (/line-through/.test(lines)) looks.strike = true;
  return looks;
}

function set(looks: Looks, mark: Mark, on: boolean): void {
  if (on) looks[mark] = true;
  else delete looks[mark];
}
