// The situations of tests/fixtures/mapping.json, each written by slate-yrs or slate-yjs and read by either: the
// editors and the documents of both are in the end what Slate alone makes of it.
import { readFileSync } from "node:fs";
import { type Descendant, Editor, type Operation } from "slate";
import { describe, expect, it } from "vitest";
import { canonical, ours, type Replica, seed, theirs } from "./replica.js";

interface Situation {
  name: string;
  input: Descendant[];
  ops: Operation[];
  expected: Descendant[];
}

const situations = JSON.parse(
  readFileSync(new URL("../fixtures/mapping.json", import.meta.url), "utf8"),
) as readonly Situation[];

const make = (kind: Replica["kind"], start: Uint8Array) => (kind === "ours" ? ours(start) : theirs(start));

/** What the editors and the documents of writer and reader hold in the end. */
async function play({ input, ops }: Situation, writing: Replica["kind"], reading: Replica["kind"]) {
  const start = seed(input);
  const [writer, reader] = [await make(writing, start), await make(reading, start)];
  try {
    Editor.withoutNormalizing(writer.editor, () => {
      for (const op of ops) writer.editor.apply(op);
    });
    for (const update of writer.flush()) reader.apply(update);
    reader.flush();
    return {
      shown: canonical(writer.editor.children),
      written: canonical(writer.document()),
      read: canonical(reader.editor.children),
      arrived: canonical(reader.document()),
    };
  } finally {
    await writer.close();
    await reader.close();
  }
}

const KINDS = ["ours", "theirs"] as const;
const TURNS = KINDS.flatMap((writing) => KINDS.map((reading) => [writing, reading] as const));

describe.each(situations)("$name", (situation) => {
  it.each(TURNS)("%s write, %s read", async (writing, reading) => {
    const expected = canonical(situation.expected);
    expect(await play(situation, writing, reading)).toEqual({
      shown: expected,
      written: expected,
      read: expected,
      arrived: expected,
    });
  });
});
