// FDX, Final Draft's XML. Its paragraph types are the element types of this editor: text, types, bold, italic, underline,
// dual dialogue, scene numbers and the words of the title page are kept, either way. Other formatting, revisions, notes
// and the layout of the title page are not.
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
  type TitlePage,
  textOf,
} from "../types.ts";
import { type NamedScript, titlePageOf } from "./fountain.ts";

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
  const { title, ...titlePage } = readTitlePage(xml.querySelector("FinalDraft > TitlePage > Content"), newId);
  const first = script[0];
  if (first && !isDual(first) && Object.keys(titlePage).length > 0) first.titlePage = titlePage;
  return { title: title ?? null, script };
}

/** Final Draft's title page is lines without names. They are told by where they stand: the title, whose it is, the rest. */
function readTitlePage(content: Element | null, newId: () => string): TitlePage {
  const paragraphs = content ? children(content, "Paragraph") : [];
  const lines = paragraphs.map((paragraph) => textOf(readParagraph(paragraph, newId)).trim()).filter(Boolean);
  const page: TitlePage = {};
  const [title, ...rest] = lines;
  if (title) page.title = title;
  const by = rest.findIndex((line) => /^(?:(?:written|screenplay|teleplay|story) )?by$/i.test(line));
  const others = by < 0 ? rest : [...rest.slice(0, by), ...rest.slice(by + 2)];
  if (by >= 0) page.credit = rest[by] as string;
  if (by >= 0 && rest[by + 1]) page.author = rest[by + 1] as string;
  if (others.length > 0) page.contact = others.join("\n");
  return page;
}

function writeTitlePage(title: string | undefined, titlePage: TitlePage): string[] {
  const texts = [...(title ? [title] : []), ...Object.values(titlePage)].flatMap((text) => text.split("\n"));
  if (texts.length === 0) return [];
  const lines = texts.map((text) => `      <Paragraph Alignment="Center"><Text>${escaped(text)}</Text></Paragraph>`);
  return ["  <TitlePage>", "    <Content>", ...lines, "    </Content>", "  </TitlePage>"];
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
  const number = type === "scene_heading" ? paragraph.getAttribute("Number") : null;
  return {
    id: newId(),
    type,
    children: filled.length > 0 ? filled : [{ text: "" }],
    ...(number && { sceneNumber: number }),
  };
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

export function toFdx(script: readonly ScriptNode[], title?: string): string {
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
    ...writeTitlePage(title, titlePageOf(script)),
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
  const number = block.type === "scene_heading" && block.sceneNumber ? ` Number="${escaped(block.sceneNumber)}"` : "";
  return `<Paragraph${number} Type="${NAMES[block.type]}">${texts.join("")}</Paragraph>`;
}

/** Control characters, for which XML has no place at all, are left out. */
function escaped(text: string): string {
  return [...text]
    .filter((character) => character >= " " || character === "\n" || character === "\t")
    .join("")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
