// The shape of a script: which elements and marks exist and what they are called.
// Everything else in `script/` builds on these types; nothing here depends on Slate, React or the DOM.
export const BLOCK_TYPES = [
  "scene_heading",
  "action",
  "character",
  "parenthetical",
  "dialogue",
  "transition",
  "shot",
  "general",
  "cast_list",
  "new_act",
  "end_of_act",
  "summary",
  "lyrics",
  "section",
  "note",
  "boneyard",
] as const;

export type BlockType = (typeof BLOCK_TYPES)[number];

export const MARKS = ["bold", "italic", "underline", "strike"] as const;
export type Mark = (typeof MARKS)[number];

/** What a piece of text is besides its words and marks. */
interface TextProperties {
  /** The number of the revision set in which it was written or last changed. */
  revision?: number;
  /** Of a block that goes on over the end of a locked page: the page on which this is, as `Block.page`. */
  page?: string;
}

/** `aside`: a note or a cut inside a line, with its signs (`[[ ]]`, `/* *\/`). It is not printed. */
export type FormattedText = { text: string } & Partial<Record<Mark | "aside", boolean>> & TextProperties;

/** Where the lines of a block stand, if not where its type has them. */
export type Align = "left" | "center" | "right" | "full";

/** One paragraph of the script. */
export interface Block {
  id: string;
  type: BlockType;
  children: FormattedText[];
  /** Of a scene heading that has one of its own, as in a shooting script. */
  sceneNumber?: string;
  /** Of a scene heading: the colour of its scene, `#rrggbb` (or with four digits for each, as Final Draft has it). */
  color?: string;
  align?: Align;
  /** A page begins above the block, wherever the one before it ends. */
  startsNewPage?: boolean;
  /** Of a section: 1, which is left out, is the largest. */
  depth?: number;
  /** Pages are locked, and the one of this number begins with the block. */
  page?: string;
  /** On one block, as `titlePage` is: the revision sets that a file has. */
  revisions?: RevisionSet[];
  /** On one block, the first as a rule: what stands on the title page. Not shown, kept for files. */
  titlePage?: TitlePage | OldTitlePage;
}

/** The paper that a revision is printed on, in the order of the trade. */
export const REVISION_COLORS = [
  "white",
  "blue",
  "pink",
  "yellow",
  "green",
  "goldenrod",
  "buff",
  "salmon",
  "cherry",
] as const;
export type RevisionColor = (typeof REVISION_COLORS)[number];

/** Changes that are given out together, on paper of one colour. */
export interface RevisionSet {
  /** Counted from 1: the later, the greater. */
  id: number;
  color: RevisionColor;
  name: string;
  /** As it is printed. */
  date: string;
  /** Stands at the right of each line that was changed. */
  mark: string;
  /** What is written now belongs to it, if it is the last one. */
  open: boolean;
}

/** Names and texts in their order, as a Fountain file has them: `["Draft date", "1 May"]`. Texts are Fountain. */
export type TitlePage = [name: string, text: string][];
/** As scripts were written once, without the title: `credit`, `author`, `draft_date`, … */
export type OldTitlePage = Record<string, string>;

/** Two people speaking at once: exactly two columns, side by side. */
export interface DualDialogueBlock {
  id: string;
  type: "dualDialogueBlock";
  page?: string;
  children: Column[];
}

export interface Column {
  id: string;
  type: "column";
  children: Block[];
}

export type ScriptElement = Block | DualDialogueBlock | Column;
/** What stands at the top level of a script. */
export type ScriptNode = Block | DualDialogueBlock;
export type Script = ScriptNode[];

const blockTypes: ReadonlySet<string> = new Set(BLOCK_TYPES);

export function isBlockType(type: unknown): type is BlockType {
  return typeof type === "string" && blockTypes.has(type);
}

export function isBlock(node: unknown): node is Block {
  return typeof node === "object" && node !== null && "type" in node && isBlockType(node.type);
}

export function isDual(node: unknown): node is DualDialogueBlock {
  return typeof node === "object" && node !== null && "type" in node && node.type === "dualDialogueBlock";
}

export function isColumn(node: unknown): node is Column {
  return typeof node === "object" && node !== null && "type" in node && node.type === "column";
}

export function textOf(block: { children: readonly FormattedText[] }): string {
  let text = "";
  for (const leaf of block.children) text += leaf.text;
  return text;
}

/** The text that is printed: without notes and cuts. */
export function printedText(block: { children: readonly FormattedText[] }): string {
  let text = "";
  for (const leaf of block.children) if (!leaf.aside) text += leaf.text;
  return text;
}

/** All blocks of a script in reading order, those inside dual dialogue included. */
export function* blocksOf(script: readonly unknown[]): Generator<Block> {
  for (const node of script) {
    if (isDual(node)) for (const column of node.children) yield* column.children.filter(isBlock);
    else if (isBlock(node)) yield node;
  }
}

export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
