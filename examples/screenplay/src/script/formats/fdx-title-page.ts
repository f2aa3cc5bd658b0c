// The title page in FDX: lines without names. Where the usual entries are in their usual order, they are laid out as
// is the custom, and told by where they stand; anything else is written as in a Fountain file, with its names.
import type { FormattedText, TitlePage } from "../types.ts";
import { readEmphasis, tidied, writeEmphasis } from "./emphasis.ts";
import { readTitlePage, writeTitlePage } from "./title-page.ts";

export interface TitleLine {
  align: "Left" | "Center" | "Right";
  leaves: FormattedText[];
}

const USUAL = ["Title", "Credit", "Author", "Source", "Draft date", "Contact"];
const CREDIT = /^(?:(?:written|screenplay|teleplay|story|script|adapted|created) )?(?:and directed )?by$/i;
const NOTHING: TitleLine = { align: "Left", leaves: [] };

export function titleLines(entries: TitlePage): TitleLine[] {
  const usual = laidOut(entries);
  if (usual && JSON.stringify(entriesOf(usual)) === JSON.stringify(entries)) return usual;
  return writeTitlePage(entries).map((text) => ({ align: "Left", leaves: [{ text }] }));
}

function laidOut(entries: TitlePage): TitleLine[] | null {
  const order = entries.map(([name]) => USUAL.indexOf(name));
  if (order.some((at, index) => at < 0 || at <= (order[index - 1] ?? -1))) return null;
  return entries.flatMap(([name, text]) => {
    const align = name === "Contact" ? "Left" : name === "Draft date" ? "Right" : "Center";
    const lines = text.split("\n").map((line): TitleLine => ({ align, leaves: readEmphasis(line) }));
    return name === "Author" ? lines : [...(name === "Title" ? [] : [NOTHING]), ...lines];
  });
}

const fountainOf = ({ leaves }: TitleLine): string => writeEmphasis(tidied(leaves)).trim();
const isEmpty = (line: TitleLine | undefined): boolean => line === undefined || fountainOf(line) === "";

export function entriesOf(lines: readonly TitleLine[]): TitlePage {
  const text = lines.map(({ leaves }) => leaves.map((leaf) => leaf.text).join("")).join("\n");
  const named = readTitlePage(text.replaceAll(/\n(?:\s*\n)+/g, "\n"));
  if (named.entries.length > 0 && named.lines === text.replaceAll(/\n(?:\s*\n)+/g, "\n").split("\n").length) {
    return named.entries;
  }
  const page: TitlePage = [];
  const groups = groupsOf(lines);
  const centred = groups.filter(([first]) => first?.align === "Center");
  const others = groups.filter(([first]) => first?.align !== "Center");
  const join = (group: readonly TitleLine[]) => group.map(fountainOf).join("\n");
  const add = (name: string, group: readonly TitleLine[]) => {
    const last = page.find(([known]) => known === name);
    if (last) last[1] += `\n${join(group)}`;
    else if (group.length > 0) page.push([name, join(group)]);
  };
  // A title page of which nothing is centred has its title first all the same.
  const [title = [], ...rest] = centred.length > 0 ? centred : others.splice(0, 1);
  const by = title.findIndex((line) => CREDIT.test(fountainOf(line)));
  add("Title", by > 0 ? title.slice(0, by) : title);
  const below = by > 0 ? [title.slice(by), ...rest] : rest;
  const credit = below.findIndex(([first]) => first !== undefined && CREDIT.test(fountainOf(first)));
  for (const [index, group] of below.entries()) {
    if (index === credit) {
      add("Credit", group.slice(0, 1));
      add("Author", group.length > 1 ? group.slice(1) : []);
    } else if (index === credit + 1 && credit >= 0 && below[credit]?.length === 1) add("Author", group);
    else add("Source", group);
  }
  for (const group of others) add(group[0]?.align === "Right" ? "Draft date" : "Contact", group);
  return page;
}

/** Lines of one alignment with no empty one between. */
function groupsOf(lines: readonly TitleLine[]): TitleLine[][] {
  const groups: TitleLine[][] = [];
  lines.forEach((line, at) => {
    if (isEmpty(line)) return;
    if (isEmpty(lines[at - 1]) || lines[at - 1]?.align !== line.align) groups.push([]);
    groups.at(-1)?.push(line);
  });
  return groups;
}

export function readFdxTitlePage(
  content: Element | null,
  leavesOf: (paragraph: Element) => FormattedText[],
): TitlePage {
  const paragraphs = [...(content?.children ?? [])].filter((child) => child.tagName === "Paragraph");
  const lines = paragraphs.flatMap((paragraph): TitleLine[] => {
    const align = paragraph.getAttribute("Alignment");
    const leaves = leavesOf(paragraph);
    return [{ align: align === "Center" || align === "Right" ? align : "Left", leaves }];
  });
  return entriesOf(lines);
}
