// Fountain, the plain text format for screenplays: reading (with the fountain-js parser) and writing. Pure.
// What Fountain has no element for is written as its nearest relative: shot, general and cast list as action.
import { Fountain } from "fountain-js";
import { looksLikeHeading, looksLikeTransition } from "../elements.ts";
import {
  type Block,
  type BlockType,
  type Column,
  type FormattedText,
  isDual,
  type Script,
  type ScriptNode,
  textOf,
} from "../types.ts";
import { readEmphasis, writeEmphasis } from "./emphasis.ts";

export interface NamedScript {
  title: string | null;
  script: Script;
}

export function fromFountain(source: string, newId: () => string): NamedScript {
  const { tokens = [] } = new Fountain().parse(source.replaceAll("\r\n", "\n"), true);
  const script: Script = [];
  let title: string | null = null;
  let columns: Column[] | null = null;
  for (const { type, text = "", is_title } of tokens) {
    if (is_title) {
      if (type === "title") title = plain(text);
    } else if (type === "dual_dialogue_begin") columns = [];
    else if (type === "dual_dialogue_end") {
      if (columns?.length === 2) script.push({ id: newId(), type: "dualDialogueBlock", children: columns });
      else for (const column of columns ?? []) script.push(...column.children);
      columns = null;
    } else if (type === "dialogue_begin") columns?.push({ id: newId(), type: "column", children: [] });
    else {
      const read = readToken(type, text);
      if (!read) continue;
      const block: Block = { id: newId(), ...read };
      const column = columns?.at(-1);
      if (column) column.children.push(block);
      else script.push(block);
    }
  }
  return { title, script };
}

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
  let block = TYPES[type];
  if (!block) return null;
  let line = text;
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
  return `${title ? `Title: ${title}\n\n` : ""}${parts.join("")}\n`;
}

function writeBlock(block: Block, second: boolean): string {
  const text = writeEmphasis(block.children);
  const upper = text.toUpperCase();
  switch (block.type) {
    case "scene_heading":
      return looksLikeHeading(upper) ? upper : `.${upper}`;
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
