// Fountain, read. No line is lost: what is no element of its own is action, what goes wrong makes the whole file plain
// text, and what the script has no place for is listed. Pure; nothing is kept between two calls.

import { ELEMENTS } from "../elements.ts";
import { type Block, type BlockType, type Column, isBlock, isDual, type Script, textOf } from "../types.ts";
import { annotated } from "./annotations.ts";
import { parted } from "./asides.ts";
import { readEmphasis } from "./emphasis.ts";
import { cleaned, HELD_LINE, isBlank, kindOf, type Line, linesOf } from "./grammar.ts";
import type { LeftOut, NamedScript } from "./named.ts";
import { readTitlePage, titleOf } from "./title-page.ts";

export function fromFountain(source: string, newId: () => string): NamedScript {
  const leftOut: LeftOut[] = [];
  const text = cleaned(source, leftOut);
  const { entries, lines } = readTitlePage(text);
  const body = lines === 0 ? text : text.split("\n").slice(lines).join("\n");
  const script = readBody(body, newId, leftOut, lines + 1);
  if (entries.length > 0) {
    if (script.length === 0) script.push({ id: newId(), type: "action", children: [{ text: "" }] });
    const [first] = script;
    const block = isDual(first) ? first.children[0]?.children[0] : first;
    if (block) block.titlePage = entries;
  }
  return { title: titleOf(entries), script, leftOut };
}

/** A part of a script, which has no title page: "Notes: call Mara" at its beginning is a line as any other. */
export function fountainLines(source: string, newId: () => string): Script {
  return readBody(cleaned(source, []), newId, [], 1);
}

function readBody(source: string, newId: () => string, leftOut: LeftOut[], firstNumber: number): Script {
  const before = leftOut.length;
  try {
    return new Reader(linesOf(source, firstNumber), newId, leftOut).read();
  } catch {
    leftOut.splice(before, leftOut.length, { line: 0, text: "", reason: "it could be read as plain text only" });
    return plainText(source, newId);
  }
}

/** Each paragraph as action, as it stands. */
export function plainText(source: string, newId: () => string): Script {
  const paragraphs = source
    .split(/\n(?:[^\S\n]*\n)+/)
    .map((text) => text.replace(/^\n|\n$/g, ""))
    .filter((text) => text.trim() !== "");
  return paragraphs.map((text) => ({ id: newId(), type: "action", children: [{ text }] }));
}

/** The line without its sign, at the one end or the other; notes may stand outside of it. */
function unsigned(text: string, start: RegExp, end?: RegExp): string {
  const { before, core, after } = parted(text);
  const words = core.replace(start, "");
  return `${before}${end ? words.replace(end, "") : words}${after}`.trim();
}

const isSpoken = (node: unknown): boolean =>
  isBlock(node) && (node.type === "dialogue" || node.type === "parenthetical" || node.type === "lyrics");

/** Reads one text once. */
class Reader {
  private readonly script: Script = [];
  private at = 0;
  /** A page break was read that nothing stands behind yet. */
  private newPage = false;

  constructor(
    private readonly lines: readonly Line[],
    private readonly newId: () => string,
    private readonly leftOut: LeftOut[],
  ) {}

  read(): Script {
    while (this.at < this.lines.length) this.readElement(this.lines[this.at] as Line);
    if (this.newPage) this.add("action", "");
    return this.script;
  }

  private add(type: BlockType, text: string, properties: Partial<Block> = {}): void {
    this.script.push(this.block(type, text, properties));
  }

  private block(type: BlockType, source: string, properties: Partial<Block> = {}): Block {
    const { text, properties: told } = annotated(source, type);
    // What was cut is kept as it stands.
    const children = type === "boneyard" ? [{ text: source }] : readEmphasis(text);
    const block = { id: this.newId(), type, children, ...properties, ...told };
    // What is not printed begins no page: what follows it does.
    if (!this.newPage || !ELEMENTS[block.type].printed) return block;
    this.newPage = false;
    return { ...block, startsNewPage: true };
  }

  /** A line above which nothing stands, or only what stands for itself. */
  private readElement(line: Line): void {
    if (line.aside) {
      this.at += 1;
      this.readAside(line);
      return;
    }
    if (isBlank(line)) {
      this.at += 1;
      return;
    }
    const kind = kindOf(line.bare, true, this.followed());
    const text = line.text.trim();
    if (kind === "action" || kind === "blank") {
      this.readAction();
      return;
    }
    if (kind === "lyrics" || kind === "centered") {
      this.readRun(kind);
      return;
    }
    this.at += 1;
    if (kind === "cue") this.readSpeech(line);
    else if (kind === "heading") this.readHeading(text);
    else if (kind === "shot") this.add("shot", text);
    else if (kind === "transition") this.add("transition", unsigned(text, /^>\s*/));
    else if (kind === "synopsis") this.add("summary", unsigned(text, /^=\s*/));
    else if (kind === "section") {
      const depth = /^#+/.exec(parted(text).core)?.[0].length ?? 1;
      this.add("section", unsigned(text, /^#+\s*/), depth > 1 ? { depth } : {});
    } else this.readPageBreak(line);
  }

  private followed(): boolean {
    const next = this.lines[this.at + 1];
    return !isBlank(next) || next?.text === HELD_LINE;
  }

  private readAside(line: Line): void {
    const text = line.text.trim();
    const inside = text.slice(2, -2).trim();
    if (inside === "" && text !== "[[]]") this.leave(line, "there is nothing in it");
    if (inside === "") return;
    if (text.startsWith("/*")) this.add("boneyard", inside);
    else this.add("note", inside.replaceAll(/^[^\S\n]+$/gm, ""));
  }

  private readPageBreak(line: Line): void {
    if (this.newPage) this.add("action", "");
    this.newPage = true;
    // Beside it there can only be notes.
    const rest = line.text.replace(/={3,}/, "").trim();
    if (rest !== "") this.add("action", rest);
  }

  private readHeading(line: string): void {
    const { before, core, after } = parted(line);
    const [numbered, number] = /\s*(?<!\\)#([\p{L}\p{N}.–-]+)#$/u.exec(core) ?? ["", undefined];
    const words = core.slice(0, core.length - numbered.length).replace(/^\.(?=[^.\s])/, "");
    // A heading is told by what it begins with: a note that clings to it comes behind it, as it does from FDX.
    const clings = before !== "" && !/\s$|\[\[strike\]\]/.test(before);
    const text = (clings ? `${words}${after} ${before.trim()}` : `${before}${words}${after}`).trim();
    this.add("scene_heading", text, number === undefined ? {} : { sceneNumber: number });
  }

  /** Lines of action, until there is a blank one or one that stands for itself. */
  private readAction(): void {
    const first = this.lines[this.at] as Line;
    const lines: string[] = [];
    for (let line = this.lines[this.at]; line && !isBlank(line); line = this.lines[this.at]) {
      const kind = kindOf(line.bare, false, false);
      if (lines.length > 0 && kind !== "action" && kind !== "blank") break;
      const forced = /^(\s*)!(?=[\s\S])/.exec(line.text) ?? (lines.length > 0 ? /^(\s*)!$/.exec(line.text) : null);
      // Alone it forces nothing; above other lines it is one with nothing on it.
      const empty = lines.length === 0 && line.text === "!" && this.followed();
      lines.push(forced ? `${forced[1]}${line.text.slice(forced[0].length)}` : empty ? "" : line.text);
      this.at += 1;
    }
    const text = lines.join("\n");
    if (textOf({ children: readEmphasis(text) }).trim() === "") this.leave(first, "there is nothing in it");
    else this.add("action", text);
  }

  /** Lyrics or centred lines that follow each other are one element. */
  private readRun(kind: "lyrics" | "centered"): void {
    const lines: string[] = [];
    for (let line = this.lines[this.at]; line && kindOf(line.bare, true, false) === kind; line = this.lines[this.at]) {
      const text = line.text.trim();
      lines.push(kind === "lyrics" ? unsigned(text, /^~\s*/) : unsigned(text, /^>\s*/, /\s*<$/));
      this.at += 1;
    }
    const text = lines.join("\n");
    if (kind === "lyrics") this.add("lyrics", text);
    else if (/^END OF\b.*$/i.test(text)) this.add("end_of_act", text);
    else if (isAct(text)) this.add("new_act", text);
    else this.add("action", text, { align: "center" });
  }

  private readSpeech(line: Line): void {
    const dual = /(?<!\\)\^$/.test(line.bare);
    const name = unsigned(line.text, /^@\s*/, dual ? /\s*\^$/ : undefined);
    const speech = [this.block("character", name)];
    this.readSpoken(speech);
    const before = dual && speech.length > 1 && !speech[0]?.startsNewPage ? this.speechBefore() : 0;
    if (dual && before === 0) this.leave({ ...line, text: "^" }, "no two speeches are there to stand side by side");
    if (before === 0) {
      this.script.push(...speech);
      return;
    }
    const first = this.script.splice(-before) as Block[];
    const column = (children: Block[]): Column => ({ id: this.newId(), type: "column", children });
    this.script.push({ id: this.newId(), type: "dualDialogueBlock", children: [column(first), column(speech)] });
  }

  /** How many of the last nodes are one speech; 0: the last thing is none. */
  private speechBefore(): number {
    let start = this.script.length - 1;
    while (start >= 0 && isSpoken(this.script[start])) start -= 1;
    const cue = this.script[start];
    const length = this.script.length - start;
    return isBlock(cue) && cue.type === "character" && length > 1 ? length : 0;
  }

  /** What is said under a cue, up to the next empty line. */
  private readSpoken(speech: Block[]): void {
    let open: { type: BlockType; lines: string[] } | null = null;
    const close = () => {
      const text = open?.lines.join("\n") ?? "";
      if (open && text.trim() !== "") speech.push(this.block(open.type, text));
      open = null;
    };
    const write = (type: BlockType, text: string) => {
      if (open?.type !== type) close();
      open ??= { type, lines: [] };
      open.lines.push(text);
    };
    for (let line = this.lines[this.at]; line; line = this.lines[this.at]) {
      if (line.text === HELD_LINE) write("dialogue", "");
      else if (isBlank(line) || kindOf(line.bare, false, false) === "page_break") break;
      else if (line.text.trim() === "[[]]") close();
      else {
        const text = line.text.trimStart();
        const aside = this.parenthetical();
        if (aside !== null) {
          close();
          speech.push(this.block("parenthetical", aside));
          continue;
        }
        if (kindOf(line.bare, false, false) === "lyrics") write("lyrics", unsigned(text, /^~\s*/));
        else write("dialogue", text);
      }
      this.at += 1;
    }
    close();
  }

  /** A parenthetical that begins here, and may go over several lines of the speech. It is taken. */
  private parenthetical(): string | null {
    const lines: string[] = [];
    for (let at = this.at; !isBlank(this.lines[at]); at += 1) {
      const { text, bare } = this.lines[at] as Line;
      if (at === this.at && !bare.startsWith("(")) return null;
      lines.push(text.trim());
      if (bare.endsWith(")")) {
        this.at = at + 1;
        return unsigned(lines.join("\n"), /^\(/, /\)$/);
      }
      // "(She laughs.) No." is said.
      if (bare.includes(")")) return null;
    }
    return null;
  }

  private leave(line: Line, reason: string): void {
    this.leftOut.push({ line: line.number, text: line.text.trim(), reason });
  }
}

/** Whether a centred line names an act: `ACT TWO`, `TEASER`. */
export function isAct(text: string): boolean {
  return /^(?:ACT (?:\p{L}+|\d+)|TEASER|COLD OPEN|TAG)$/iu.test(text);
}
