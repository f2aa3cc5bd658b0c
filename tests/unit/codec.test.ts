// The JavaScript half of the codec; `src/codec/tests.rs` holds the Rust half to the same golden batches.
import type { Descendant, Operation } from "slate";
import { describe, expect, it } from "vitest";
import {
  decodeNodes,
  decodeOperations,
  decodeRange,
  encodeNodes,
  encodeOperation,
  encodeOperations,
  encodeRange,
  wellFormed,
} from "../../js/codec.ts";
import { CollabError } from "../../js/errors.ts";
import golden from "./codec.golden.json" with { type: "json" };

const code = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(CollabError);
    return (error as CollabError).code;
  }
  return "nothing thrown";
};

describe("golden batches", () => {
  for (const { name, operation, words, text } of golden) {
    it(name, () => {
      const batch = encodeOperation(operation as Operation);
      expect([...batch.words]).toEqual(words);
      expect(batch.text).toBe(text);
      expect(decodeOperations(Uint32Array.from(words), text)).toEqual([operation]);
    });
  }

  it("in one batch, sharing keys", () => {
    const operations = golden.map(({ operation }) => operation as Operation);
    const { words, text } = encodeOperations(operations);
    expect(decodeOperations(words, text)).toEqual(operations);
    const apart = golden.reduce((sum, one) => sum + one.words.length, 0);
    expect(words.length).toBeLessThan(apart);
  });
});

describe("nodes", () => {
  it("survive both ways", () => {
    const value = [
      { type: "dialogue", id: "b1", children: [{ text: "I’m " }, { text: "here 🙂", bold: true, size: -1.5 }] },
      { type: "column", children: [{ type: "action", children: [{ text: "" }] }] },
    ] as unknown as Descendant[];
    const { words, text } = encodeNodes(value);
    expect(decodeNodes(words, text)).toEqual(value);
  });

  it("keep a property called __proto__ a property", () => {
    const value = JSON.parse('[{"__proto__": {"polluted": 1}, "children": []}]') as Descendant[];
    const { words, text } = encodeNodes(value);
    const [node] = decodeNodes(words, text) as unknown as Record<string, unknown>[];
    expect(Object.getPrototypeOf(node)).toBe(Object.prototype);
    expect(Object.hasOwn(node!, "__proto__")).toBe(true);
    expect(node!.polluted).toBeUndefined();
  });

  it("leave out what JSON has not", () => {
    const value = [{ type: undefined, n: Number.NaN, m: Number.POSITIVE_INFINITY, children: [{ text: "a" }] }];
    const { words, text } = encodeNodes(value as unknown as Descendant[]);
    expect(decodeNodes(words, text)).toEqual([{ n: null, m: null, children: [{ text: "a" }] }]);
  });

  it("F11: halves of surrogate pairs become one character each, and never meet", () => {
    const value = [{ text: "\ud83d", mark: "\ude42", json: ["\ud83d"] }, { text: "\ude42" }] as unknown as Descendant[];
    const { words, text } = encodeNodes(value);
    expect(decodeNodes(words, text)).toEqual([
      { text: "\ufffd", mark: "\ufffd", json: ["\ufffd"] },
      { text: "\ufffd" },
    ]);
    expect(wellFormed("a\ud83db")).toBe("a\ufffdb");
    expect(wellFormed("a🙂b")).toBe("a🙂b");
  });
});

describe("ranges", () => {
  it("survive both ways", () => {
    const range = { anchor: { path: [0, 1], offset: 4 }, focus: { path: [], offset: 4294967295 } };
    expect(decodeRange(encodeRange(range))).toEqual(range);
    expect(decodeRange(encodeRange(null))).toBeNull();
  });
});

describe("what is no operation is refused", () => {
  const path = [0, 0];
  const hostile: [string, unknown][] = [
    ["nothing", undefined],
    ["null", null],
    ["a number", 7],
    ["no type", {}],
    ["an unknown type", { type: "explode", path }],
    ["a type of Object's own", { type: "constructor", path }],
    ["no path", { type: "insert_text", offset: 0, text: "a" }],
    ["a path that is a string", { type: "insert_text", path: "0,0", offset: 0, text: "a" }],
    ["a negative index", { type: "insert_text", path: [-1], offset: 0, text: "a" }],
    ["a fraction", { type: "insert_text", path: [0.5], offset: 0, text: "a" }],
    ["NaN", { type: "insert_text", path: [Number.NaN], offset: 0, text: "a" }],
    ["too large an index", { type: "insert_text", path: [2 ** 32], offset: 0, text: "a" }],
    ["a path with holes", { type: "insert_text", path: new Array(3), offset: 0, text: "a" }],
    ["a path without end", { type: "insert_text", path: new Array(1e6).fill(0), offset: 0, text: "a" }],
    ["an offset of NaN", { type: "remove_text", path, offset: Number.NaN, text: "a" }],
    ["an offset that is a string", { type: "remove_text", path, offset: "1", text: "a" }],
    ["a text that is a number", { type: "insert_text", path, offset: 0, text: 5 }],
    ["a node that is a string", { type: "insert_node", path, node: "x" }],
    ["a node of neither kind", { type: "insert_node", path, node: { type: "x" } }],
    ["a child that is none", { type: "insert_node", path, node: { children: [null] } }],
    ["a property that is a function", { type: "set_node", path, properties: {}, newProperties: { a: () => 1 } }],
    ["a property that is a bigint", { type: "set_node", path, properties: {}, newProperties: { a: 1n } }],
    ["a property that is a symbol", { type: "set_node", path, properties: {}, newProperties: { a: Symbol("a") } }],
    ["a mark without a name", { type: "set_node", path, properties: {}, newProperties: { "": true } }],
    ["a text whose mark has no name", { type: "insert_node", path, node: { children: [{ text: "a", "": true }] } }],
    ["properties that are an array", { type: "set_node", path, properties: [], newProperties: {} }],
    ["no position", { type: "split_node", path, properties: {} }],
    ["no new path", { type: "move_node", path }],
  ];
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  hostile.push(["a property in a circle", { type: "set_node", path, properties: {}, newProperties: { circular } }]);
  const endless: { children: unknown[] } = { children: [] };
  endless.children.push(endless);
  hostile.push(["a node in itself", { type: "insert_node", path, node: endless }]);

  for (const [name, operation] of hostile) {
    it(name, () => expect(code(() => encodeOperation(operation as Operation))).toBe("protocol"));
  }
  it("a value that is no array", () =>
    expect(code(() => encodeNodes("x" as unknown as Descendant[]))).toBe("protocol"));
  it("a range without points", () => expect(code(() => encodeRange({} as never))).toBe("protocol"));
});
