// What stands before a Fountain script: names with a colon, and their texts. Pure.
import {
  type Block,
  blocksOf,
  isDual,
  type OldTitlePage,
  type Script,
  type ScriptNode,
  type TitlePage,
} from "../types.ts";
import { readEmphasis } from "./emphasis.ts";

const NAMES = new Set(
  (
    "title credit author authors source notes date draft_date contact contact_info copyright revision draft version " +
    "episode series episode_title font format language genre"
  ).split(" "),
);
const ENTRY = /^([^\s:][^:\n]*):[^\S\n]*(.*)$/;

/** The title page, and how many lines it takes; none where the script begins at once. */
export function readTitlePage(source: string): { entries: TitlePage; lines: number } {
  const lines = source.split("\n");
  const none = { entries: [], lines: 0 };
  let at = 0;
  while (at < lines.length && lines[at]?.trim() === "") at += 1;
  const entries: TitlePage = [];
  for (; at < lines.length && lines[at]?.trim() !== ""; at += 1) {
    const line = lines[at] as string;
    const last = entries.at(-1);
    const [, name, text] = ENTRY.exec(line) ?? [];
    if (name !== undefined) entries.push([name.trim(), (text ?? "").trim()]);
    else if (last && /^\s/.test(line)) last[1] += `${last[1] === "" ? "" : "\n"}${line.trim()}`;
    else break;
  }
  // A script may begin with "FADE IN:" or with "Dear Bob: no.": one name has to be of those that title pages have.
  if (!entries.some(([name]) => NAMES.has(nameOf(name)))) return none;
  return { entries, lines: at };
}

/** What a name is called among those that title pages have: `draft_date` for "Draft date". */
export const nameOf = (label: string): string => label.toLowerCase().replaceAll(/\s+/g, "_");

export function writeTitlePage(entries: TitlePage): string[] {
  return entries.flatMap(([name, text]) => {
    // An empty line would end the page.
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.length > 1
      ? [`${name}:`, ...lines.map((line) => `    ${line}`)]
      : [`${name}: ${lines[0] ?? ""}`.trim()];
  });
}

/** What a script has, also where it was written by an earlier version. */
export function titlePageOf(script: readonly ScriptNode[]): TitlePage {
  for (const { titlePage } of blocksOf(script)) {
    if (Array.isArray(titlePage)) return titlePage;
    if (titlePage) return fromOld(titlePage);
  }
  return [];
}

/** A script that has it on its first line, as files do: a copy of its own brings it to its document's values. */
export function withTitlePage(script: Script, titlePage: TitlePage): Script {
  let set = titlePage.length === 0;
  const given = (block: Block): Block => {
    const { titlePage: _, ...rest } = block;
    if (set) return rest;
    set = true;
    return { ...rest, titlePage };
  };
  return script.map((node) =>
    isDual(node)
      ? { ...node, children: node.children.map((column) => ({ ...column, children: column.children.map(given) })) }
      : given(node),
  );
}

function fromOld(titlePage: OldTitlePage): TitlePage {
  return Object.entries(titlePage).map(([name, text]) => [
    name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " "),
    text,
  ]);
}

/** What stands there under a name, as `nameOf` has it; several of one name one below the other. */
export function entryOf(entries: readonly (readonly [string, string])[], name: string): string | undefined {
  const names = name === "author" ? ["author", "authors"] : [name];
  const texts = entries.filter(([label, text]) => names.includes(nameOf(label)) && text.trim() !== "");
  return texts.length === 0 ? undefined : texts.map(([, text]) => text).join("\n");
}

/** The title without its emphasis, in one line. */
export function titleOf(entries: TitlePage): string | null {
  const text = entries.find(([name]) => nameOf(name) === "title")?.[1];
  return text === undefined ? null : plain(text);
}

/** With the title that the script has now, which may have been renamed since it was read. */
export function titled(entries: TitlePage, title: string | undefined): TitlePage {
  if (!title || titleOf(entries) === title) return entries;
  const at = entries.findIndex(([name]) => nameOf(name) === "title");
  return at < 0 ? [["Title", title], ...entries] : entries.with(at, [entries[at]?.[0] ?? "Title", title]);
}

function plain(text: string): string {
  const words = readEmphasis(text).map((leaf) => leaf.text);
  return words.join("").replaceAll(/\s+/g, " ").trim();
}
