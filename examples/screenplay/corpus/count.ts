// What of a corpus of scripts is kept when it is read, written and read again. It knows of the documents only what all
// versions of the editor have in common, so that versions can be compared.
/// <reference types="node" />
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Named {
  title: string | null;
  script: unknown[];
}

export interface Formats {
  text(bytes: Uint8Array): string;
  fromFountain(source: string, newId: () => string): Named;
  toFountain(script: never, title?: string): string;
  fromFdx(source: string, newId: () => string): Named;
  toFdx(script: never, title?: string): string;
}

export interface Result {
  file: string;
  opened: boolean;
  /** Each letter and digit of the file is in the script. */
  text: boolean;
  /** The elements are those that are listed for the file. */
  elements: boolean;
  /** Written in the file's own format, and in the other one, it is read as the same script. */
  same: boolean;
  other: boolean;
  error?: string;
}

export type Expected = Record<string, string[]>;

interface Node {
  type: string;
  children: (Node & { text: string })[];
  [property: string]: unknown;
}

export function filesOf(corpus: string): string[] {
  const files = readdirSync(corpus, { recursive: true, encoding: "utf8" });
  return files.filter((file) => /\.(?:fountain|fdx)$/.test(file)).sort();
}

export function countCorpus(corpus: string, formats: Formats, expected: Expected): Result[] {
  return filesOf(corpus).map((file) => count(join(corpus, file), file, formats, expected[file]));
}

function count(path: string, file: string, formats: Formats, elements: string[] | undefined): Result {
  let ids = 0;
  const newId = () => `c${++ids}`;
  const result: Result = { file, opened: false, text: false, elements: false, same: false, other: false };
  const bytes = readFileSync(path);
  const isFdx = file.endsWith(".fdx");
  const [read, write] = isFdx ? [formats.fromFdx, formats.toFdx] : [formats.fromFountain, formats.toFountain];
  const [readOther, writeOther] = isFdx ? [formats.fromFountain, formats.toFountain] : [formats.fromFdx, formats.toFdx];
  const attempt = (run: () => boolean): boolean => {
    try {
      return run();
    } catch (error) {
      result.error = String(error);
      return false;
    }
  };
  let named: Named | null = null;
  result.opened = attempt(() => {
    named = read(formats.text(bytes), newId);
    return named.script.length > 0;
  });
  if (!result.opened || !named) return result;
  const { script, title } = named as Named;
  const source = trueText(bytes);
  result.text = lettersOf(isFdx ? wordsOfFdx(source) : wordsOfFountain(source)) === lettersOf(wordsOf(named));
  result.elements = elements !== undefined && elementsOf(script).join("\n") === elements.join("\n");
  const again = (writer: Formats["toFdx"], reader: Formats["fromFdx"]) => () => {
    const back = reader(writer(script as never, title ?? undefined), newId);
    return JSON.stringify(bare(back.script)) === JSON.stringify(bare(script)) && back.title === title;
  };
  result.same = attempt(again(write, read));
  result.other = attempt(again(writeOther, readOther));
  return result;
}

/** The files of the corpus are UTF-8, UTF-16 (with a mark, or big-endian), or of one byte to the character. */
function trueText(bytes: Uint8Array): string {
  const label = bytes[0] === 0xff ? "utf-16le" : bytes[0] === 0 ? "utf-16be" : "utf-8";
  const text = new TextDecoder(label).decode(bytes);
  return text.includes("\ufffd") ? new TextDecoder("windows-1252").decode(bytes) : text;
}

const NAMES = /^(?:title|credit|authors?|source|notes|draft date|date|contact|copyright|revision):/i;

/** Without the names of the title page's entries, which are kept in other words, and what only tells a type. */
function wordsOfFountain(source: string): string {
  const lines = source.replace(/^\ufeff/, "").split(/\r\n?|\n/);
  const start = lines.findIndex((line) => line.trim() !== "");
  const titled = lines.slice(start).findIndex((line) => line.trim() === "");
  const end = titled < 0 ? lines.length : start + titled;
  const hasPage = lines.slice(start, end).some((line) => NAMES.test(line)) && /^[^\s:]+[^:]*:/.test(lines[start] ?? "");
  const body = lines.map((line, at) => (hasPage && at < end ? line.replace(/^[^\s:][^:]*:/, "") : line)).join("\n");
  return body.replace(/ \[\[(?:element|align|color|number|depth): (?!nothing)[^\]]*\]\]|\[\[\/?strike\]\]/g, "");
}

function wordsOfFdx(source: string): string {
  const xml = new DOMParser().parseFromString(source, "application/xml");
  let words = "";
  for (const text of xml.querySelectorAll("Content Text, ScriptNotes Text")) {
    // A note may stand inside of a text: its words are counted by its own.
    const own = [...text.childNodes].map((child) => (child.nodeType === 3 ? child.nodeValue : "")).join("");
    words += text.closest("TitlePage") ? own.replace(/^[A-Z]\w+:/, "") : own;
  }
  for (const heading of xml.querySelectorAll('Paragraph[Type="Scene Heading"]'))
    words += heading.getAttribute("Number") ?? "";
  return words;
}

function wordsOf({ title, script }: Named): string {
  let words = "";
  let titled = false;
  for (const block of blocksOf(script as Node[])) {
    words += block.children.map((leaf) => leaf.text).join("");
    words += block.sceneNumber ?? "";
    const page = block.titlePage;
    if (Array.isArray(page)) titled = true;
    if (Array.isArray(page)) for (const [, text] of page) words += text;
    else if (page) words += Object.values(page).join("");
  }
  return titled ? words : words + (title ?? "");
}

/** In whatever order: the number of a scene stands before or after its notes. */
function lettersOf(words: string): string {
  return [...words.matchAll(/[\p{L}\p{N}]/gu)]
    .map(([letter]) => letter)
    .sort()
    .join("");
}

function* blocksOf(script: readonly Node[]): Generator<Node> {
  for (const node of script) {
    if (node.type === "dualDialogueBlock" || node.type === "column") yield* blocksOf(node.children);
    else yield node;
  }
}

/** One line for each block: its type, and what else it is. */
export function elementsOf(script: readonly unknown[]): string[] {
  return (script as Node[]).flatMap((node) => {
    if (node.type === "dualDialogueBlock")
      return node.children.flatMap((column, at) => elementsOf(column.children).map((line) => `${"LR"[at]} ${line}`));
    const { type, sceneNumber, color, align, startsNewPage, depth } = node;
    const rest = Object.entries({ sceneNumber, color, align, startsNewPage, depth });
    return [[type, ...rest.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))].join(" ")];
  });
}

/** Without ids, in one order. */
export function bare(script: readonly unknown[]): unknown[] {
  return (script as Node[]).map(({ id: _, children, ...node }) => ({
    ...sorted(node),
    children: children.some((child) => "text" in child) ? children.map(sorted) : bare(children),
  }));
}

function sorted(object: object): object {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function tableOf(results: readonly Result[], withFiles: boolean): string {
  const columns = ["opened", "text", "elements", "same", "other"] as const;
  const rows = [
    ["Fountain", ".fountain"],
    ["FDX", ".fdx"],
    ["all", ""],
  ] as const;
  const lines = [
    [
      "",
      "files",
      "opened",
      "text kept",
      "elements kept",
      "identical again",
      "by way of the other format",
      "kept whole",
    ].join(" | "),
  ];
  for (const [name, ending] of rows) {
    const those = results.filter(({ file }) => file.endsWith(ending));
    const counts = columns.map((column) => those.filter((result) => result[column]).length);
    const whole = those.filter(({ text, elements, same }) => text && elements && same).length;
    lines.push([name, those.length, ...counts, whole].join(" | "));
  }
  if (withFiles) {
    for (const result of results) {
      const not = columns.filter((column) => !result[column]);
      if (not.length > 0)
        lines.push(`${result.file}: not ${not.join(", ")}${result.error ? ` (${result.error})` : ""}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
