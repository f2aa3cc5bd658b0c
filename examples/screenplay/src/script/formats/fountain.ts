// Fountain, the plain text format for screenplays: reading (with the fountain-js parser) and writing. Pure.
// What Fountain has no element for is written as its nearest relative: shot, general and cast list as action. What it has
// and a script here has not becomes a general line that is written as it was read: notes, and what was cut (boneyard)
// where it stands alone. Lost are page breaks, the depth of sections, and that something is a lyric.
import { Fountain } from "fountain-js";
import { looksLikeHeading, looksLikeTransition } from "../elements.ts";
import {
  type Block,
  type BlockType,
  blocksOf,
  type Column,
  type FormattedText,
  isDual,
  type Script,
  type ScriptNode,
  type TitlePage,
  textOf,
} from "../types.ts";
import { readEmphasis, writeEmphasis } from "./emphasis.ts";

export interface NamedScript {
  title: string | null;
  script: Script;
}

export function fromFountain(source: string, newId: () => string): NamedScript {
  const cut: string[] = [];
  const { tokens = [] } = new Fountain().parse(marked(source.replaceAll("\r\n", "\n"), cut), true);
  const script: Script = [];
  let title: string | null = null;
  const titlePage: TitlePage = {};
  let columns: Column[] | null = null;
  for (const { type, text = "", is_title, scene_number } of tokens) {
    if (is_title) {
      if (type === "title") title = plain(text);
      else titlePage[type] = text;
    } else if (type === "dual_dialogue_begin") columns = [];
    else if (type === "dual_dialogue_end") {
      if (columns?.length === 2) script.push({ id: newId(), type: "dualDialogueBlock", children: columns });
      else for (const column of columns ?? []) script.push(...column.children);
      columns = null;
    } else if (type === "dialogue_begin") columns?.push({ id: newId(), type: "column", children: [] });
    else {
      const read = readToken(type, restored(text, cut));
      if (!read) continue;
      const block: Block = { id: newId(), ...read, ...(scene_number && { sceneNumber: scene_number }) };
      const column = columns?.at(-1);
      if (column) column.children.push(block);
      else script.push(block);
    }
  }
  const [first] = blocksOf(script);
  if (first && Object.keys(titlePage).length > 0) first.titlePage = titlePage;
  return { title, script };
}

/** What was cut is taken out before the parser, which drops it; a mark that no text contains stands for it. */
function marked(source: string, cut: string[]): string {
  return source.replaceAll("\ue000", "").replace(/(^[^\S\n]*)?\/\*[\s\S]*?\*\//gm, (found, start?: string) => {
    const mark = `\ue000${cut.push(found.trim()) - 1}\ue000`;
    // A line of its own is action, whatever it looks like.
    return start === undefined ? mark : `!${mark}`;
  });
}

function restored(text: string, cut: readonly string[]): string {
  return text.replace(/\ue000(\d+)\ue000/g, (_, index: string) => cut[Number(index)] ?? "");
}

/** Notes and cuts that stand alone: their text is Fountain already. */
const ASIDE = /^(?:\[\[[\s\S]*\]\]|\/\*[\s\S]*\*\/)$/;

/** A part of a script, which has no title page: "Notes: call Mara" at its beginning is a line as any other. */
export function fountainLines(source: string, newId: () => string): Script {
  // A title page can only be what comes first.
  const { script } = fromFountain(`!.\n\n${source}`, newId);
  return script.slice(1);
}

const TYPES: Record<string, BlockType> = {
  scene_heading: "scene_heading",
  action: "action",
  character: "character",
  parenthetical: "parenthetical",
  dialogue: "dialogue",
  lyrics: "dialogue",
  transition: "transition",
  centered: "general",
  section: "new_act",
  synopsis: "summary",
};

const SHOT = /^(?:CLOSE ON|ANGLE ON|INSERT|WIDE ON|BACK TO SCENE|POV)\b[^a-z]*$/;

function readToken(type: string, text: string): { type: BlockType; children: FormattedText[] } | null {
  if (type === "note") return { type: "general", children: [{ text: `[[${text}]]` }] };
  let block = TYPES[type];
  if (!block) return null;
  let line = text;
  if (type === "action" && ASIDE.test(line)) return { type: "general", children: [{ text: line }] };
  if (type === "transition") line = line.replace(/^>\s*/, "");
  if (type === "parenthetical") line = line.replace(/^\(|\)$/g, "");
  if (type === "centered" && /^END OF\b/i.test(line)) block = "end_of_act";
  if (type === "action" && SHOT.test(line)) block = "shot";
  if (type === "action" && looksLikeTransition(line)) block = "transition";
  return { type: block, children: readEmphasis(line) };
}

function plain(text: string): string {
  return readEmphasis(text)
    .map((leaf) => leaf.text)
    .join("");
}

export function titlePageOf(script: readonly ScriptNode[]): TitlePage {
  for (const { titlePage } of blocksOf(script)) if (titlePage) return titlePage;
  return {};
}

function writeTitlePage(title: string | undefined, titlePage: TitlePage): string {
  const entries = [...(title ? [["title", title] as const] : []), ...Object.entries(titlePage)];
  if (entries.length === 0) return "";
  const lines = entries.map(([name, text]) => {
    const label = name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
    return text.includes("\n") ? `${label}:\n    ${text.replaceAll("\n", "\n    ")}` : `${label}: ${text}`;
  });
  return `${lines.join("\n")}\n\n`;
}

/** The script as a Fountain file. Empty lines are left out. */
export function toFountain(script: readonly ScriptNode[], title?: string): string {
  const parts: string[] = [];
  let speaking = false;
  const add = (block: Block, second = false) => {
    if (textOf(block).trim() === "") return;
    // What is spoken follows its cue without an empty line; so it cannot be recognised where there is no cue.
    const spoken = block.type === "dialogue" || block.type === "parenthetical";
    const line = spoken && !speaking ? `!${writeEmphasis(block.children)}` : writeBlock(block, second);
    parts.push(parts.length === 0 ? line : spoken && speaking ? `\n${line}` : `\n\n${line}`);
    speaking = block.type === "character" || (spoken && speaking);
  };
  for (const node of script) {
    if (!isDual(node)) add(node);
    else
      node.children.forEach((column, index) => void column.children.forEach((block) => void add(block, index === 1)));
  }
  return `${writeTitlePage(title, titlePageOf(script))}${parts.join("")}\n`;
}

function writeBlock(block: Block, second: boolean): string {
  const aside = textOf(block).trim();
  if (block.type === "general" && ASIDE.test(aside)) return aside;
  const text = writeEmphasis(block.children);
  const upper = text.toUpperCase();
  switch (block.type) {
    case "scene_heading":
      return (looksLikeHeading(upper) ? upper : `.${upper}`) + (block.sceneNumber ? ` #${block.sceneNumber}#` : "");
    case "character":
      return `${/^[A-Z][A-Z0-9 .'()-]*$/.test(upper) ? upper : `@${upper}`}${second ? " ^" : ""}`;
    case "parenthetical":
      return `(${text})`;
    case "dialogue":
      // A line with nothing in it would end the speech.
      return text.replace(/\n(?=\n|$)/g, "\n  ");
    case "transition":
      return `> ${upper}`;
    case "new_act":
      return `# ${text}`;
    case "end_of_act":
      return `> ${text} <`;
    case "summary":
      return `= ${text}`;
    default:
      return looksLikePlainAction(text) ? text : `!${text}`;
  }
}

/** Whether a line is read as action without being told so. */
function looksLikePlainAction(text: string): boolean {
  return /\p{Ll}/u.test(text) && !/^[!@.>~#=(\s]/.test(text) && !looksLikeHeading(text) && !/^[A-Z]\w*:/.test(text);
}
