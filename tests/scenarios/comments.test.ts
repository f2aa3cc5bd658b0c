// A comment on each line of each scenario: whatever people do to the structure at once, it stays on its letters, for everybody.
import { Editor, Node, type Path, Range, Text } from "slate";
import { type Comments, comments } from "slate-yrs/comments";
import type { CollabEditor } from "slate-yrs/slate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { perform } from "./acts.mjs";
import { engineOf } from "./runner/engines.js";
import { FAMILIES, family, type Pair } from "./runner/files.js";
import { schemaOf } from "./runner/play.js";
import { exchange, seed } from "./runner/replica.js";
import { setUp } from "./runner/yrs.js";

let undo: () => void = () => {};
beforeAll(() => {
  undo = setUp();
});
afterAll(() => undo());

const PAIRS = FAMILIES.filter((name) => family(name).form === "pair");

/** Counted, so that a change of the files that leaves nothing to look at is seen. */
let looked = 0;

it.each(PAIRS)("%s", { timeout: 300_000 }, async (name) => {
  const all = family(name);
  for (const scenario of all.scenarios as Pair[]) {
    if (scenario.prepare !== undefined) continue;
    const wrong = await play(scenario, schemaOf(all, scenario));
    expect(wrong, scenario.id).toEqual([]);
  }
});

it("looks at hundreds of places", () => expect(looked).toBeGreaterThan(300));

async function play(scenario: Pair, schema: ReturnType<typeof schemaOf>): Promise<string[]> {
  const acts = [scenario.a, scenario.b, ...(scenario.c ? [scenario.c] : [])];
  const ids = acts.map((_, at) => 1_000 + at);
  const people = await engineOf("format1").open(seed(scenario.value, 1), schema, ids);
  try {
    const editors = people.map(({ editor }) => editor as Editor & CollabEditor);
    for (const each of people) await each.settle();
    for (const each of people) each.take();
    const notes = editors.map((editor) => comments(editor.collab, editor));
    const letters = once(editors[0]!);
    for (const [node, path] of Node.texts(editors[0]!)) {
      if (node.text.trim() === node.text && node.text !== "") notes[0]!.create(Editor.range(editors[0]!, path), "Why?");
    }
    await exchange(people, "first");
    for (const [at, own] of acts.entries()) {
      for (const act of own) {
        perform(editors[at]!, act);
        await people[at]!.settle();
      }
    }
    await exchange(people, "first");
    const found = notes.map((each) => each.threads);
    const seen = found.map((threads) => threads.map(({ id, range }) => [id, range]));
    const wrong = seen.filter((own) => JSON.stringify(own) !== JSON.stringify(seen[0])).map(() => "they differ");
    return [...wrong, ...misplaced(editors[0]!, notes[0]!, letters)];
  } finally {
    for (const each of people) await each.close();
  }
}

/** Letters that are there once. */
function once(editor: Editor): Set<string> {
  const text = Array.from(Node.texts(editor), ([node]) => node.text).join("");
  return new Set([...text].filter((letter) => text.split(letter).length === 2));
}

/** Threads whose first or last letter is there, and that do not begin or end with it. */
function misplaced(editor: Editor, notes: Comments, before: Set<string>): string[] {
  const wrong: string[] = [];
  const there = once(editor);
  for (const { quote, range } of notes.threads) {
    const [first, last] = [[...quote][0]!, [...quote].at(-1)!];
    const known = (letter: string) => before.has(letter) && there.has(letter);
    if (!known(first) || !known(last)) continue;
    looked += 1;
    if (range === null) {
      wrong.push(`${quote} is not found`);
      continue;
    }
    const ends = letterRange(editor, first, last);
    if (!Range.equals(range, ends)) wrong.push(`${quote}: ${JSON.stringify(range)}, not ${JSON.stringify(ends)}`);
  }
  return wrong;
}

function letterRange(editor: Editor, first: string, last: string): Range {
  const at = (letter: string): { path: Path; offset: number } => {
    for (const [node, path] of Node.texts(editor)) {
      if (Text.isText(node) && node.text.includes(letter)) return { path, offset: node.text.indexOf(letter) };
    }
    throw new Error(`no ${letter}`);
  };
  const end = at(last);
  return { anchor: at(first), focus: { path: end.path, offset: end.offset + last.length } };
}
