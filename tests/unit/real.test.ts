// Bound editors on the real engine, several documents connected by their updates.
import { createEditor, type Descendant, Editor, type Element, Node, Text, Transforms } from "slate";
import { withHistory } from "slate-history";
import { withReact } from "slate-react";
import { afterEach, describe, expect, it } from "vitest";
import { handleOf } from "../../js/engine.js";
import { type Collab, open } from "../../js/index.js";
import { anchor, type CollabEditor, resolve, withCollab, withoutSaving } from "../../js/slate.js";
import { openTogether } from "../../js/testing.js";
import { block } from "./fake.js";

type Bound = Editor & CollabEditor;

const opened: Collab[] = [];
const tick = () => new Promise((done) => setTimeout(done));
let named = 0;

async function document(initialValue?: Descendant[]): Promise<Collab> {
  const collab = await open({ id: `real-${named++}`, offline: false, initialValue });
  opened.push(collab);
  return collab;
}

/** Documents with one content, each of which gets the updates of the others at once. */
async function connected(count: number, initialValue: Descendant[]): Promise<readonly Collab[]> {
  const { documents } = await openTogether(count, { initialValue });
  opened.push(...documents);
  return documents;
}

const kinds = <T extends Editor>(editor: T): T => {
  editor.isInline = (element) => ["link", "mention"].includes((element as { type?: string }).type ?? "");
  editor.isVoid = (element) => (element as { type?: string }).type === "mention";
  return editor;
};
const bind = (collab: Collab, make: () => Editor = () => kinds(createEditor())): Bound => withCollab(make(), collab);
const place = (path: number[], offset: number) => ({ path, offset });
const caret = (path: number[], offset: number) => ({ anchor: place(path, offset), focus: place(path, offset) });

async function pair(value: Descendant[]): Promise<[Bound, Bound]> {
  const [one, two] = await connected(2, value);
  return [bind(one!), bind(two!)];
}

/** Both editors, both documents, all the same; and nobody had to be mended. */
function agree(...editors: Bound[]): Descendant[] {
  for (const editor of editors) {
    handleOf(editor.collab).flush();
    expect(editor.divergences).toBe(0);
  }
  for (const editor of editors) {
    expect(editor.children).toEqual(editor.collab.value());
    expect(editor.children).toEqual(editors[0]!.children);
  }
  return editors[0]!.children;
}

afterEach(async () => {
  for (const collab of opened.splice(0)) await collab.close();
});

describe("two editors, two documents", () => {
  it("type", async () => {
    const [one, two] = await pair([block("")]);
    for (const letter of "Hello") {
      Transforms.insertText(one, letter, { at: Editor.end(one, []) });
      await tick();
      Transforms.insertText(two, letter.toUpperCase(), { at: Editor.start(two, []) });
      await tick();
    }
    expect(Node.string(agree(one, two)[0]!)).toBe("OLLEHHello");
  });

  it("f7: type at the same time, and nobody hears an echo", async () => {
    const [one, two] = await pair([block("mid")]);
    for (const letter of "test") {
      Transforms.insertText(one, letter, { at: Editor.start(one, []) });
      Transforms.insertText(two, letter, { at: Editor.end(two, []) });
      if (letter === "s") await tick();
    }
    await tick();
    expect(Node.string(agree(one, two)[0]!)).toBe("tsetmidtest");
  });

  it("undo by steps that the application may end, and not what is done without saving", async () => {
    const [one, two] = await pair([block("one"), block("two")]);
    const { collab } = one;
    const texts = () => agree(one, two).map((node) => Node.string(node));
    Transforms.insertText(one, "a", { at: place([0, 0], 3) });
    await tick();
    Transforms.insertText(one, "b", { at: place([0, 0], 4) });
    collab.stopCapturing();
    Transforms.insertText(one, "c", { at: place([0, 0], 5) });
    await tick();
    withoutSaving(one, () => Transforms.setNodes(one, { number: 7 } as never, { at: [1] }));
    withoutSaving(one, () => Transforms.insertText(one, "!", { at: place([1, 0], 3) }));
    await tick();
    expect(texts()).toEqual(["oneabc", "two!"]);
    expect(collab.undo()).toBe(true);
    expect(texts()).toEqual(["oneab", "two!"]);
    expect(collab.undo()).toBe(true);
    expect(texts()).toEqual(["one", "two!"]);
    expect([collab.undo(), (agree(one, two)[1] as { number?: number }).number]).toEqual([false, 7]);
    expect([collab.redo(), collab.redo(), collab.redo()]).toEqual([true, true, false]);
    expect(texts()).toEqual(["oneabc", "two!"]);
  });

  it("split, merge, mark, move", async () => {
    const [one, two] = await pair([block("one two"), block("three")]);
    Transforms.select(two, caret([0, 0], 6));
    Transforms.splitNodes(one, { at: place([0, 0], 4) });
    await tick();
    expect(agree(one, two).map((node) => Node.string(node))).toEqual(["one ", "two", "three"]);
    expect(two.selection).toEqual(caret([1, 0], 2));
    Transforms.setNodes(two, { bold: false } as never, {
      at: { anchor: place([2, 0], 0), focus: place([2, 0], 2) },
      match: Text.isText,
      split: true,
    });
    await tick();
    expect((agree(one, two)[2] as Element).children).toEqual([{ text: "th", bold: false }, { text: "ree" }]);
    Transforms.mergeNodes(one, { at: [1] });
    Transforms.moveNodes(one, { at: [1], to: [0] });
    await tick();
    expect(agree(one, two).map((node) => Node.string(node))).toEqual(["three", "one two"]);
    expect(two.selection).toEqual(caret([1, 0], 6));
  });

  it("inlines and voids get their spacers in each editor, and nothing is written for them", async () => {
    const [one, two] = await pair([block("ab")]);
    const updates: unknown[] = [];
    two.collab.on("update", ({ origin }) => origin === "local" && updates.push(origin));
    Transforms.insertNodes(one, { type: "mention", children: [{ text: "" }] } as Descendant, { at: place([0, 0], 2) });
    Transforms.insertNodes(one, { type: "link", children: [{ text: "x" }] } as Descendant, { at: place([0, 0], 0) });
    await tick();
    const [line] = agree(one, two) as [Element];
    expect(line.children).toHaveLength(5);
    expect(updates).toEqual([]);
  });

  it("f8: setting what is set already writes nothing", async () => {
    const [one, two] = await pair([block("ab", { data: { deep: [1] } })]);
    const updates: unknown[] = [];
    for (const { collab } of [one, two]) collab.on("update", (update) => updates.push(update));
    Transforms.setNodes(one, { type: "action" } as never, { at: [0] });
    one.apply({
      type: "set_node",
      path: [0],
      properties: { data: { deep: [1] } } as never,
      newProperties: { data: { deep: [1] } } as never,
    });
    await tick();
    expect(updates).toEqual([]);
    agree(one, two);
  });

  it("f9: no editor ever sees less than there is", async () => {
    const [one, two] = await pair(Array.from({ length: 17 }, (_, index) => block(`block ${index}`)));
    const seen: number[] = [];
    two.onChange = () => seen.push(two.children.length);
    for (let round = 0; round < 5; round++) {
      Transforms.splitNodes(one, { at: place([round, 0], 3) });
      Transforms.moveNodes(one, { at: [round], to: [10] });
      Transforms.mergeNodes(one, { at: [round + 1] });
      await tick();
    }
    agree(one, two);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(17);
  });

  it("f11: emoji and curly quotes keep their places", async () => {
    const [one, two] = await pair([block("\u{1f600}“a”")]);
    Transforms.insertText(one, "x", { at: place([0, 0], 3) });
    Transforms.insertText(two, "\u{1f468}\u200d\u{1f469}", { at: place([0, 0], 5) });
    await tick();
    expect(Node.string(agree(one, two)[0]!)).toBe("\u{1f600}“xa”\u{1f468}\u200d\u{1f469}");
  });

  it("f12: a split gives the new block an id of its own, everywhere the same", async () => {
    const [one, two] = await pair([block("ab", { id: "first" })]);
    Transforms.splitNodes(one, { at: place([0, 0], 1) });
    await tick();
    const ids = (agree(one, two) as { id?: string }[]).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => typeof id === "string" && id !== "")).toBe(true);
    expect(ids).toContain("first");
  });
});

describe("undo", () => {
  it("takes back one's own, not the others'", async () => {
    const [one, two] = await pair([block("a")]);
    Transforms.select(one, caret([0, 0], 1));
    Transforms.insertText(one, "mine");
    await tick();
    Transforms.insertText(two, "theirs", { at: place([0, 0], 0) });
    await tick();
    one.undo();
    expect(Node.string(agree(one, two)[0]!)).toBe("theirsa");
    expect(one.selection).toEqual(caret([0, 0], 7));
    one.redo();
    expect(Node.string(agree(one, two)[0]!)).toBe("theirsamine");
    two.undo();
    expect(Node.string(agree(one, two)[0]!)).toBe("amine");
  });

  it("of a split keeps what a peer has typed behind it", async () => {
    const [one, two] = await pair([block("one two")]);
    Transforms.splitNodes(one, { at: place([0, 0], 4) });
    await tick();
    Transforms.insertText(two, "and a half", { at: Editor.end(two, [1]) });
    await tick();
    one.undo();
    expect(agree(one, two).map((node) => Node.string(node))).toEqual(["one twoand a half"]);
  });

  it("is one for both, under slate-history and over it", async () => {
    for (const stack of [
      (collab: Collab) => withCollab(withHistory(createEditor()), collab),
      (collab: Collab) => withHistory(withCollab(createEditor(), collab)),
    ]) {
      const collab = await document([block("a")]);
      const editor = stack(collab);
      Transforms.insertText(editor, "b", { at: place([0, 0], 1) });
      editor.undo();
      expect(editor.children).toEqual([expect.objectContaining({ children: [{ text: "a" }] })]);
      editor.redo();
      expect(Node.string(editor)).toBe("ab");
      expect(editor.divergences).toBe(0);
    }
  });

  it("f10: never has what a normalizer did after a peer's change", async () => {
    const [a, b] = await connected(2, [block("a"), block("")]);
    const rules = (): Editor => {
      const editor = createEditor();
      const { normalizeNode } = editor;
      editor.normalizeNode = (entry, options) => {
        if (entry[1].length === 0 && Node.string(editor.children.at(-1)!) !== "") {
          Transforms.insertNodes(editor, block(""), { at: [editor.children.length] });
          return;
        }
        normalizeNode(entry, options);
      };
      return editor;
    };
    // The peer has no such rule; the one who has it typed nothing.
    const [one, two] = [bind(a!), bind(b!, rules)];
    Transforms.removeNodes(one, { at: [1] });
    await tick();
    expect(agree(one, two)).toHaveLength(2);
    expect(b!.canUndo).toBe(false);
    two.undo();
    expect(agree(one, two)).toHaveLength(2);
    one.undo();
    expect(agree(one, two).length).toBeGreaterThanOrEqual(2);
  });
});

describe("one document, two editors", () => {
  it("show the same, also while others write", async () => {
    const [a, b] = await connected(2, [block("one"), block("two")]);
    const [left, right, far] = [bind(a!), bind(a!), bind(b!)];
    Transforms.insertText(left, "L", { at: place([0, 0], 0) });
    Transforms.splitNodes(right, { at: place([1, 0], 1) });
    Transforms.insertText(far, "F", { at: place([1, 0], 3) });
    await tick();
    agree(left, right, far);
    left.undo();
    agree(left, right, far);
    right.disconnect();
    Transforms.insertText(far, "!", { at: place([0, 0], 0) });
    await tick();
    agree(left, far);
  });
});

describe("the binding", () => {
  it("reports an operation that the document refuses, and takes it back", async () => {
    const collab = await document([block("a")]);
    const editor = bind(collab);
    const errors: string[] = [];
    collab.on("error", ({ code }) => errors.push(code));
    Transforms.insertText(editor, "b", { at: place([0, 0], 1) });
    // As if the two had come apart.
    handleOf(collab).edit({ type: "insert_text", path: [7, 0], offset: 0, text: "x" });
    await tick();
    await tick();
    expect(errors.length).toBeGreaterThan(0);
    expect(editor.children).toEqual(collab.value());
  });

  it("takes back a mark without a name, and nothing else of that moment", async () => {
    const [one, two] = await pair([block("one"), block("two")]);
    const errors: string[] = [];
    one.collab.on("error", ({ code, message }) => errors.push(`${code}: ${message}`));
    Transforms.insertText(one, "!", { at: place([1, 0], 3) });
    Transforms.select(one, caret([0, 0], 0));
    Transforms.setNodes(one, { "": true } as never, { at: [0, 0] });
    await tick();
    await tick();
    expect(errors.join()).toContain("a property must have a name");
    expect(one.children).toEqual([block("one"), block("two!")]);
    expect(two.children).toEqual(one.children);
  });

  /** docs/INTEGRATION.md says so. */
  it.each([0, 1] as const)("keep no marks of a void's empty text in format %i, and its properties", async (format) => {
    const empty = { text: "" };
    const mention = (text: object, more = {}) => ({ type: "mention", ...more, children: [text] }) as Element;
    const line = (inner: Element) => ({ type: "p", children: [{ text: "a" }, inner, { text: "b" }] }) as Element;
    const { documents } = await openTogether(2, { initialValue: [line(mention({ text: "", bold: true }))], format });
    opened.push(...documents);
    const [one, two] = documents.map((collab) => bind(collab));
    expect(agree(one!, two!)).toEqual([line(mention(empty))]);
    Transforms.setNodes(one!, { bold: true } as never, { at: [0, 1, 0], voids: true });
    Transforms.setNodes(one!, { color: "red" } as never, { at: [0, 1], voids: true });
    handleOf(one!.collab).flush();
    await tick();
    expect(two!.children).toEqual([line(mention(empty, { color: "red" }))]);
    expect(two!.collab.value()).toEqual(two!.children);
    expect([one!.divergences, two!.divergences]).toEqual([0, 0]);
  });

  it("anchors survive what peers do", async () => {
    const [one, two] = await pair([block("one two"), block("three")]);
    const range = { anchor: place([0, 0], 4), focus: place([0, 0], 7) };
    const text = anchor(one, range);
    Transforms.insertText(two, "more ", { at: place([0, 0], 0) });
    Transforms.insertNodes(two, block("zero"), { at: [0] });
    await tick();
    const found = resolve(one, text);
    expect(found && Editor.string(one, found)).toBe("two");
    expect(resolve(two, text)).toEqual(found);
  });

  it("works with slate-react's editor and its chunks", async () => {
    const [a, b] = await connected(
      2,
      Array.from({ length: 120 }, (_, index) => block(`${index}`)),
    );
    const make = () =>
      Object.assign(withReact(createEditor()), {
        getChunkSize: (node: unknown) => (Editor.isEditor(node) ? 50 : null),
      });
    const [one, two] = [bind(a!, make as never), bind(b!, make as never)];
    Transforms.moveNodes(one, { at: [3], to: [100] });
    Transforms.splitNodes(two, { at: place([50, 0], 1) });
    await tick();
    agree(one, two);
  });

  it("shows what came before the editor, and what was on its way when it was bound", async () => {
    const [from, to] = [await document([block("a")]), await document()];
    const first = from.encodeState();
    const writer = bind(from);
    Transforms.insertText(writer, "b", { at: place([0, 0], 1) });
    const second = from.encodeState();
    let editor: Bound | null = null;
    to.on("update", () => {
      if (editor !== null) return;
      // Taken in after this, which is an answer to the first.
      to.applyUpdate(second);
      editor = bind(to);
    });
    to.applyUpdate(first);
    await tick();
    agree(writer, editor!);
    expect(Node.string(editor!)).toBe("ab");
  });

  it("f32: a document that closes leaves the editor to itself", async () => {
    const collab = await document([block("a")]);
    const editor = bind(collab);
    await collab.close();
    Transforms.insertText(editor, "b", { at: place([0, 0], 1) });
    editor.undo();
    await tick();
    editor.disconnect();
    expect(Node.string(editor)).toBe("ab");
    expect(() => bind(collab)).toThrow("closed");
  });
});
