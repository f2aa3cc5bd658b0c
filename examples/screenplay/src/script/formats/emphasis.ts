// Fountain's emphasis: *italic*, **bold**, ***both***, _underline_, and a backslash before what is meant literally.
import { type FormattedText, MARKS, type Mark } from "../types.ts";

const SIGNS: readonly (readonly [string, readonly Mark[]])[] = [
  ["***", ["bold", "italic"]],
  ["**", ["bold"]],
  ["*", ["italic"]],
  ["_", ["underline"]],
];

/** Emphasis that is not closed again is no emphasis: the signs stay in the text. */
export function readEmphasis(source: string): FormattedText[] {
  const leaves: FormattedText[] = [];
  const write = (text: string, marks: ReadonlySet<Mark>) => {
    if (text === "") return;
    const last = leaves.at(-1);
    const own = Object.fromEntries(MARKS.filter((mark) => marks.has(mark)).map((mark) => [mark, true]));
    if (last && MARKS.every((mark) => (last[mark] ?? false) === marks.has(mark))) last.text += text;
    else leaves.push({ text, ...own });
  };
  read(source, new Set(), write);
  return leaves.length > 0 ? leaves : [{ text: "" }];
}

function read(source: string, marks: ReadonlySet<Mark>, write: (text: string, marks: ReadonlySet<Mark>) => void): void {
  for (let at = 0; at < source.length; ) {
    if (source[at] === "\\" && /[*_\\]/.test(source[at + 1] ?? "")) {
      write(source[at + 1] ?? "", marks);
      at += 2;
      continue;
    }
    const [sign, added] = SIGNS.find(([each]) => source.startsWith(each, at)) ?? [];
    const end = sign && added && !added.some((mark) => marks.has(mark)) ? closing(source, sign, at + sign.length) : -1;
    if (sign && added && end > 0) {
      read(source.slice(at + sign.length, end), new Set([...marks, ...added]), write);
      at = end + sign.length;
    } else {
      write(sign ?? source[at] ?? "", marks);
      at += sign?.length ?? 1;
    }
  }
}

/** Where the emphasis that began before `from` is closed: on the same line, not after a space. */
function closing(source: string, sign: string, from: number): number {
  if (/\s/.test(source[from] ?? " ")) return -1;
  for (let at = from; at < source.length && source[at] !== "\n"; at += 1) {
    if (source[at] === "\\") at += 1;
    else if (at > from && source.startsWith(sign, at) && !/\s/.test(source[at - 1] ?? "")) {
      // Of `***` after `**`, the last two close.
      const run = /^\*+/.exec(source.slice(at))?.[0].length ?? sign.length;
      if (sign[0] !== "*" || run === sign.length || run === 3)
        return run === 3 && sign.length < 3 ? at + (3 - sign.length) : at;
      at += run - 1;
    }
  }
  return -1;
}

export function writeEmphasis(leaves: readonly FormattedText[]): string {
  return leaves
    .map((leaf) => {
      // Spaces at the ends stay outside: emphasis does not begin or end with one.
      const [, before = "", inside = "", after = ""] = /^(\s*)([\s\S]*?)(\s*)$/.exec(leaf.text) ?? [];
      if (inside === "") return leaf.text;
      const stars = (leaf.bold ? "**" : "") + (leaf.italic ? "*" : "");
      const line = leaf.underline ? "_" : "";
      return `${before}${line}${stars}${inside.replace(/[*_\\]/g, "\\$&")}${stars}${line}${after}`;
    })
    .join("");
}
