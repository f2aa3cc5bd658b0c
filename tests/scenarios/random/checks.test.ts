// The checks say no, each to what it is there for: the start, what two made of it, and something wrong that came of it.
import type { Descendant } from "slate";
import { expect, it } from "vitest";
import { Judge, type Kind, Seen } from "./checks.js";

type Nodes = Descendant[];
const node = (type: string, ...children: unknown[]) => ({ type, children }) as unknown as Descendant;
const p = (text: string, props: object = {}) => ({ ...node("p", { text }), ...props }) as Descendant;
const mention = (n: number) => ({ type: "mention", n, children: [{ text: "" }] });
const bold = (...parts: [string, boolean][]) =>
  node("p", ...parts.map(([text, is]) => (is ? { text, bold: true } : { text })));

const START: Nodes = [p("abcd"), p("efgh")];

function faults(start: Nodes, first: Nodes, second: Nodes, merged: Nodes, dead: string[] = []): Kind[] {
  const people = [first, second].map((value) => ({ steps: [new Seen(value)], end: new Seen(value) }));
  const found = new Judge(new Seen(start), people, new Seen(merged), new Set(dead)).faults();
  return [...new Set(found.map(({ kind }) => kind))].sort();
}

/** One types x behind b, the other divides the first line behind c. */
const TYPED: Nodes = [p("abxcd"), p("efgh")];
const DIVIDED: Nodes = [p("abc"), p("d"), p("efgh")];

const WRONG: [Kind[], string, Nodes, Nodes, Nodes, Nodes][] = [
  [[], "nothing", START, TYPED, DIVIDED, [p("abxc"), p("d"), p("efgh")]],
  [["lost"], "what was typed is gone", START, TYPED, DIVIDED, [p("abc"), p("d"), p("efgh")]],
  [["lost"], "what was there is gone", START, TYPED, DIVIDED, [p("abxc"), p("d"), p("efg")]],
  [["doubled"], "a letter is there twice", START, TYPED, DIVIDED, [p("abxc"), p("d"), p("efgha")]],
  [["back"], "what was removed is there", START, [p("abd"), p("efgh")], DIVIDED, [p("abc"), p("d"), p("efgh")]],
  [["order"], "the halves have changed places", START, TYPED, DIVIDED, [p("d"), p("abxc"), p("efgh")]],
  [["place"], "what was typed is elsewhere", START, TYPED, DIVIDED, [p("axbc"), p("d"), p("efgh")]],
  [["breaks"], "the break is gone", START, TYPED, DIVIDED, [p("abxcd"), p("efgh")]],
  [["joins"], "there is another break", START, TYPED, DIVIDED, [p("abxc"), p("d"), p("ef"), p("gh")]],
  [["kind"], "a line is of another type", START, TYPED, DIVIDED, [p("abxc"), p("d"), node("h", { text: "efgh" })]],
  [["shape"], "there is an empty line", START, TYPED, DIVIDED, [p("abxc"), p("d"), p(""), p("efgh")]],
  [["shape"], "there is a type that nobody had", START, TYPED, DIVIDED, [node("q", p("abxc"), p("d"), p("efgh"))]],
  [["marks"], "what nobody made bold is", START, TYPED, START, [bold(["abxcd", false]), bold(["efgh", true])]],
];

it.each(WRONG)("%j: %s", (kinds, _, start, first, second, merged) => {
  const found = faults(start, first, second, merged);
  for (const kind of kinds) expect(found).toContain(kind);
  if (kinds.length === 0) expect(found).toEqual([]);
});

it("what was removed rounds ago is back", () => {
  expect(faults(START, TYPED, START, [p("abxcd"), p("efghz")], ["z"])).toContain("back");
});

it("a mark that one took off stays off", () => {
  const start = [bold(["ab", true], ["cd", false])];
  expect(faults(start, [bold(["a", true], ["bcd", false])], start, start)).toEqual(["marks"]);
});

it("a void is there once", () => {
  const start = [node("p", { text: "ab" }, mention(1), { text: "cd" })];
  const without = [p("abcd")];
  const twice = [node("p", { text: "ab" }, mention(1), mention(1), { text: "cd" })];
  expect(faults(start, start, start, without)).toEqual(["kind"]);
  expect(faults(start, start, start, twice)).toEqual(["kind"]);
  expect(faults(start, without, start, start)).toEqual(["kind"]);
});
