import { createEditor, type Descendant, type Operation } from "slate";
import { describe, expect, it } from "vitest";
import { isNeutral } from "../../js/slate/neutral.js";
import { difference } from "./difference.js";
import { block, plain } from "./fake.js";

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const PIECES = ["a", "b", "\u{1f600}", "\u{1f601}", "’"];

function value(next: (below: number) => number, depth = 0): Descendant[] {
  return Array.from({ length: 1 + next(4) }, () => {
    if (depth > 0 && next(3) > 0) {
      const text = Array.from({ length: next(5) }, () => PIECES[next(PIECES.length)]).join("");
      return (next(2) ? { text } : { text, bold: next(2) === 1 }) as Descendant;
    }
    const children = depth > 2 ? [{ text: "" }] : value(next, depth + 1);
    return { type: "ab"[next(2)], ...(next(2) ? { data: { n: next(3) } } : {}), children } as Descendant;
  });
}

describe("the difference of two values", () => {
  it("leads from any value to any other", () => {
    for (let seed = 0; seed < 500; seed++) {
      const next = random(seed);
      const from = value(next);
      const to = value(next);
      const editor = plain(from);
      for (const op of difference(editor.children, to)) editor.apply(op);
      expect(editor.children, `seed ${seed}`).toEqual(to);
    }
  });

  it("changes the smallest subtree", () => {
    const from = [block("one"), block("two"), block("three")];
    expect(difference(from, structuredClone(from))).toEqual([]);
    expect(difference(from, [block("one"), block("tw!o"), block("three")])).toEqual([
      { type: "insert_text", path: [1, 0], offset: 2, text: "!" },
    ]);
    expect(difference(from, [block("one"), block("three")]).map(({ type }) => type)).toEqual(["remove_node"]);
    expect(difference(from, [block("one"), block("two", { type: "shot" }), block("three")])).toEqual([
      { type: "set_node", path: [1], properties: { type: "action" }, newProperties: { type: "shot" } },
    ]);
  });

  it("f11: never cuts a surrogate pair", () => {
    expect(difference([{ text: "x\u{1f600}y" }], [{ text: "x\u{1f601}y" }])).toEqual([
      { type: "remove_text", path: [0], offset: 1, text: "\u{1f600}" },
      { type: "insert_text", path: [0], offset: 1, text: "\u{1f601}" },
    ]);
    // These two share their second half.
    expect(difference([{ text: "\u{1f600}" }], [{ text: "\u{1fa00}" }])[0]).toMatchObject({ text: "\u{1f600}" });
  });
});

describe("what the document does not see", () => {
  const leaves = [{ text: "" }, { text: "a", bold: false }, { text: "b", bold: false }, { text: "c" }];
  const children = [{ type: "action", children: leaves } as Descendant];
  const cases: [boolean, Operation][] = [
    [true, { type: "insert_node", path: [0, 0], node: { text: "", bold: true } as Descendant }],
    [false, { type: "insert_node", path: [0, 0], node: { text: "x" } }],
    [false, { type: "insert_node", path: [0], node: block("") }],
    [true, { type: "remove_node", path: [0, 0], node: { text: "" } }],
    [false, { type: "remove_node", path: [0, 1], node: { text: "a" } }],
    [true, { type: "move_node", path: [0, 0], newPath: [0, 2] }],
    [false, { type: "move_node", path: [0, 1], newPath: [0, 2] }],
    // What follows would take the block that has lost its only leaf.
    [false, { type: "move_node", path: [0, 0], newPath: [1] }],
    [true, { type: "merge_node", path: [0, 2], position: 1, properties: {} }],
    [false, { type: "merge_node", path: [0, 3], position: 1, properties: {} }],
    [false, { type: "merge_node", path: [0, 1], position: 0, properties: {} }],
    [false, { type: "merge_node", path: [0], position: 0, properties: {} }],
    [true, { type: "split_node", path: [0, 1], position: 0, properties: { bold: false } as never }],
    [false, { type: "split_node", path: [0, 1], position: 0, properties: {} }],
    [true, { type: "split_node", path: [0, 1], position: 1, properties: {} }],
    [false, { type: "split_node", path: [0], position: 1, properties: {} }],
    [true, { type: "set_node", path: [0, 0], properties: {}, newProperties: { bold: true } as never }],
    [true, { type: "set_node", path: [0, 1], properties: {}, newProperties: { bold: false, italic: null } as never }],
    [false, { type: "set_node", path: [0, 1], properties: { bold: false } as never, newProperties: {} }],
    [false, { type: "set_node", path: [0], properties: {}, newProperties: { type: "shot" } as never }],
    [false, { type: "insert_text", path: [0, 0], offset: 0, text: "x" }],
    [true, { type: "remove_text", path: [0, 0], offset: 0, text: "" }],
    [false, { type: "remove_node", path: [7], node: { text: "" } }],
  ];
  it.each(cases)("%s: %j", (neutral, op) => {
    const editor = createEditor();
    editor.children = structuredClone(children);
    expect(isNeutral(editor, op)).toBe(neutral);
  });
});
