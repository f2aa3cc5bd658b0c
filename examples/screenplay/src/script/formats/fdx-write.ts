// FDX, written: the inverse of reading, with what Final Draft expects of a file besides its paragraphs.

import { omittedBehind } from "../omitted.ts";
import {
  type Block,
  type DualDialogueBlock,
  type FormattedText,
  isBlock,
  isDual,
  MARKS,
  type RevisionSet,
  type Script,
  type ScriptNode,
  type TitlePage,
  textOf,
} from "../types.ts";
import { findAsides } from "./asides.ts";
import { tidied } from "./emphasis.ts";
import { ALIGNMENTS, CUT_NAME, escaped, LAYOUT, NAMES, usualAlign } from "./fdx-elements.ts";
import { lockedPageLines, revisionLines, revisionsIn } from "./fdx-revisions.ts";
import { smartType } from "./fdx-smart-type.ts";
import { titleLines } from "./fdx-title-page.ts";
import { fountainLines } from "./fountain-read.ts";
import { toFountain } from "./fountain-write.ts";
import { titled, titlePageOf } from "./title-page.ts";

/** `page`, `revisions`: what stands on the title page, and the revision sets, where that is not in the script itself. */
export function toFdx(
  script: readonly ScriptNode[],
  title?: string,
  page?: TitlePage,
  revisions: readonly RevisionSet[] = revisionsIn(script),
): string {
  const notes = { count: 0 };
  const lines: string[] = [];
  for (let at = 0; at < script.length; at += 1) {
    const node = script[at] as ScriptNode;
    if (isDual(node)) {
      lines.push(...dualLines(blocksIn(node), notes));
      continue;
    }
    const summaries = node.type === "scene_heading" ? summariesAfter(script, at) : [];
    const omitted = omittedBlocks(script, at);
    lines.push(paragraph(node, notes, summaries, omitted ?? []));
    at += summaries.length + (omitted ? 1 : 0);
  }
  return [
    '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>',
    '<FinalDraft DocumentType="Script" Template="No" Version="5">',
    "  <Content>",
    ...lines.map((line) => `    ${line}`),
    "  </Content>",
    ...titlePage(titled(page ?? titlePageOf(script), title)),
    ...elementSettings(),
    ...MORES_AND_CONTINUEDS,
    ...lockedPageLines(script),
    ...revisionLines(revisions),
    ...smartType(script).map((line) => `  ${line}`),
    "</FinalDraft>",
    "",
  ].join("\n");
}

/** (CONT’D) is shown where somebody goes on after action, here and there, and stands in no cue. */
const MORES_AND_CONTINUEDS = [
  "  <MoresAndContinueds>",
  `    <DialogueBreaks AutomaticCharacterContinueds="Yes" BottomOfPage="Yes" DialogueBottom="(MORE)" DialogueTop="(CONT'D)" TopOfNext="Yes"/>`,
  "  </MoresAndContinueds>",
];

interface Notes {
  count: number;
}

const blocksIn = (dual: DualDialogueBlock): Block[] => dual.children.flatMap((column) => column.children);

function dualLines(blocks: readonly Block[], notes: Notes): string[] {
  const page = blocks[0]?.startsNewPage ? ' StartsNewPage="Yes"' : "";
  const inside = blocks.map((block, at) => {
    const { startsNewPage: _, ...rest } = block;
    return `    ${paragraph(at === 0 ? rest : block, notes, [])}`;
  });
  return [`<Paragraph${page}>`, "  <DualDialogue>", ...inside, "  </DualDialogue>", "</Paragraph>"];
}

/** What a scene is about stands in its properties. */
function summariesAfter(script: readonly ScriptNode[], heading: number): Block[] {
  const summaries: Block[] = [];
  for (let node = script[heading + 1]; isBlock(node); node = script[heading + 1 + summaries.length]) {
    if (node.type !== "summary" || node.startsNewPage) break;
    summaries.push(node);
  }
  return summaries;
}

/** What was in a scene that is omitted, if it is the same again when it is read. */
function omittedBlocks(script: readonly ScriptNode[], heading: number): Script | null {
  const behind = script[omittedBehind(script, heading)];
  if (!isBlock(behind) || behind.align || behind.startsNewPage) return null;
  const text = textOf(behind);
  const blocks = fountainLines(text, () => "omitted");
  const plain = blocks.every((node) => isDual(node) || node.type !== "summary");
  return plain && blocks.length > 0 && toFountain(blocks).trim() === text ? blocks : null;
}

function paragraph(
  block: Block,
  notes: Notes,
  summaries: readonly Block[],
  omitted: readonly ScriptNode[] = [],
): string {
  const { type, align } = block;
  const name = type === "section" ? `Outline ${Math.min(9, block.depth ?? 1)}` : NAMES[type];
  const attributes = [
    ...(align && align !== usualAlign(type) ? [`Alignment="${ALIGNMENTS[align]}"`] : []),
    ...(type === "scene_heading" && block.sceneNumber ? [`Number="${escaped(block.sceneNumber)}"`] : []),
    ...(block.startsNewPage ? ['StartsNewPage="Yes"'] : []),
    `Type="${name}"`,
  ];
  const inside =
    type === "note" || type === "boneyard"
      ? scriptNote(block.children, type === "boneyard", notes)
      : (type === "scene_heading" ? sceneProperties(block, summaries, notes) : "") +
        content(block, notes) +
        omittedScene(omitted, notes);
  return `<Paragraph ${attributes.join(" ")}>${inside}</Paragraph>`;
}

function omittedScene(script: readonly ScriptNode[], notes: Notes): string {
  if (script.length === 0) return "";
  const lines = script.flatMap((node) =>
    isDual(node) ? dualLines(blocksIn(node), notes) : paragraph(node, notes, []),
  );
  return `<OmittedScene>${lines.join("")}</OmittedScene>`;
}

function content(block: Block, notes: Notes): string {
  const leaves: FormattedText[] =
    block.type === "parenthetical" ? [{ text: "(" }, ...block.children, { text: ")" }] : block.children;
  return texts(tidied(leaves), notes);
}

/** Notes and cuts in the midst of other text are notes of their own. */
function texts(leaves: readonly FormattedText[], notes: Notes): string {
  return leaves
    .map((leaf) => {
      if (!leaf.aside) return text(leaf);
      return findAsides(leaf.text)
        .map(({ start, end }) => {
          const inside = { ...leaf, text: leaf.text.slice(start + 2, end - 2) };
          return scriptNote([inside], leaf.text.startsWith("/*", start), notes);
        })
        .join("");
    })
    .join("");
}

function text(leaf: FormattedText): string {
  const style = MARKS.filter((mark) => leaf[mark]).map((mark) =>
    mark === "strike" ? "Strikeout" : mark.charAt(0).toUpperCase() + mark.slice(1),
  );
  const revision = leaf.revision === undefined ? "" : ` RevisionID="${leaf.revision}"`;
  return `<Text${revision}${style.length > 0 ? ` Style="${style.join("+")}"` : ""}>${escaped(leaf.text)}</Text>`;
}

function scriptNote(leaves: readonly FormattedText[], cut: boolean, notes: Notes): string {
  notes.count += 1;
  const paragraphs = linesOf(leaves).map((line) => `<Paragraph>${line.map(text).join("")}</Paragraph>`);
  const name = cut ? ` Name="${CUT_NAME}"` : "";
  return `<ScriptNote ID="${notes.count}"${name}>${paragraphs.join("")}</ScriptNote>`;
}

function linesOf(leaves: readonly FormattedText[]): FormattedText[][] {
  const lines: FormattedText[][] = [[]];
  for (const leaf of leaves) {
    for (const [index, part] of leaf.text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (part !== "") lines.at(-1)?.push({ ...leaf, text: part });
    }
  }
  return lines;
}

function sceneProperties(heading: Block, summaries: readonly Block[], notes: Notes): string {
  const { color } = heading;
  const long = color?.length === 7 ? color.replace(/[0-9a-f]{2}/gi, "$&$&") : color;
  const attributes = `${long ? ` Color="${long.toUpperCase()}"` : ""} Title=""`;
  if (summaries.length === 0) return `<SceneProperties${attributes}/>`;
  const paragraphs = summaries.map((block) => {
    const align = block.align && block.align !== "left" ? ` Alignment="${ALIGNMENTS[block.align]}"` : "";
    return `<Paragraph${align}>${content(block, notes)}</Paragraph>`;
  });
  return `<SceneProperties${attributes}><Summary>${paragraphs.join("")}</Summary></SceneProperties>`;
}

function titlePage(entries: TitlePage): string[] {
  if (entries.length === 0) return [];
  const lines = titleLines(entries).map(
    ({ align, leaves }) => `      <Paragraph Alignment="${align}">${leaves.map(text).join("")}</Paragraph>`,
  );
  return ["  <TitlePage>", "    <Content>", ...lines, "    </Content>", "  </TitlePage>"];
}

function elementSettings(): string[] {
  return [...LAYOUT].flatMap(([type, layout]) => {
    const styles = [
      ...(layout.capitals ? ["AllCaps"] : []),
      ...(layout.bold ? ["Bold"] : []),
      ...(layout.underline ? ["Underline"] : []),
    ];
    return [
      `  <ElementSettings Type="${NAMES[type]}">`,
      `    <FontSpec AdornmentStyle="0" Background="#FFFFFFFFFFFF" Color="#000000000000" Font="Courier Final Draft" ` +
        `RevisionID="0" Size="12" Style="${styles.join("+")}"/>`,
      `    <ParagraphSpec Alignment="${ALIGNMENTS[layout.align]}" FirstIndent="0.00" Leading="Regular" ` +
        `LeftIndent="${layout.left.toFixed(2)}" RightIndent="${layout.right.toFixed(2)}" ` +
        `SpaceBefore="${layout.spaceBefore}" Spacing="1" StartsNewPage="No"/>`,
      `    <Behavior PaginateAs="${NAMES[type]}" ReturnKey="${NAMES[layout.next]}" Shortcut="${layout.shortcut}"/>`,
      "  </ElementSettings>",
    ];
  });
}
