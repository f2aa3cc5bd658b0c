// FDX, Final Draft's XML. Its paragraph types are the element types of this editor, so nothing is lost either way.
// Reading uses the browser's own XML parser.
import {
  type Block,
  type BlockType,
  type Column,
  type FormattedText,
  isDual,
  MARKS,
  type Script,
  type ScriptNode,
} from "../types.ts";
import type { NamedScript } from "./fountain.ts";

const NAMES: Record<BlockType, string> = {
  scene_heading: "Scene Heading",
  action: "Action",
  character: "Character",
  parenthetical: "Parenthetical",
  dialogue: "Dialogue",
  transition: "Transition",
  shot: "Shot",
  general: "General",
  cast_list: "Cast List",
  new_act: "New Act",
  end_of_act: "End of Act",
  summary: "Summary",
};

const TYPES = new Map(Object.entries(NAMES).map(([type, name]) => [name.toLowerCase(), type as BlockType]));

/** Thrown for a file that is not FDX; the message is for the writer. */
export class FormatError extends Error {
  override name = "FormatError";
}

export function fromFdx(source: string, newId: () => string): NamedScript {
  const xml = new DOMParser().parseFromString(source, "application/xml");
  const content = xml.querySelector("FinalDraft > Content");
  if (xml.querySelector("parsererror") || !content) throw new FormatError("This is not a Final Draft file.");
  const script: Script = [];
  for (const paragraph of children(content, "Paragraph")) {
    const [dual] = children(paragraph, "DualDialogue");
    if (dual) script.push(...readDual(dual, newId));
    else script.push(readParagraph(paragraph, newId));
  }
  return { title: null, script };
}

function readDual(dual: Element, newId: () => string): ScriptNode[] {
  const columns: Column[] = [];
  for (const paragraph of children(dual, "Paragraph")) {
    const block = readParagraph(paragraph, newId);
    // The second cue begins the second column.
    if (columns.length === 0 || (block.type === "character" && columns.length === 1)) {
      columns.push({ id: newId(), type: "column", children: [] });
    }
    columns.at(-1)?.children.push(block);
  }
  if (columns.length === 2) return [{ id: newId(), type: "dualDialogueBlock", children: columns }];
  return columns.flatMap((column) => column.children);
}

function readParagraph(paragraph: Element, newId: () => string): Block {
  const type = TYPES.get((paragraph.getAttribute("Type") ?? "").toLowerCase()) ?? "general";
  const leaves: FormattedText[] = [];
  for (const text of children(paragraph, "Text")) {
    const content = text.textContent ?? "";
    if (content === "") continue;
    const styles = (text.getAttribute("Style") ?? "").toLowerCase().split("+");
    const marks = Object.fromEntries(MARKS.filter((mark) => styles.includes(mark)).map((mark) => [mark, true]));
    const last = leaves.at(-1);
    if (last && MARKS.every((mark) => last[mark] === marks[mark])) last.text += content;
    else leaves.push({ text: content, ...marks });
  }
  if (type === "parenthetical") stripParentheses(leaves);
  const filled = leaves.filter((leaf) => leaf.text !== "");
  return { id: newId(), type, children: filled.length > 0 ? filled : [{ text: "" }] };
}

function stripParentheses(leaves: FormattedText[]): void {
  const first = leaves[0];
  const last = leaves.at(-1);
  if (first?.text.startsWith("(") && last?.text.endsWith(")")) {
    first.text = first.text.slice(1);
    last.text = last.text.slice(0, -1);
  }
}

function children(element: Element, name: string): Element[] {
  return [...element.children].filter((child) => child.tagName === name);
}

export function toFdx(script: readonly ScriptNode[]): string {
  const lines = script.flatMap((node) =>
    isDual(node)
      ? [
          "    <Paragraph>",
          "      <DualDialogue>",
          ...node.children.flatMap((column) => column.children.map((block) => `        ${writeParagraph(block)}`)),
          "      </DualDialogue>",
          "    </Paragraph>",
        ]
      : [`    ${writeParagraph(node)}`],
  );
  return [
    '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>',
    '<FinalDraft DocumentType="Script" Template="No" Version="1">',
    "  <Content>",
    ...lines,
    "  </Content>",
    "</FinalDraft>",
    "",
  ].join("\n");
}

function writeParagraph(block: Block): string {
  const leaves: FormattedText[] =
    block.type === "parenthetical" ? [{ text: "(" }, ...block.children, { text: ")" }] : block.children;
  const texts = leaves.map((leaf) => {
    const style = MARKS.filter((mark) => leaf[mark]).map((mark) => mark.charAt(0).toUpperCase() + mark.slice(1));
    return `<Text${style.length > 0 ? ` Style="${style.join("+")}"` : ""}>${escaped(leaf.text)}</Text>`;
  });
  return `<Paragraph Type="${NAMES[block.type]}">${texts.join("")}</Paragraph>`;
}

/** Control characters, for which XML has no place at all, are left out. */
function escaped(text: string): string {
  return [...text]
    .filter((character) => character >= " " || character === "\n" || character === "\t")
    .join("")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
