// Values beside the text, on the real engine: between documents, with a plain Yjs peer, on the device, in undo.
import "fake-indexeddb/auto";
import { slateNodesToInsertDelta, yTextToSlateElement } from "@slate-yjs/core";
import { createEditor, Editor, Transforms } from "slate";
import { afterEach, describe, expect, it } from "vitest";
import * as Y from "yjs";
import { type Collab, type Json, open, type SharedMapChange } from "../../js/index.js";
import { withCollab } from "../../js/slate.js";
import { openTogether } from "../../js/testing.js";
import { Engine } from "../../js/wasm.js";
import { block, code } from "./fake.js";

const opened: Collab[] = [];
let named = 0;

async function local(options: { id?: string; offline?: boolean; format?: 0 | 1; root?: string } = {}): Promise<Collab> {
  const { id = `shared-${named++}`, ...others } = options;
  const collab = await open({ id, offline: false, initialValue: [block("one")], ...others });
  opened.push(collab);
  return collab;
}

async function together(count: number) {
  const room = await openTogether(count, { initialValue: [block("one")] });
  opened.push(...room.documents);
  return room;
}

afterEach(async () => {
  for (const collab of opened.splice(0)) await collab.close();
});

describe("a map", () => {
  it("has at once what is set, and tells of it", async () => {
    const collab = await local();
    const title = collab.map("title");
    expect(collab.map("title")).toBe(title);
    const changes: SharedMapChange[] = [];
    title.on((change) => changes.push(change));
    const before = title.entries();
    expect(title.entries()).toBe(before);
    title.set("name", { draft: [1, null, "zwölf"] });
    expect(title.get("name")).toEqual({ draft: [1, null, "zwölf"] });
    expect(changes).toEqual([{ keys: ["name"], origin: "local" }]);
    expect([before.size, title.entries().size]).toEqual([0, 1]);
    const now = title.entries();
    title.set("name", { draft: [1, null, "zwölf"] });
    title.delete("nothing");
    expect(title.entries()).toBe(now);
    expect(changes).toHaveLength(1);
    expect(Object.isFrozen((title.get("name") as { draft: Json[] }).draft)).toBe(true);
    title.delete("name");
    expect(title.get("name")).toBeUndefined();
    expect(changes.at(-1)).toEqual({ keys: ["name"], origin: "local" });
  });

  it("is the same for everybody after a time apart, key by key", async () => {
    const room = await together(3);
    const maps = room.documents.map((collab) => collab.map("m"));
    room.part();
    for (const [at, map] of maps.entries()) {
      map.set("all", at);
      map.set(`own ${at}`, at);
    }
    const heard: SharedMapChange[] = [];
    maps[0]!.on((change) => heard.push(change));
    room.meet();
    const values = maps.map((map) => Object.fromEntries([...map.entries()].sort()));
    expect(values[1]).toEqual(values[0]);
    expect(values[2]).toEqual(values[0]);
    expect(Object.keys(values[0]!)).toEqual(["all", "own 0", "own 1", "own 2"]);
    expect(heard.map(({ origin }) => origin)).toEqual(expect.arrayContaining(["remote"]));
    expect(heard.flatMap(({ keys }) => keys)).toEqual(expect.arrayContaining(["own 1", "own 2"]));
  });

  it("refuses names, keys and values by a typed error, and nothing is half done", async () => {
    const collab = await local();
    const rooted = await local({ root: "script" });
    for (const name of ["content", "slate-yrs:doc", "slate-yrs:comments", "", "x".repeat(201), 7]) {
      expect(code(() => collab.map(name as string))).toBe("protocol");
    }
    expect(code(() => rooted.map("script"))).toBe("protocol");
    expect(code(() => rooted.map("content"))).toBe("nothing was thrown");
    const map = collab.map<unknown>("m");
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const deep = (levels: number) => Array.from({ length: levels }).reduce<unknown>((value) => [value], 0);
    for (const value of [undefined, () => 1, circle, 1n, deep(64), deep(300)])
      expect(code(() => map.set("k", value))).toBe("protocol");
    expect(code(() => map.set("k", "ü".repeat(140_000)))).toBe("too-large");
    expect(code(() => map.set("k".repeat(1_001), 1))).toBe("too-large");
    expect(code(() => map.set(5 as unknown as string, 1))).toBe("protocol");
    expect(map.entries().size).toBe(0);
    map.set("k", deep(63));
    map.delete("k");
    map.set("half", "\ud800!");
    expect(map.get("half")).toBe("\ufffd!");
    await collab.close();
    expect(code(() => map.set("k", 1))).toBe("closed");
    expect(code(() => collab.map("other"))).toBe("closed");
    expect(collab.map("m").get("half")).toBe("\ufffd!");
  });

  it("is a step of undo between those of the text", async () => {
    for (const format of [0, 1] as const) {
      const collab = await local({ format });
      const editor = withCollab(createEditor(), collab);
      const map = collab.map<string>("m");
      const origins: string[] = [];
      map.on(({ origin }) => origins.push(origin));
      Transforms.insertText(editor, "!", { at: Editor.end(editor, []) });
      map.set("k", "1");
      Transforms.insertText(editor, "?", { at: Editor.end(editor, []) });
      const state = () => [Editor.string(editor, []), map.get("k")];
      expect(state()).toEqual(["one!?", "1"]);
      const states = [0, 1, 2].map(() => {
        collab.undo();
        return state();
      });
      expect(states).toEqual([
        ["one!", "1"],
        ["one!", undefined],
        ["one", undefined],
      ]);
      for (let step = 0; step < 3; step += 1) collab.redo();
      expect(state()).toEqual(["one!?", "1"]);
      expect(origins).toEqual(["local", "undo", "undo"]);
    }
  });

  it("is no step of undo where it is said so", async () => {
    for (const format of [0, 1] as const) {
      const collab = await local({ format });
      const editor = withCollab(createEditor(), collab);
      const map = collab.map<string>("m");
      Transforms.insertText(editor, "!", { at: Editor.end(editor, []) });
      map.set("k", "1", { undo: false });
      map.set("l", "2", { undo: true });
      collab.undo();
      expect([Editor.string(editor, []), map.get("k"), map.get("l")]).toEqual(["one!", "1", undefined]);
      collab.undo();
      expect([Editor.string(editor, []), map.get("k")]).toEqual(["one", "1"]);
      expect(collab.undo()).toBe(false);
    }
  });

  it("is kept on the device", async () => {
    const first = await open({ id: "kept" });
    first.map("m").set("k", [1, 2]);
    await first.close();
    const second = await open({ id: "kept" });
    opened.push(second);
    expect(second.map("m").get("k")).toEqual([1, 2]);
  });
});

it("goes on where the engine failed and was started again", async () => {
  const collab = await local();
  const editor = withCollab(createEditor(), collab);
  const map = collab.map("m");
  map.set("k", 1);
  const changes: SharedMapChange[] = [];
  map.on((change) => changes.push(change));
  const errors: string[] = [];
  collab.on("error", ({ code }) => errors.push(code));
  const { insertText } = Engine.prototype;
  Engine.prototype.insertText = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  Transforms.insertText(editor, "!", { at: Editor.end(editor, []) });
  await expect.poll(() => errors).toContain("wasm");
  Engine.prototype.insertText = insertText;
  await expect.poll(() => code(() => map.set("l", 2))).toBe("nothing was thrown");
  expect(Object.fromEntries(map.entries())).toEqual({ k: 1, l: 2 });
  expect(collab.map("m")).toBe(map);
  map.delete("k");
  // Nothing is told anew of what is as it was.
  expect(changes).toEqual([
    { keys: ["l"], origin: "local" },
    { keys: ["k"], origin: "local" },
  ]);
});

describe("a peer with plain Yjs", () => {
  it("reads and writes the same values; what it has besides is passed over", async () => {
    for (const format of [0, 1] as const) {
      const collab = await local({ format });
      const peer = new Y.Doc();
      Y.applyUpdate(peer, collab.encodeState());
      collab.on("update", ({ update }) => Y.applyUpdate(peer, update, "ours"));
      peer.on("update", (update: Uint8Array, origin: unknown) => origin !== "ours" && collab.applyUpdate(update));
      const [ours, theirs] = [collab.map("title"), peer.getMap("title")];
      const all: Json = { text: "a", number: 2 ** 40, fraction: 0.1, huge: 1e300, none: null, list: [true, { a: 1 }] };
      ours.set("all", all);
      expect(theirs.get("all")).toEqual(all);
      theirs.set("back", all);
      theirs.set("nested", new Y.Map([["a", 1]]));
      theirs.set("bytes", new Uint8Array([1]));
      expect(Object.fromEntries(ours.entries())).toEqual({ all, back: all });
      theirs.delete("all");
      expect(ours.get("all")).toBeUndefined();
      expect(collab.value()).toEqual([block("one")]);
    }
  });

  it("of slate-yjs has its text, with maps beside it", async () => {
    const collab = await local({ format: 0 });
    collab.map("title").set("name", "Draft");
    const peer = new Y.Doc();
    Y.applyUpdate(peer, collab.encodeState());
    const root = peer.get("content", Y.XmlText);
    expect(yTextToSlateElement(root).children).toEqual([block("one")]);
    root.applyDelta([{ retain: root.length }, ...slateNodesToInsertDelta([block("two")])]);
    collab.applyUpdate(Y.encodeStateAsUpdate(peer));
    expect(collab.value()).toEqual([block("one"), block("two")]);
    expect(collab.map("title").get("name")).toBe("Draft");
  });
});
