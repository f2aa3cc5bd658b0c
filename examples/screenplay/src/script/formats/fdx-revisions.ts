// Revision sets and locked pages in FDX: `Revisions`, `RevisionID` of texts, and `LockedPages`. A locked page is told by
// the place at which it begins: the number of characters before it, where each paragraph has one more at its end.
import { fromPaper } from "../block-text.ts";
import { paperText } from "../lines.ts";
import { pageStarts } from "../locked-pages.ts";
import { labelOrder, parsedLabel } from "../page-labels.ts";
import { nextSet, PAPERS } from "../revisions.ts";
import {
  type Block,
  type BlockType,
  blocksOf,
  type FormattedText,
  isBlock,
  isDual,
  REVISION_COLORS,
  type RevisionColor,
  type RevisionSet,
  type Script,
  type ScriptNode,
} from "../types.ts";
import { tidied } from "./emphasis.ts";
import { escaped } from "./fdx-elements.ts";

/** Those of the document, or of a script that was read from a file. */
export function revisionsIn(script: readonly ScriptNode[]): RevisionSet[] {
  for (const { revisions } of blocksOf(script)) if (Array.isArray(revisions)) return revisions;
  return [];
}

export function revisionLines(sets: readonly RevisionSet[]): string[] {
  if (sets.length === 0) return [];
  const active = sets.at(-1);
  const mode = active?.open ? "Yes" : "No";
  return [
    `  <Revisions ActiveSet="${active?.id}" Location="7.75" RevisionMode="${mode}" RevisionsShown="Active" ` +
      'ShowAllMarks="No" ShowAllSets="No" ShowPageColor="No">',
    ...sets.map(({ id, color, name, date, mark }) => {
      const { paper, mark: ink } = PAPERS[color];
      const title = escaped(date === "" ? name : `${name} (${date})`);
      return (
        `    <Revision Color="${long(ink)}" FullRevision="No" ID="${id}" Mark="${escaped(mark)}" ` +
        `Name="${title}" PageColor="${long(paper)}" Style=""/>`
      );
    }),
    "  </Revisions>",
  ];
}

const long = (color: string): string => color.replace(/[0-9a-f]{2}/gi, "$&$&").toUpperCase();

/** Those of which a text is, and the one that is written in: Final Draft's files have a list of all that there may be. */
export function readRevisions(element: Element | null, script: Script): RevisionSet[] {
  const used = new Set(
    [...blocksOf(script)].flatMap(({ children }) => children.flatMap((leaf) => leaf.revision ?? [])),
  );
  const writing = element?.getAttribute("RevisionMode") === "Yes" ? Number(element.getAttribute("ActiveSet")) : 0;
  const last = Math.max(0, ...used, writing || 0);
  const found: RevisionSet[] = [];
  for (const each of element?.children ?? []) {
    const id = Number(each.getAttribute("ID"));
    if (each.tagName !== "Revision" || !isId(id) || id > last || found.some((set) => set.id === id)) continue;
    found.push(readSet(each, id, id === writing));
  }
  for (const id of used) {
    if (found.every((set) => set.id !== id))
      found.push({ ...nextSet([{ id: id - 1 } as RevisionSet], new Date(0)), date: "", open: false });
  }
  return found.sort((a, b) => a.id - b.id);
}

export const isId = (id: number): boolean => Number.isInteger(id) && id > 0 && id < 1_000;

function readSet(element: Element, id: number, open: boolean): RevisionSet {
  const text = (name: string) => (element.getAttribute(name) ?? "").slice(0, 80);
  const [, name = "", date = ""] = /^(.*?)(?:\s*\(([^()]*)\))?$/.exec(text("Name").trim()) ?? [];
  return { id, color: colorOf(element, id), name: name || `Revision ${id}`, date, mark: text("Mark") || "*", open };
}

/** By what we write, by the name, or else by its number. */
function colorOf(element: Element, id: number): RevisionColor {
  const paper = element.getAttribute("PageColor")?.toUpperCase();
  const ink = element.getAttribute("Color")?.toUpperCase();
  const name = element.getAttribute("Name")?.toLowerCase() ?? "";
  return (
    REVISION_COLORS.find((color) => long(PAPERS[color].paper) === paper && long(PAPERS[color].mark) === ink) ??
    REVISION_COLORS.find((color) => name.includes(color)) ??
    (REVISION_COLORS[id % REVISION_COLORS.length] as RevisionColor)
  );
}

/** They are no paragraphs: what a scene is about stands in its heading. */
const NONE: ReadonlySet<BlockType> = new Set(["summary"]);
/** They are notes of a paragraph without text. */
const EMPTY: ReadonlySet<BlockType> = new Set(["note", "boneyard"]);

const lengthOf = (block: Block): number =>
  NONE.has(block.type) ? 0 : 1 + (EMPTY.has(block.type) ? 0 : paperText(block).length);

const lengthOfNode = (node: ScriptNode): number => {
  const blocks = isDual(node) ? node.children.flatMap((column) => column.children) : [node];
  return blocks.reduce((sum, block) => sum + lengthOf(block), 0);
};

export function lockedPageLines(script: readonly ScriptNode[]): string[] {
  const starts = pageStarts(script);
  if (starts.length === 0) return [];
  const lines: string[] = [];
  let position = 0;
  let next = 0;
  for (const [index, node] of script.entries()) {
    for (let start = starts[next]; start?.index === index; start = starts[next]) {
      const at = position + start.offset;
      lines.push(`    <LockedPage LevelIndex="0" LockLevel="1" PageNumber="${start.label}" Position="${at}"/>`);
      next += 1;
    }
    position += lengthOfNode(node);
  }
  return ["  <LockedPages>", ...lines, "  </LockedPages>"];
}

/** Gives the pages of a file to the blocks and the text of its script. */
export function readLockedPages(element: Element | null, script: Script): void {
  const pages = [...(element?.children ?? [])]
    .filter(({ tagName }) => tagName === "LockedPage")
    .map((page) => ({
      label: page.getAttribute("PageNumber") ?? "",
      position: Number(page.getAttribute("Position") ?? Number.NaN),
    }))
    .filter(({ label, position }) => parsedLabel(label) !== null && Number.isInteger(position) && position >= 0)
    .sort((a, b) => a.position - b.position || labelOrder(a.label, b.label));
  let position = 0;
  let next = 0;
  for (const node of script) {
    const end = position + lengthOfNode(node);
    for (let page = pages[next]; page && page.position < end; page = pages[next]) {
      beginPage(node, page.position - position, page.label);
      next += 1;
    }
    position = end;
  }
}

function beginPage(node: ScriptNode, offset: number, label: string): void {
  if (offset <= 0 || isDual(node) || !isBlock(node) || EMPTY.has(node.type)) {
    node.page ??= label;
    return;
  }
  let left = fromPaper(node, offset);
  const children: FormattedText[] = [];
  for (const leaf of node.children) {
    const cut = Math.max(0, Math.min(left, leaf.text.length));
    if (cut > 0) children.push({ ...leaf, text: leaf.text.slice(0, cut) });
    if (cut < leaf.text.length) children.push({ ...leaf, text: leaf.text.slice(cut), page: label });
    left -= leaf.text.length;
  }
  node.children = tidied(children);
}
