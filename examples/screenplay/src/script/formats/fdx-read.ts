// FDX, read with the browser's own XML parser. What the script has no place for is listed, with the line it stands in;
// a file that is broken in the midst still gives its words.
import {
  type Block,
  type BlockType,
  type Column,
  type FormattedText,
  MARKS,
  type Mark,
  type Script,
  type ScriptNode,
  textOf,
} from "../types.ts";
import { COLOR } from "./annotations.ts";
import { tidied, writeEmphasis } from "./emphasis.ts";
import { alignOf, CUT_NAME, TYPES, usualAlign } from "./fdx-elements.ts";
import { isId, readLockedPages, readRevisions } from "./fdx-revisions.ts";
import { readFdxTitlePage } from "./fdx-title-page.ts";
import { toFountain } from "./fountain-write.ts";
import { cleaned, HELD_LINE } from "./grammar.ts";
import { FormatError, type LeftOut, type NamedScript } from "./named.ts";
import { titleOf } from "./title-page.ts";

const REFUSED = "This is not a Final Draft file.";

export function fromFdx(source: string, newId: () => string): NamedScript {
  const leftOut: LeftOut[] = [];
  const clean = cleaned(source, leftOut);
  const xml = new DOMParser().parseFromString(clean, "application/xml");
  if (xml.querySelector("parsererror")) return { title: null, script: salvaged(clean, newId, leftOut), leftOut };
  const content = xml.querySelector("FinalDraft > Content");
  if (!content) throw new FormatError(REFUSED);
  try {
    return readDocument(new Reader(xml, clean, newId, leftOut), content, newId, leftOut);
  } catch {
    return { title: null, script: salvaged(clean, newId, leftOut), leftOut };
  }
}

function readDocument(reader: Reader, content: Element, newId: () => string, leftOut: LeftOut[]): NamedScript {
  const script = reader.read(content);
  const part = (name: string) => content.parentElement?.querySelector(`:scope > ${name}`) ?? null;
  readLockedPages(part("LockedPages"), script);
  const revisions = readRevisions(part("Revisions"), script);
  const begin = firstBlock(script);
  if (begin && revisions.length > 0) begin.revisions = revisions;
  const titlePage = content.parentElement?.querySelector(":scope > TitlePage > Content") ?? null;
  const entries = readFdxTitlePage(titlePage, (paragraph) => reader.leavesOf(paragraph, false));
  if (entries.length > 0) {
    if (script.length === 0) script.push({ id: newId(), type: "action", children: [{ text: "" }] });
    const first = firstBlock(script);
    if (first) first.titlePage = entries;
  }
  reader.leaveTheRest();
  return { title: titleOf(entries), script, leftOut };
}

function firstBlock([first]: Script): Block | undefined {
  return first?.type === "dualDialogueBlock" ? first.children[0]?.children[0] : first;
}

/** The words of a file that is no XML any more, paragraph by paragraph. */
function salvaged(source: string, newId: () => string, leftOut: LeftOut[]): Script {
  const script: Script = [];
  if (!source.includes("<FinalDraft")) throw new FormatError(REFUSED);
  for (const [, attributes = "", inside = ""] of source.matchAll(
    /<Paragraph\b([^>]*)>([\s\S]*?)(?=<\/?Paragraph\b|$)/g,
  )) {
    const words = [...inside.matchAll(/<Text\b[^>]*>([^<]*)/g)].map(([, text = ""]) => text).join("");
    const name = /\bType="([^"]*)"/.exec(attributes)?.[1] ?? "";
    const type = TYPES.get(name.toLowerCase()) ?? "general";
    if (words.trim() !== "") script.push({ id: newId(), type, children: tidied([{ text: unescaped(words) }]) });
  }
  if (script.length === 0) throw new FormatError(REFUSED);
  leftOut.push({ line: 0, text: "", reason: "the file is damaged: only the words of its paragraphs could be read" });
  return script;
}

function unescaped(text: string): string {
  const signs: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => signs[name] ?? "");
}

export function childrenOf(element: Element, name: string): Element[] {
  return [...element.children].filter((child) => child.tagName === name);
}

const MADE_ANEW = "ElementSettings, SmartType";

function* textsIn(node: Node): Generator<Node> {
  if (node.nodeType === 3 || node.nodeType === 4) yield node;
  for (const child of node.childNodes) yield* textsIn(child);
}

/** Of a file: those that are read, and those that are made anew when it is written. */
const PARTS = new Set(["Content", "TitlePage", "ScriptNotes", "ElementSettings", "SmartType"]);

/** Reads one file once. */
class Reader {
  /** The lines in which the paragraphs of the file begin, in their order. */
  private readonly numbers = new Map<Element, number>();
  private readonly root: Node;
  private readonly told = new Set<Node>();

  constructor(
    xml: Document,
    source: string,
    private readonly newId: () => string,
    private readonly leftOut: LeftOut[],
  ) {
    this.root = xml;
    const paragraphs = xml.getElementsByTagName("Paragraph");
    let index = 0;
    let line = 1;
    let from = 0;
    for (const { index: at } of source.matchAll(/<Paragraph[\s/>]/g)) {
      for (let end = source.indexOf("\n", from); end >= 0 && end < at; end = source.indexOf("\n", from)) {
        line += 1;
        from = end + 1;
      }
      const paragraph = paragraphs.item(index);
      if (paragraph) this.numbers.set(paragraph, line);
      index += 1;
    }
  }

  read(content: Element): Script {
    const script: Script = [];
    for (const child of content.children) {
      if (child.tagName !== "Paragraph") {
        this.leaveAll(child);
        continue;
      }
      script.push(...this.readNodes(child));
    }
    for (const note of content.parentElement?.querySelectorAll(":scope > ScriptNotes > ScriptNote") ?? []) {
      script.push(this.readNote(note));
    }
    for (const part of content.parentElement?.children ?? []) {
      if (!PARTS.has(part.tagName) && part.textContent?.trim()) this.leaveAll(part);
    }
    return script;
  }

  private readNodes(paragraph: Element): ScriptNode[] {
    const [dual] = childrenOf(paragraph, "DualDialogue");
    return dual ? this.readDual(paragraph, dual) : this.readParagraph(paragraph);
  }

  private readDual(paragraph: Element, dual: Element): ScriptNode[] {
    const columns: Column[] = [];
    for (const child of childrenOf(dual, "Paragraph")) {
      for (const block of this.readParagraph(child)) {
        // The second cue begins the second column.
        if (columns.length === 0 || (block.type === "character" && columns.length === 1)) {
          columns.push({ id: this.newId(), type: "column", children: [] });
        }
        columns.at(-1)?.children.push(block);
      }
    }
    const first = columns[0]?.children[0];
    if (first && paragraph.getAttribute("StartsNewPage") === "Yes") first.startsNewPage = true;
    if (columns.length === 2) return [{ id: this.newId(), type: "dualDialogueBlock", children: columns }];
    return columns.flatMap((column) => column.children);
  }

  /** A heading's summary is a block of its own below it. */
  private readParagraph(paragraph: Element): Block[] {
    const name = paragraph.getAttribute("Type") ?? "";
    const [, depth] = /^outline ([1-9])$/i.exec(name) ?? [];
    const type: BlockType = depth ? "section" : (TYPES.get(name.toLowerCase()) ?? "general");
    if (type === "general" && name !== "" && name !== "General") {
      this.leave(paragraph, name, "no such element here: the paragraph is a general one");
    }
    const note = this.onlyNote(paragraph, type);
    const block = note ? this.readNote(note) : this.block(type, this.leavesOf(paragraph));
    if (type === "scene_heading") notesBehind(block.children);
    if (type === "parenthetical") stripParentheses(block.children);
    if (Number(depth) > 1) block.depth = Number(depth);
    const number = paragraph.getAttribute("Number");
    if (number && type === "scene_heading") block.sceneNumber = number;
    const align = alignOf(paragraph.getAttribute("Alignment"));
    if (align && align !== usualAlign(type)) block.align = align;
    if (paragraph.getAttribute("StartsNewPage") === "Yes") block.startsNewPage = true;
    const others = childrenOf(paragraph, "SceneProperties").flatMap((scene) => this.readScene(scene, block));
    return [block, ...others, ...childrenOf(paragraph, "OmittedScene").map((omitted) => this.readOmitted(omitted))];
  }

  private block(type: BlockType, children: FormattedText[]): Block {
    return { id: this.newId(), type, children };
  }

  private readScene(scene: Element, block: Block): Block[] {
    const color = scene.getAttribute("Color");
    if (color && COLOR.test(color) && block.type === "scene_heading") block.color = shortColor(color);
    const title = scene.getAttribute("Title");
    if (title) this.leave(scene, title, "no place for the title of a scene");
    const [summary] = childrenOf(scene, "Summary");
    if (!summary) return [];
    return childrenOf(summary, "Paragraph").map((paragraph) => {
      const read = this.block("summary", this.leavesOf(paragraph));
      const align = alignOf(paragraph.getAttribute("Alignment"));
      if (align && align !== "left") read.align = align;
      return read;
    });
  }

  /** A scene that was left out of the film: what was in it, as Fountain. */
  private readOmitted(omitted: Element): Block {
    const blocks = childrenOf(omitted, "Paragraph").flatMap((paragraph) => this.readNodes(paragraph));
    return this.block("boneyard", [{ text: toFountain(blocks).trim() }]);
  }

  /** The note of a general paragraph that has nothing else. */
  private onlyNote(paragraph: Element, type: BlockType): Element | undefined {
    const notes = childrenOf(paragraph, "ScriptNote");
    const words = childrenOf(paragraph, "Text").some((text) => text.textContent !== "");
    return type === "general" && notes.length === 1 && !words ? notes[0] : undefined;
  }

  private readNote(note: Element): Block {
    const children = this.noteLeaves(note);
    if (isCut(note)) return this.block("boneyard", [{ text: textOf({ children }) }]);
    return this.block("note", tidied(children));
  }

  private noteLeaves(note: Element): FormattedText[] {
    const leaves: FormattedText[] = [];
    for (const [index, paragraph] of childrenOf(note, "Paragraph").entries()) {
      const line = this.leavesOf(paragraph, false);
      const last = leaves.at(-1);
      // The break looks as what it stands between.
      const like = MARKS.filter((mark) => last?.[mark] && (line[0] ?? last)[mark]);
      if (index > 0) leaves.push({ ...Object.fromEntries(like.map((mark) => [mark, true])), text: "\n" });
      leaves.push(...line);
    }
    this.leaveAttributes(note, isCut(note) ? ["Color", "WriterName"] : ["Color", "WriterName", "Name"]);
    return leaves;
  }

  leavesOf(paragraph: Element, tidy = true): FormattedText[] {
    const leaves: FormattedText[] = [];
    for (const child of paragraph.children) {
      if (child.tagName === "Text") this.readText(child, leaves);
      else if (child.tagName === "ScriptNote") leaves.push(this.inlineNote(child));
      else if (!["SceneProperties", "OmittedScene", "DualDialogue", "TabStops"].includes(child.tagName)) {
        this.leaveAll(child);
      }
    }
    const filled = leaves.filter((leaf) => leaf.text !== "");
    return tidy ? tidied(filled) : filled;
  }

  private readText(text: Element, leaves: FormattedText[]): void {
    const styles = (text.getAttribute("Style") ?? "").toLowerCase().split("+");
    const marks = Object.fromEntries(
      MARKS.filter((mark) => styles.includes(STYLES[mark])).map((mark) => [mark, true] as const),
    );
    for (const style of styles) {
      // Capitals by style: how it is typed is kept, and headings and cues have them anyway.
      if (style !== "" && !Object.values(STYLES).includes(style)) {
        this.leave(text, text.textContent ?? "", `no such style here: ${style}`);
      }
    }
    this.leaveAttributes(text, ["Background"]);
    const id = Number(text.getAttribute("RevisionID") ?? 0);
    const kept = isId(id) ? { ...marks, revision: id } : marks;
    for (const child of text.childNodes) {
      if ((child as Element).tagName !== "ScriptNote") this.tell(child);
      if (child.nodeType !== 1) leaves.push({ text: child.nodeValue ?? "", ...kept });
      else if ((child as Element).tagName === "ScriptNote") leaves.push(this.inlineNote(child as Element));
      else leaves.push({ text: child.textContent ?? "", ...kept });
    }
  }

  /** In the midst of other text it stands with its signs. */
  private inlineNote(note: Element): FormattedText {
    const children = this.noteLeaves(note);
    const words = children.filter((leaf) => leaf.text.trim() !== "");
    const all = words.length > 0 ? words : children;
    const marks = MARKS.filter((mark) => all.length > 0 && all.every((leaf) => leaf[mark]));
    const look = Object.fromEntries(marks.map((mark) => [mark, true]));
    if (isCut(note)) return { ...look, text: `/*${textOf({ children })}*/` };
    const mixed = MARKS.some((mark) => all.some((leaf) => leaf[mark]) && !marks.includes(mark));
    // A look of its own is written as Fountain has it; of the whole note, it is that of the text it stands in.
    const text = mixed ? writeEmphasis(children.map(({ strike: _, ...leaf }) => leaf)) : textOf({ children });
    // A line without anything would end the note.
    return { ...(mixed ? {} : look), text: `[[${text.replaceAll(/(?<=\n)[^\S\n]?(?=\n)/g, HELD_LINE)}]]` };
  }

  private leaveAttributes(element: Element, names: readonly string[]): void {
    for (const name of names) {
      const value = element.getAttribute(name);
      if (value) this.leave(element, `${name}="${value}"`, `no place for it in <${element.tagName}>`);
    }
  }

  /** Words that stand where no others do, as between two paragraphs of a note. */
  leaveTheRest(): void {
    for (const node of textsIn(this.root)) {
      const parent = node.parentElement;
      if (this.told.has(node) || !parent || !node.nodeValue?.trim()) continue;
      if (!parent.closest(MADE_ANEW)) this.leave(parent, node.nodeValue, `no place for it in <${parent.tagName}>`);
    }
  }

  private leaveAll(element: Element): void {
    this.tell(element);
    this.leave(element, element.textContent ?? "", `no place for <${element.tagName}>`);
  }

  /** The words are in the script by now, or among what is left out. */
  private tell(node: Node): void {
    for (const text of textsIn(node)) this.told.add(text);
  }

  private leave(element: Element, text: string, reason: string): void {
    const paragraph = element.closest("Paragraph");
    this.leftOut.push({ line: (paragraph && this.numbers.get(paragraph)) ?? 0, text: text.trim(), reason });
  }
}

export const STYLES: Record<Mark, string> = {
  bold: "bold",
  italic: "italic",
  underline: "underline",
  strike: "strikeout",
};

/** `#FFFF00007F7F` says no more than `#ff007f`. */
function shortColor(color: string): string {
  const doubled = /^#(..)\1(..)\2(..)\3$/.exec(color);
  return (doubled ? `#${doubled[1]}${doubled[2]}${doubled[3]}` : color).toLowerCase();
}

const isCut = (note: Element): boolean => note.getAttribute("Name") === CUT_NAME;

/** A heading is told by what it begins with: notes that stand before it come after it. */
function notesBehind(leaves: FormattedText[]): void {
  const [first, second] = leaves;
  if (!first?.aside || !second || /^\s/.test(second.text)) return;
  leaves.push({ text: " " }, leaves.shift() as FormattedText);
  leaves.splice(0, leaves.length, ...tidied(leaves));
}

function stripParentheses(leaves: FormattedText[]): void {
  const first = leaves[0];
  const last = leaves.at(-1);
  if (!first?.text.startsWith("(") || !last?.text.endsWith(")") || (first === last && first.text.length < 2)) return;
  first.text = first.text.slice(1);
  last.text = last.text.slice(0, -1);
  const filled = leaves.filter((leaf) => leaf.text !== "");
  leaves.splice(0, leaves.length, ...(filled.length > 0 ? filled : [{ text: "" }]));
}
