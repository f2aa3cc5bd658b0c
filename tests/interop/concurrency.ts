// Two people do two things at once. What comes of it in slate-yjs, and what in slate-yrs in either format: the program
// behind the first table of docs/CONCURRENCY.md.
import { type Descendant, Editor, type Element, Node, type NodeEntry, Path, Text, Transforms } from "slate";
import { type Format, ours, type Replica, seed, theirs } from "./replica.js";

type Act = (editor: Editor) => void;

export interface Situation {
  readonly name: string;
  readonly start: Descendant[];
  /** Whose caret is shown: the second person's, who mostly types. */
  readonly first: Act;
  readonly second: Act;
  /** Both close before they hear of each other; shown is what a third has who opens the document. */
  readonly gone?: true;
}

/** What came of one situation in one engine. */
export interface Outcome {
  /** Every result that was seen; more than one if it depends on whose id is the lower. */
  readonly values: readonly string[];
  /** What is missing or twice in the worst of them; empty if nothing is. */
  readonly damage: string;
}

const at = (editor: Editor, block: number, offset: number) => {
  for (const [leaf, path] of Editor.nodes<Text>(editor, { at: [block], match: Text.isText })) {
    if (offset <= leaf.text.length) return { path, offset };
    offset -= leaf.text.length;
  }
  throw new Error("no such place");
};

const put =
  (block: number, offset: number, text: string): Act =>
  (editor) => {
    Transforms.select(editor, at(editor, block, offset));
    Transforms.insertText(editor, text);
  };
const enter =
  (block: number, offset: number): Act =>
  (editor) => {
    Transforms.select(editor, at(editor, block, offset));
    Transforms.splitNodes(editor, { always: true });
  };
const backspace =
  (block: number): Act =>
  (editor) => {
    Transforms.select(editor, at(editor, block, 0));
    Transforms.mergeNodes(editor, { at: [block] });
  };
const bold =
  (block: number, from: number, to: number): Act =>
  (editor) => {
    const range = { anchor: at(editor, block, from), focus: at(editor, block, to) };
    Transforms.setNodes(editor, { bold: true } as never, { at: range, match: Text.isText, split: true });
  };
const wrap =
  (block: number, from: number, to: number): Act =>
  (editor) => {
    const range = { anchor: at(editor, block, from), focus: at(editor, block, to) };
    Transforms.wrapNodes(editor, { type: "link", children: [] } as Element, { at: range, split: true });
  };
const erase =
  (block: number, from: number, to: number): Act =>
  (editor) => {
    Transforms.delete(editor, { at: { anchor: at(editor, block, from), focus: at(editor, block, to) } });
  };
const move =
  (block: number, to: number): Act =>
  (editor) =>
    Transforms.moveNodes(editor, { at: [block], to: [to] });
const turn =
  (block: number, type: string): Act =>
  (editor) => {
    Transforms.setNodes(editor, { type } as never, { at: [block] });
  };
const remove =
  (block: number): Act =>
  (editor) =>
    Transforms.removeNodes(editor, { at: [block] });

const blocks = (...texts: string[]): Descendant[] =>
  texts.map((text) => ({ type: "action", children: [{ text }] }) as Descendant);

const LINE = blocks("Ada opens the door.");
const LINES = blocks("Ada opens", "the red door.");

const TOGETHER: readonly Situation[] = [
  { name: "Enter at the start ‖ type at the end", start: LINE, first: enter(0, 0), second: put(0, 19, "XYZ") },
  { name: "Enter at the start ‖ type at the start", start: LINE, first: enter(0, 0), second: put(0, 0, "XYZ") },
  { name: "Enter at the end ‖ type at the end", start: LINE, first: enter(0, 19), second: put(0, 19, "XYZ") },
  { name: "Enter at the end ‖ type in the middle", start: LINE, first: enter(0, 19), second: put(0, 9, "XYZ") },
  { name: "Enter early ‖ type before it", start: LINE, first: enter(0, 9), second: put(0, 3, "XYZ") },
  { name: "Enter early ‖ type after it", start: LINE, first: enter(0, 3), second: put(0, 9, "XYZ") },
  { name: "Enter late ‖ type before it", start: LINE, first: enter(0, 14), second: put(0, 9, "XYZ") },
  { name: "Enter late ‖ type after it", start: LINE, first: enter(0, 14), second: put(0, 18, "XYZ") },
  { name: "Enter ‖ type at the very place", start: LINE, first: enter(0, 9), second: put(0, 9, "XYZ") },
  { name: "Enter ‖ erase across it", start: LINE, first: enter(0, 9), second: erase(0, 4, 14) },
  { name: "Enter ‖ bold across it", start: LINE, first: enter(0, 9), second: bold(0, 4, 14) },
  { name: "Enter ‖ Enter, elsewhere in the line", start: LINE, first: enter(0, 4), second: enter(0, 14) },
  { name: "Enter ‖ Enter, same place", start: LINE, first: enter(0, 9), second: enter(0, 9) },
  { name: "Enter ‖ another type of block", start: LINE, first: enter(0, 9), second: turn(0, "shot") },
  { name: "Backspace at the start ‖ type at the start", start: LINES, first: backspace(1), second: put(1, 0, "XYZ") },
  { name: "Backspace at the start ‖ type at the end", start: LINES, first: backspace(1), second: put(1, 13, "XYZ") },
  { name: "Backspace at the start ‖ type before it", start: LINES, first: backspace(1), second: put(0, 9, "XYZ") },
  {
    name: "Backspace, the line before is empty ‖ type",
    start: blocks("", "Ada"),
    first: backspace(1),
    second: put(1, 3, "XYZ"),
  },
  {
    name: "Backspace, the line is empty ‖ type in it",
    start: blocks("Ada", ""),
    first: backspace(1),
    second: put(1, 0, "XYZ"),
  },
  { name: "Backspace ‖ Backspace, same place", start: LINES, first: backspace(1), second: backspace(1) },
  { name: "Backspace ‖ Enter in the line", start: LINES, first: backspace(1), second: enter(1, 4) },
  {
    name: "move the block ‖ type in it",
    start: blocks("Ada", "Ben", "Eve"),
    first: move(0, 2),
    second: put(0, 3, "XYZ"),
  },
  {
    name: "move the block ‖ move it elsewhere",
    start: blocks("Ada", "Ben", "Eve"),
    first: move(0, 2),
    second: move(0, 1),
  },
  { name: "wrap in a link ‖ type in it", start: LINE, first: wrap(0, 4, 9), second: put(0, 6, "XYZ") },
  { name: "wrap in a link ‖ type behind it", start: LINE, first: wrap(0, 4, 9), second: put(0, 14, "XYZ") },
  { name: "bold ‖ type in it", start: LINE, first: bold(0, 4, 9), second: put(0, 6, "XYZ") },
  { name: "bold ‖ bold, overlapping", start: LINE, first: bold(0, 0, 9), second: bold(0, 4, 14) },
  { name: "remove the block ‖ type in it", start: blocks("Ada", "Ben"), first: remove(0), second: put(0, 3, "XYZ") },
];

/** Of these it is also shown what comes of them where nobody is left who knows what they did. */
const ALSO_GONE = [
  "Enter early ‖ type after it",
  "Enter ‖ erase across it",
  "Enter ‖ bold across it",
  "Enter ‖ Enter, same place",
  "Backspace at the start ‖ type at the start",
  "Backspace ‖ Backspace, same place",
  "move the block ‖ type in it",
  "move the block ‖ move it elsewhere",
  "wrap in a link ‖ type in it",
  "remove the block ‖ type in it",
];

export const SITUATIONS: readonly Situation[] = [
  ...TOGETHER,
  ...TOGETHER.filter(({ name }) => ALSO_GONE.includes(name)).map((each) => ({
    ...each,
    name: `${each.name}; then both are gone`,
    gone: true as const,
  })),
];

export interface Outcomes {
  readonly theirs: Outcome;
  readonly format0: Outcome;
  readonly format1: Outcome;
}

/** All engines, each with either order of client ids. */
export async function outcomes(situation: Situation): Promise<Outcomes> {
  const start = seed(situation.start);
  const results = new Map<string, string>();
  for (const ids of [
    [11, 22],
    [22, 11],
  ] as const) {
    const people = [...ids, 33].map((id) => theirs(start, id));
    collect(results, situation, await play(situation, people));
  }
  return { theirs: outcome(results), format0: await inFormat(situation, 0), format1: await inFormat(situation, 1) };
}

async function inFormat(situation: Situation, format: Format): Promise<Outcome> {
  const start = seed(situation.start, format);
  const results = new Map<string, string>();
  // Ids are drawn: until both orders came up.
  const seen = new Set<boolean>();
  while (seen.size < 2) {
    const people = [await ours(start), await ours(start), await ours(start)];
    seen.add(people[0]!.clientId < people[1]!.clientId);
    collect(results, situation, await play(situation, people));
  }
  return outcome(results);
}

/** `people`: the two, and who comes when they are gone. */
async function play(situation: Situation, people: readonly Replica[]): Promise<string> {
  const [a, b, third] = people as [Replica, Replica, Replica];
  try {
    situation.first(a.editor);
    situation.second(b.editor);
    // Slate tells of its changes once the turn is over, as before any message comes.
    await new Promise((wake) => setTimeout(wake));
    const [fromA, fromB] = [a.flush(), b.flush()];
    if (situation.gone) {
      for (const update of [...fromA, ...fromB]) third.apply(update);
      third.flush();
      return show(third.editor, false);
    }
    for (const update of fromB) a.apply(update);
    for (const update of fromA) b.apply(update);
    for (let round = 0; round < 3; round++) {
      for (const update of a.flush()) b.apply(update);
      for (const update of b.flush()) a.apply(update);
    }
    const [shownA, shownB] = [show(a.editor, false), show(b.editor, false)];
    return shownA === shownB ? show(b.editor, true) : `diverged: ${shownA} ≠ ${shownB}`;
  } catch (error) {
    return `throws: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    for (const each of people) await each.close();
  }
}

function collect(results: Map<string, string>, situation: Situation, value: string): void {
  results.set(value, damage(situation, value));
}

function outcome(results: ReadonlyMap<string, string>): Outcome {
  const worst = [...results.values()].sort((a, b) => b.length - a.length)[0]!;
  return { values: [...results.keys()].sort(), damage: worst };
}

/** A value in one line: blocks divided by ¶, their type if it is no action, marks and links as in Markdown, ‸ the caret. */
export function show(editor: Editor, caret: boolean): string {
  const focus = caret ? editor.selection?.focus : undefined;
  const leaf = ([node, path]: NodeEntry<Text>): string => {
    const here = focus !== undefined && Path.equals(focus.path, path);
    const text = here ? `${node.text.slice(0, focus.offset)}‸${node.text.slice(focus.offset)}` : node.text;
    return (node as { bold?: boolean }).bold && text !== "" ? `**${text}**` : text;
  };
  const inner = (children: readonly Descendant[], path: Path): string =>
    children
      .map((child, index) => {
        const own = [...path, index];
        if (Text.isText(child)) return leaf([child, own]);
        return `[${inner(child.children, own)}]`;
      })
      .join("");
  const lines = editor.children.map((block, index) => {
    const { type, children } = block as { type?: string; children: Descendant[] };
    return `${type === "action" ? "" : `(${type}) `}${inner(children, [index])}`;
  });
  return lines.join(" ¶ ");
}

/** What everybody wrote and nobody removed must be there once. Judged by the letters, in any sequence. */
function damage(situation: Situation, value: string): string {
  if (value.startsWith("throws")) return "throws";
  if (value.startsWith("diverged")) return "editors differ";
  const kept = expected(situation);
  const found = count(value.replace(/[‸¶*[\]]|\((?:shot)\) /g, "").replace(/ +/g, ""));
  const lost: string[] = [];
  const doubled: string[] = [];
  for (const letter of new Set([...kept.keys(), ...found.keys()])) {
    const difference = (found.get(letter) ?? 0) - (kept.get(letter) ?? 0);
    if (difference < 0) lost.push(letter.repeat(-difference));
    if (difference > 0) doubled.push(letter.repeat(difference));
  }
  const parts = [
    isAstray(situation, value) ? "astray" : "",
    lost.length > 0 ? `loses ${lost.join("")}` : "",
    doubled.length > 0 ? `doubles ${doubled.join("")}` : "",
  ];
  return parts.filter(Boolean).join(", ");
}

/** Typed text belongs behind what it was typed behind, or before what it was typed before: two letters tell. */
function isAstray({ start, second }: Situation, value: string): boolean {
  const alone = theirs(seed(start));
  second(alone.editor);
  const [before, after] = around(show(alone.editor, false));
  void alone.close();
  const [left, right] = around(value);
  return before !== null && left !== null && left !== before && right !== after;
}

function around(value: string): [string | null, string | null] {
  const text = value.replace(/ ¶ |[‸*[\]]/g, "");
  const found = text.indexOf("XYZ");
  return found < 0 ? [null, null] : [text.slice(Math.max(0, found - 2), found), text.slice(found + 3, found + 5)];
}

/** The letters that were there or typed, without those that one of the two removed. */
function expected({ start, first, second }: Situation): Map<string, number> {
  const letters = (value: readonly Descendant[]) => count(value.map((node) => Node.string(node)).join(""));
  const before = letters(start);
  const kept = new Map(before);
  for (const act of [first, second]) {
    const alone = theirs(seed(start));
    act(alone.editor);
    const after = letters(alone.editor.children);
    void alone.close();
    for (const letter of new Set([...before.keys(), ...after.keys()])) {
      const change = (after.get(letter) ?? 0) - (before.get(letter) ?? 0);
      kept.set(letter, (kept.get(letter) ?? 0) + change);
    }
  }
  return kept;
}

function count(text: string): Map<string, number> {
  const letters = new Map<string, number>();
  for (const letter of text.replace(/ /g, "")) letters.set(letter, (letters.get(letter) ?? 0) + 1);
  return letters;
}

/** The first table of docs/CONCURRENCY.md. */
export async function table(): Promise<string> {
  const rows: Row[] = [];
  for (const situation of SITUATIONS) {
    const { theirs, format0, format1 } = await outcomes(situation);
    rows.push({ name: situation.name, cells: [theirs, format0, format1] });
  }
  return tableOf(rows);
}

/** A room of both kinds of clients, in format 0: how many of the situations damage something, and which. */
export async function mixed(): Promise<string> {
  const rows: string[] = [];
  for (const [first, second] of [
    ["slate-yjs", "slate-yrs"],
    ["slate-yrs", "slate-yjs"],
  ] as const) {
    const damaged: string[] = [];
    for (const situation of TOGETHER) {
      const { damage } = await inMixedRoom(situation, first === "slate-yrs");
      if (damage !== "") damaged.push(`${situation.name}: ${damage}`);
    }
    rows.push(`| ${first} | ${second} | **${damaged.length} of ${TOGETHER.length}** | ${damaged.join("<br>")} |`);
  }
  return ["| the first uses | the second uses | damaged | where |", "|---|---|---|---|", ...rows].join("\n");
}

async function inMixedRoom(situation: Situation, oursFirst: boolean): Promise<Outcome> {
  const start = seed(situation.start);
  const results = new Map<string, string>();
  for (const side of [-1, 1]) {
    const our = await ours(start);
    const their = theirs(start, our.clientId + side);
    const pair = oursFirst ? [our, their] : [their, our];
    collect(results, situation, await play(situation, [...pair, theirs(start, 33)]));
  }
  return outcome(results);
}

export interface Row {
  readonly name: string;
  /** slate-yjs, format 0, format 1. */
  readonly cells: readonly Outcome[];
}

/** Rows with a last one that counts the damaged. */
export function tableOf(rows: readonly Row[]): string {
  const damaged = [0, 1, 2].map((column) => rows.filter(({ cells }) => cells[column]!.damage !== "").length);
  return [
    "| at once | `@slate-yjs/core` | slate-yrs, format 0 | slate-yrs, format 1 |",
    "|---|---|---|---|",
    ...rows.map(({ name, cells }) => `| ${name.replaceAll("|", "\\|")} | ${cells.map(cell).join(" | ")} |`),
    `| **damaged** | ${damaged.map((count) => `**${count} of ${rows.length}**`).join(" | ")} |`,
  ].join("\n");
}

function cell({ values, damage }: Outcome): string {
  const code = (value: string) => (value === "" ? "an empty line" : `\`${value.replaceAll("|", "\\|")}\``);
  const shown = values.map(code).join("<br>or ");
  return [shown, damage === "" ? "" : `**${damage.replaceAll("|", "\\|")}**`].filter(Boolean).join("<br>");
}
