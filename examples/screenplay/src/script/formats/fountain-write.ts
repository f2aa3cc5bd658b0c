// Fountain, written: the inverse of reading. A line that would be read as something else is forced (`!`, `.`, `@`, `>`),
// and what Fountain has no sign for is action with a note that says what it is. Blocks without text are left out. Pure.
import { type Block, isBlock, isDual, type ScriptNode, type TitlePage, textOf } from "../types.ts";
import { annotation } from "./annotations.ts";
import { findAsides, parted, withoutAsides } from "./asides.ts";
import { writeLines } from "./emphasis.ts";
import { isAct } from "./fountain-read.ts";
import { HELD_LINE, type Kind, kindOf } from "./grammar.ts";
import { readTitlePage, titled, titlePageOf, writeTitlePage } from "./title-page.ts";

/** `titlePage`: what stands there, where that is not in the script itself. */
export function toFountain(script: readonly ScriptNode[], title?: string, titlePage?: TitlePage): string {
  const entries = titled(titlePage ?? titlePageOf(script), title);
  const writer = new Writer();
  for (const [index, node] of script.entries()) {
    if (isDual(node)) {
      const [left = [], right = []] = node.children.map((column) => column.children.filter(hasWords));
      const beside = isSpeech(left) && isSpeech(right);
      left.forEach((block, at) => void writer.add(block, left[at + 1], false));
      right.forEach((block, at) => void writer.add(block, right[at + 1], beside && at === 0));
      for (const column of node.children.slice(2))
        for (const block of column.children) writer.add(block, undefined, false);
    } else writer.add(node, nextWords(script, index), false);
  }
  const text = writer.text();
  // A script without a title page may begin as one does: with a note that says nothing, it does not.
  const page = readTitlePage(text).lines > 0 ? "[[]]" : "";
  const parts = [entries.length > 0 ? writeTitlePage(entries).join("\n") : page, text];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

const hasWords = (block: Block): boolean => textOf(block).trim() !== "" || block.startsNewPage === true;

function nextWords(script: readonly ScriptNode[], index: number): Block | undefined {
  const next = script.slice(index + 1, index + 9).find((node) => isDual(node) || hasWords(node));
  return isBlock(next) ? next : undefined;
}

function isSpeech(blocks: readonly Block[]): boolean {
  const [cue, ...spoken] = blocks;
  return cue?.type === "character" && spoken.length > 0 && spoken.every((block) => isSpoken(block));
}

/** Whether the block can stand directly below a cue. */
const isSpoken = (block: Block | undefined): boolean => block !== undefined && spokenText(block) !== null;

class Writer {
  private written = "";
  /** What the last block was, if it belongs to a speech. */
  private spoken: Block["type"] | null = null;

  text(): string {
    return this.written;
  }

  add(block: Block, next: Block | undefined, beside: boolean): void {
    if (block.startsNewPage) this.part("===");
    if (textOf(block).trim() === "") return;
    const spoken = this.spoken && !block.startsNewPage ? spokenText(block) : null;
    if (spoken !== null) {
      // Two of a kind would be read as one.
      this.written += this.spoken === block.type && block.type !== "parenthetical" ? "\n[[]]\n" : "\n";
      this.written += spoken;
      this.spoken = block.type;
    } else if (block.type === "character") {
      const cue = cueText(block, isSpoken(next), beside);
      this.part(cue ?? annotatedText(block));
      if (cue !== null) this.spoken = "character";
    } else this.part(blockText(block) ?? annotatedText(block));
  }

  /** With an empty line above. */
  private part(text: string): void {
    this.written += this.written === "" ? text : `\n\n${text}`;
    this.spoken = null;
  }
}

const bareOf = (line: string): string => withoutAsides(line).trim();
const is = (kind: Kind, line: string): boolean => kindOf(bareOf(line), true, false) === kind;

/** The lines of the block, with what is said about it in notes at the end. */
function linesOf(block: Block, says: Parameters<typeof annotation>[0] = {}): string[] {
  const lines = writeLines(block.children);
  const align = block.align;
  const note = annotation({ ...(align && { align }), ...(block.color && { color: block.color }), ...says });
  return lines.with(-1, `${lines.at(-1)}${note}`);
}

/** Any block as action. */
function annotatedText(block: Block): string {
  const { type, depth, sceneNumber } = block;
  const number = sceneNumber && type === "scene_heading" && /^[^\s\]]+$/.test(sceneNumber) ? { sceneNumber } : {};
  return actionText(linesOf(block, { type, ...number, ...(depth && type === "section" && { depth }) }));
}

function actionText(lines: readonly string[]): string {
  const forced = lines.map((line, index) => {
    const bare = bareOf(line);
    const kind = kindOf(bare, index === 0, lines.length > 1);
    const plain = kind === "action" || (kind === "blank" && index > 0 && line.trim() !== "");
    return plain && !bare.startsWith("!") ? line : `!${line}`;
  });
  return forced.join("\n");
}

/** `null`: it cannot be told from something else, and has to be annotated. */
function blockText(block: Block): string | null {
  const { type } = block;
  if (type === "action") return block.align === "center" ? centredText(block, type) : actionText(linesOf(block));
  if (type === "new_act" || type === "end_of_act") return centredText(block, type);
  if (type === "note" || type === "boneyard") return asideText(block);
  if (type === "lyrics") return lyricsText(block);
  if (type === "general") {
    // As notes were kept by an earlier version.
    const text = textOf(block).trim();
    return isOneAside(text) ? text : null;
  }
  const [line = "", ...more] = linesOf(block);
  if (more.length > 0) return null;
  if (type === "scene_heading") return headingText(block);
  if (type === "shot") return is("shot", line) ? line : null;
  if (type === "summary") return is("synopsis", `= ${line}`) ? `= ${line}` : null;
  if (type === "section") {
    const signs = "#".repeat(block.depth ?? 1);
    return is("section", `${signs} ${line}`) && !bareOf(line).startsWith("#") ? `${signs} ${line}` : null;
  }
  if (type === "transition") {
    if (is("transition", line) && !bareOf(line).startsWith(">")) return line;
    const { before, core, after } = parted(line);
    const forced = `> ${before}${core.replace(/<$/, "\\<")}${after}`;
    return is("transition", forced) ? forced : null;
  }
  return null;
}

function centredText(block: Block, type: Block["type"]): string | null {
  const { align: _, ...rest } = block;
  const lines = linesOf(rest).map((line) => `> ${line} <`);
  if (!lines.every((line) => is("centered", line))) return null;
  // By their words, these are told from other lines that are centred.
  const text = writeLines(block.children).join("\n");
  const read = /^END OF\b.*$/i.test(text) ? "end_of_act" : isAct(text) ? "new_act" : "action";
  return read === type && (type === "action" || block.align === undefined) ? lines.join("\n") : null;
}

function asideText(block: Block): string | null {
  if (block.align) return null;
  if (block.type === "boneyard") {
    const text = textOf(block).trim();
    const cut = text.includes("\n") ? `/*\n${text}\n*/` : `/* ${text} */`;
    return isOneAside(cut) ? cut : null;
  }
  const lines = writeLines(block.children).map((line) => (line.trim() === "" ? HELD_LINE : line));
  const note = `[[${lines.join("\n").trim()}]]`;
  return isOneAside(note) && !/^\[\[\/?strike\]\]$/.test(note) ? note : null;
}

function isOneAside(text: string): boolean {
  const [first, ...more] = findAsides(text);
  return first?.start === 0 && first.end === text.length && more.length === 0;
}

function headingText(block: Block): string | null {
  const { sceneNumber, color, ...rest } = block;
  const [line = ""] = linesOf(rest);
  const { before, core, after } = parted(line);
  // Where it ends as a number does, it is not to be taken for one.
  const words = `${before}${sceneNumber ? core : core.replace(/#$/, "\\#")}${after}`;
  const end = `${sceneNumber ? ` #${sceneNumber}#` : ""}${annotation(color ? { color } : {})}`;
  if (sceneNumber && !/^[\p{L}\p{N}.–-]+$/u.test(sceneNumber)) return null;
  if (is("heading", words) && !bareOf(words).startsWith(".")) return words + end;
  const forced = `${before}.${words.slice(before.length)}`;
  return is("heading", forced) ? forced + end : null;
}

function cueText(block: Block, followed: boolean, beside: boolean): string | null {
  const [line = "", ...more] = linesOf(block);
  if (more.length > 0 || bareOf(line) === "") return null;
  const { before, core, after } = parted(line);
  const name = `${before}${core.replace(/\^$/, "\\^")}${after}`;
  const told = kindOf(bareOf(name), true, followed) === "cue" && !bareOf(name).startsWith("@");
  const cue = told ? name : `${before}@${name.slice(before.length)}`;
  return kindOf(bareOf(cue), true, followed) === "cue" ? `${cue}${beside ? " ^" : ""}` : null;
}

function lyricsText(block: Block): string | null {
  const lines = linesOf(block).map((line) => `~${line}`);
  return lines.every((line) => is("lyrics", line)) ? lines.join("\n") : null;
}

/** The block as it stands below a cue; `null` for what cannot. */
function spokenText(block: Block): string | null {
  if (block.startsNewPage || textOf(block).trim() === "") return null;
  if (block.type === "lyrics") return lyricsText(block);
  const lines = linesOf(block);
  if (block.type === "parenthetical") {
    // A parenthesis that closes on an earlier line would close it.
    const first = lines.slice(0, -1);
    return first.some((line) => line.includes(")") || line.trim() === "") ? null : `(${lines.join("\n")})`;
  }
  return block.type === "dialogue" ? lines.map(dialogueLine).join("\n") : null;
}

function dialogueLine(line: string): string {
  if (line.trim() === "") return HELD_LINE;
  const { before, core, after } = parted(line);
  const kind = kindOf(core, false, false);
  const aside = core.startsWith("(") && (core.endsWith(")") || !core.includes(")"));
  return kind === "lyrics" || kind === "page_break" || aside ? `${before}\\${core}${after}` : line;
}
