import { createEditor, type Descendant, Editor, Node, type Operation, Transforms } from "slate";
import { withHistory } from "slate-history";
import { withReact } from "slate-react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { engine } from "../../js/engine.js";
import { hubOf } from "../../js/slate/hub.js";
import { anchor, type CollabEditor, resolve, withCollab } from "../../js/slate.js";
import { block, Fake, ONLINE, peer } from "./fake.js";

const tick = () => new Promise((done) => setTimeout(done));

/** An editor with inline links, and a normalizer that wants the last block to be empty. */
function withRules(editor: Editor): Editor {
  const { normalizeNode, isInline, isVoid } = editor;
  editor.isInline = (element) => (element as { type?: string }).type === "link" || isInline(element);
  editor.isVoid = (element) => (element as { type?: string }).type === "image" || isVoid(element);
  editor.normalizeNode = (entry, options) => {
    const [, path] = entry;
    if (path.length === 0) {
      const last = editor.children[editor.children.length - 1];
      if (last === undefined || Node.string(last) !== "") {
        Transforms.insertNodes(editor, block(""), { at: [editor.children.length], select: false });
        return;
      }
    }
    normalizeNode(entry, options);
  };
  return editor;
}

function bind(fake: Fake, make: () => Editor = createEditor): Editor & CollabEditor {
  return withCollab(make(), fake.collab);
}

const text = (path: number[], offset: number, inserted: string): Operation => ({
  type: "insert_text",
  path,
  offset,
  text: inserted,
});

describe("binding", () => {
  it("shows the document, not the editor's own value, and announces it once", async () => {
    const fake = new Fake([block("theirs")]);
    const editor = createEditor();
    editor.children = [block("mine")];
    const onChange = vi.fn();
    editor.onChange = onChange;
    withCollab(editor, fake.collab);
    await tick();
    expect(editor.children).toEqual([block("theirs")]);
    expect(onChange).toHaveBeenCalledTimes(1);
    expect(fake.edits).toEqual([]);
  });

  it("f3: opening writes nothing, also where a normalizer wants to", async () => {
    const fake = new Fake([block("no empty block after this")]);
    const editor = bind(fake, () => withRules(createEditor()));
    await tick();
    expect(fake.edits).toEqual([]);
    expect(editor.children).toHaveLength(1);
  });

  it("f3: opening puts spacers around inlines, which the document does not see", async () => {
    const link = { type: "link", children: [{ text: "here" }] } as Descendant;
    const fake = new Fake([{ type: "action", children: [link] } as Descendant, block("")]);
    const onChange = vi.fn();
    const editor = bind(fake, () => Object.assign(withRules(createEditor()), { onChange }));
    await tick();
    expect(Node.get(editor, [0])).toMatchObject({ children: [{ text: "" }, link, { text: "" }] });
    expect(fake.edits.map(({ op, normalization }) => [op.type, normalization])).toEqual([
      ["insert_node", true],
      ["insert_node", true],
    ]);
    expect(editor.children).toEqual(fake.value());
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it("sends local operations in the order in which they took effect, normalization included", () => {
    const fake = new Fake([block("a"), block("")]);
    const editor = bind(fake, () => withRules(createEditor()));
    Transforms.insertText(editor, "x", { at: { path: [1, 0], offset: 0 } });
    expect(fake.edits.map(({ op }) => op.type)).toEqual(["insert_text", "insert_node"]);
    expect(fake.edits.every(({ normalization }) => !normalization)).toBe(true);
    expect(fake.value()).toEqual(editor.children);
  });

  it("does not send what could not be applied", () => {
    const fake = new Fake([block("a")]);
    const editor = bind(fake);
    expect(() => editor.apply(text([7, 0], 0, "x"))).toThrow();
    expect(fake.edits).toEqual([]);
  });

  it("f7: what arrives is not sent back", async () => {
    const fake = new Fake([block("a")]);
    const editor = bind(fake);
    fake.receive([text([0, 0], 1, "b")]);
    Transforms.insertText(editor, "c", { at: { path: [0, 0], offset: 2 } });
    await tick();
    expect(Node.string(editor)).toBe("abc");
    expect(fake.edits).toHaveLength(1);
  });

  it("f9: a batch is normalized once, after its last operation", () => {
    const fake = new Fake([block("a"), block("b")]);
    const seen: string[] = [];
    const editor = bind(fake, () => {
      const made = createEditor();
      const { normalizeNode } = made;
      made.normalizeNode = (entry, options) => {
        if (entry[1].length === 0) seen.push(Node.string(made));
        normalizeNode(entry, options);
      };
      return made;
    });
    fake.receive([
      { type: "remove_node", path: [0], node: block("a") },
      { type: "remove_node", path: [0], node: block("b") },
      { type: "insert_node", path: [0], node: block("c") },
    ]);
    expect(seen).toEqual(["c"]);
    expect(Node.string(editor)).toBe("c");
  });

  it("binds once, and rebinds to another document", () => {
    const one = new Fake([block("one")]);
    const two = new Fake([block("two")]);
    const editor = bind(one);
    expect(withCollab(editor, one.collab)).toBe(editor);
    withCollab(editor, two.collab);
    Transforms.insertText(editor, "!", { at: { path: [0, 0], offset: 3 } });
    expect([Node.string(one.value()[0]!), Node.string(two.value()[0]!)]).toEqual(["one", "two!"]);
    expect(one.listeners()).toBe(0);
    expect(editor.collab).toBe(two.collab);
  });

  it("f32: disconnect unbinds everything and may be called again", async () => {
    const fake = new Fake([block("a")]);
    const editor = bind(fake);
    const { apply } = editor;
    editor.disconnect();
    editor.disconnect();
    fake.receive([text([0, 0], 0, "x")]);
    Transforms.insertText(editor, "y", { at: { path: [0, 0], offset: 0 } });
    apply(text([0, 0], 0, "z"));
    expect(Node.string(editor)).toBe("zya");
    expect(fake.edits).toEqual([]);
    expect(fake.listeners()).toBe(0);
    editor.children = [block("free")];
    await tick();
    expect(Node.string(editor)).toBe("free");
  });

  it("f9: assigning another value does not wipe the document", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const fake = new Fake([block("kept")]);
    const editor = bind(fake);
    const next = [tick, () => fake.receive([text([0, 0], 0, "")]), () => editor.apply(text([0, 0], 0, ""))];
    editor.children = [block("")];
    await next[0]!();
    expect(Node.string(editor)).toBe("kept");
    for (const each of next.slice(1)) {
      editor.children = [block("")];
      await each();
      expect(Node.string(editor)).toBe("kept");
    }
    expect(warn).toHaveBeenCalledTimes(3);
    const copy = structuredClone(editor.children);
    editor.children = copy;
    Transforms.insertText(editor, "!", { at: { path: [0, 0], offset: 4 } });
    expect(Node.string(editor)).toBe("kept!");
    expect(warn).toHaveBeenCalledTimes(3);
    warn.mockRestore();
  });

  it("notices operations that a plugin applied past it", () => {
    const fake = new Fake([block("a")]);
    const editor = createEditor();
    const { apply } = editor;
    withCollab(editor, fake.collab);
    apply(text([0, 0], 1, "b"));
    Transforms.insertText(editor, "c", { at: { path: [0, 0], offset: 2 } });
    expect(Node.string(fake.value()[0]!)).toBe("abc");
  });
});

describe("two editors on one document", () => {
  it("both get a batch before what a plugin of one makes of it", () => {
    const fake = new Fake([block("a"), block("b")]);
    const shout = (editor: Editor) => {
      const { apply } = editor;
      editor.apply = (op) => {
        apply(op);
        // A plugin that answers an insertion by one of its own, at the end of the new block.
        if (op.type === "insert_node" && op.path[0] === 0)
          Transforms.insertText(editor, "!", { at: Editor.end(editor, [0]) });
      };
      return editor;
    };
    const one = bind(fake, () => shout(createEditor()));
    const two = bind(fake);
    fake.receive([{ type: "insert_node", path: [0], node: block("new") }]);
    expect(fake.value().map((node) => Node.string(node))).toEqual(["new!", "a", "b"]);
    for (const editor of [one, two]) expect(editor.children).toEqual(fake.value());
    expect([one.divergences, two.divergences]).toEqual([0, 0]);
  });

  it("each shows at once what the other does", () => {
    const fake = new Fake([block("a"), block("")]);
    const one = bind(fake, () => withRules(createEditor()));
    const two = bind(fake, () => withRules(createEditor()));
    Transforms.insertText(one, "b", { at: { path: [1, 0], offset: 0 } });
    expect(two.children).toEqual(one.children);
    Transforms.splitNodes(two, { at: { path: [0, 0], offset: 1 } });
    expect(two.children).toEqual(one.children);
    expect(fake.value()).toEqual(one.children);
    fake.receive([text([0, 0], 0, "c")]);
    expect(two.children).toEqual(one.children);
    expect(fake.value()).toEqual(one.children);
  });

  it("normalizes a remote change once", () => {
    const fake = new Fake([block("a"), block("")]);
    const one = bind(fake, () => withRules(createEditor()));
    const two = bind(fake, () => withRules(createEditor()));
    fake.receive([{ type: "remove_node", path: [1], node: block("") }]);
    expect(fake.edits).toHaveLength(1);
    expect(one.children).toHaveLength(2);
    expect(two.children).toEqual(one.children);
    expect(fake.value()).toEqual(one.children);
  });

  it("one whose page is being put together gets what came meanwhile in order, once it listens", async () => {
    const fake = new Fake([block("abc")]);
    const [one, two] = [bind(fake), bind(fake)];
    hubOf(fake.collab).hold(two);
    fake.receive([text([0, 0], 0, "x")]);
    Transforms.insertText(one, "y", { at: { path: [0, 0], offset: 1 } });
    fake.emit("compare", [0]);
    expect([Node.string(one), Node.string(two)]).toEqual(["xyabc", "abc"]);
    hubOf(fake.collab).release(two);
    await tick();
    expect(two.children).toEqual(one.children);
    hubOf(fake.collab).hold(two);
    fake.receive([text([0, 0], 5, "z")]);
    Transforms.insertText(two, "!", { at: { path: [0, 0], offset: 0 } });
    expect([fake.value(), one.children]).toEqual([two.children, two.children]);
    expect([one.divergences, two.divergences, fake.reports]).toEqual([0, 0, []]);
  });

  it("goes on with the other one when one disconnects", () => {
    const fake = new Fake([block("a")]);
    const one = bind(fake);
    const two = bind(fake);
    one.disconnect();
    Transforms.insertText(two, "b", { at: { path: [0, 0], offset: 1 } });
    fake.receive([text([0, 0], 0, "c")]);
    expect([Node.string(one), Node.string(two)]).toEqual(["a", "cab"]);
  });
});

describe("selection", () => {
  const caret = (offset: number, path = [0, 0]) => ({ anchor: { path, offset }, focus: { path, offset } });

  it("is sent once per tick, when it has changed", async () => {
    const fake = new Fake([block("abc")]);
    const editor = bind(fake);
    Transforms.select(editor, caret(1));
    Transforms.select(editor, caret(2));
    await tick();
    Transforms.select(editor, caret(1));
    Transforms.select(editor, caret(2));
    await tick();
    Transforms.deselect(editor);
    await tick();
    expect(fake.selections).toEqual([caret(2), null]);
  });

  it("f8: is not sent again because others type, but when they move what it is in", async () => {
    const fake = new Fake([block("abc"), block("def")]);
    const editor = bind(fake);
    Transforms.select(editor, caret(1, [1, 0]));
    await tick();
    fake.receive([text([1, 0], 0, "xx")]);
    await tick();
    expect(editor.selection).toEqual(caret(3, [1, 0]));
    expect(fake.selections).toHaveLength(1);
    fake.receive([
      { type: "split_node", path: [1, 0], position: 2, properties: {} },
      { type: "split_node", path: [1], position: 1, properties: { type: "action" } as never },
    ]);
    await tick();
    expect(editor.selection).toEqual(caret(1, [2, 0]));
    expect(fake.selections.at(-1)).toEqual(caret(1, [2, 0]));
  });

  it("f62: of several words stays around them while others type before, in and behind them, and divide them", async () => {
    const fake = new Fake([block("one two three"), block("four")]);
    const editor = bind(fake);
    Transforms.select(editor, { anchor: { path: [0, 0], offset: 7 }, focus: { path: [0, 0], offset: 4 } });
    const selected = () => Editor.string(editor, editor.selection!);
    fake.receive([text([0, 0], 0, "and ")]);
    expect(selected()).toBe("two");
    fake.receive([text([0, 0], 9, "--")]);
    expect(selected()).toBe("t--wo");
    fake.receive([text([0, 0], 14, "!"), text([1, 0], 0, "!")]);
    expect(selected()).toBe("t--wo");
    fake.receive([
      { type: "split_node", path: [0, 0], position: 10, properties: {} },
      { type: "split_node", path: [0], position: 1, properties: {} },
    ]);
    expect(editor.selection).toEqual({ anchor: { path: [1, 0], offset: 3 }, focus: { path: [0, 0], offset: 8 } });
    await tick();
    expect(selected()).toBe("t--wo");
  });

  it("is told anew when a peer copies what it stands in, though its path stays", async () => {
    const fake = new Fake([block("abcdef")]);
    const editor = bind(fake);
    Transforms.select(editor, caret(1));
    await tick();
    fake.receive([
      { type: "split_node", path: [0, 0], position: 2, properties: {} },
      { type: "split_node", path: [0], position: 1, properties: { type: "action" } as never },
    ]);
    await tick();
    expect(fake.selections).toEqual([caret(1), caret(1)]);
  });

  it("is kept to oneself without cursors", async () => {
    const fake = new Fake([block("abc")]);
    const editor = withCollab(createEditor(), fake.collab, { cursors: false });
    Transforms.select(editor, caret(1));
    await tick();
    expect(fake.selections).toEqual([]);
  });

  it("is restored after an undo, unless the place is gone", () => {
    const fake = new Fake([block("abc")]);
    const editor = bind(fake);
    fake.emit("select", caret(2));
    expect(editor.selection).toEqual(caret(2));
    fake.emit("select", caret(9));
    fake.emit("select", caret(0, [4, 0]));
    expect(editor.selection).toEqual(caret(2));
  });
});

describe("undo", () => {
  it("is the document's, under slate-history and over it", () => {
    for (const stack of [
      (fake: Fake) => withCollab(withHistory(createEditor()), fake.collab),
      (fake: Fake) => withHistory(withCollab(createEditor(), fake.collab)),
    ]) {
      const fake = new Fake([block("a")]);
      const editor = stack(fake);
      Transforms.insertText(editor, "b", { at: { path: [0, 0], offset: 1 } });
      fake.receive([text([0, 0], 0, "theirs")]);
      expect(JSON.stringify(editor.history.undos)).not.toContain("theirs");
      editor.undo();
      editor.redo();
      expect(fake.calls).toEqual(["undo", "redo"]);
      expect(Node.string(editor)).toBe("theirsab");
    }
  });

  it("says whether something has changed by it, as the document's does", () => {
    const fake = new Fake([block("a")]);
    const editor = withCollab(withHistory(createEditor()), fake.collab);
    for (const changes of [true, false]) {
      fake.collab.undo = () => changes;
      fake.collab.redo = () => !changes;
      expect([editor.undo(), editor.redo()]).toEqual([changes, !changes]);
    }
  });

  it("may be wrapped, and is slate-history's again after disconnect", () => {
    const fake = new Fake([block("a")]);
    const editor = withCollab(withHistory(createEditor()), fake.collab);
    const wrapped = vi.fn();
    const undo: () => boolean = editor.undo;
    editor.undo = () => {
      wrapped();
      return undo();
    };
    editor.undo();
    expect(wrapped).toHaveBeenCalledTimes(1);
    expect(fake.calls).toEqual(["undo"]);
    editor.disconnect();
    Transforms.insertText(editor, "b", { at: { path: [0, 0], offset: 1 } });
    editor.undo();
    expect(Node.string(editor)).toBe("a");
  });
});

describe("the normalization gate", () => {
  const removeLast: Operation = { type: "remove_node", path: [1], node: block("") };
  const setup = (peers: number[]) => {
    const fake = new Fake([block("a"), block("")]);
    fake.peers = peers.map((id) => peer(id));
    return { fake, editor: bind(fake, () => withRules(createEditor())) };
  };
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("F10: the client with the lowest id writes, outside of undo", () => {
    const { fake, editor } = setup([8, 9]);
    fake.receive([removeLast]);
    expect(editor.children).toHaveLength(2);
    expect(fake.edits.map(({ op, normalization }) => [op.type, normalization])).toEqual([["insert_node", true]]);
  });

  it("F10: the others wait for it, and write nothing", () => {
    const { fake, editor } = setup([3, 9]);
    fake.receive([removeLast]);
    expect(editor.children).toHaveLength(1);
    Transforms.insertText(editor, "typing meanwhile", { at: { path: [0, 0], offset: 1 } });
    expect(fake.edits.map(({ op }) => op.type)).toEqual(["insert_text"]);
    fake.receive([{ type: "insert_node", path: [1], node: block("") }]);
    vi.runAllTimers();
    expect(editor.children).toHaveLength(2);
    expect(fake.edits).toHaveLength(1);
    expect(fake.value()).toEqual(editor.children);
  });

  it("F10: the next in line writes if nothing comes", () => {
    const { fake, editor } = setup([3, 4, 9]);
    fake.receive([removeLast]);
    vi.advanceTimersByTime(2_900);
    expect(fake.edits).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(fake.edits.map(({ op, normalization }) => [op.type, normalization])).toEqual([["insert_node", true]]);
    expect(fake.value()).toEqual(editor.children);
  });

  it("puts spacers at once, whoever is elected", () => {
    const { fake, editor } = setup([3]);
    const link = { type: "link", children: [{ text: "here" }] } as Descendant;
    fake.receive([{ type: "insert_node", path: [0], node: { type: "action", children: [link] } as Descendant }]);
    expect(Node.get(editor, [0])).toMatchObject({ children: [{ text: "" }, link, { text: "" }] });
    expect(fake.value()).toEqual(editor.children);
    expect(fake.edits.every(({ op, normalization }) => op.type === "insert_node" && normalization)).toBe(true);
  });

  it("leaves a block among text to whoever is elected, and moves nothing out of it", () => {
    const { fake, editor } = setup([3]);
    const failed = vi.spyOn(console, "error");
    fake.receive([{ type: "insert_node", path: [0, 1], node: block("") }]);
    expect(editor.children[0]).toMatchObject({ children: [{ text: "a" }, block("")] });
    expect(fake.value()).toEqual(editor.children);
    expect(fake.edits).toEqual([]);
    expect(failed).not.toHaveBeenCalled();
  });

  it("never lets a rule that waits go round in circles", () => {
    const { fake, editor } = setup([3]);
    const failed = vi.spyOn(console, "error");
    const { normalizeNode } = editor;
    editor.normalizeNode = (entry, options) => {
      const asked = Node.string(entry[0]) === "?" && (entry[0] as { type?: string }).type !== "asked";
      if (entry[1].length !== 1 || !asked) return normalizeNode(entry, options);
      // What nobody sees makes the block dirty again, each time.
      Transforms.insertNodes(editor, { text: "" }, { at: [...entry[1], 1] });
      Transforms.setNodes(editor, { type: "asked" } as never, { at: entry[1] });
    };
    fake.receive([text([1, 0], 0, "?")]);
    expect(failed).not.toHaveBeenCalled();
    expect(fake.edits.filter(({ op }) => op.type === "set_node")).toEqual([]);
    vi.runAllTimers();
    expect(fake.edits.filter(({ op }) => op.type === "set_node")).toHaveLength(1);
  });

  it("never writes while the document is being opened, or when it is read only", () => {
    for (const status of [
      { ...ONLINE, synced: false },
      { ...ONLINE, readOnly: true },
    ]) {
      const { fake, editor } = setup([]);
      fake.status = status;
      fake.receive([removeLast]);
      vi.runAllTimers();
      expect(editor.children).toHaveLength(1);
      expect(fake.edits).toEqual([]);
    }
  });

  it("writes what an undo of its own makes necessary", () => {
    const { fake } = setup([3]);
    fake.receive([removeLast], "undo");
    expect(fake.edits.map(({ op }) => op.type)).toEqual(["insert_node"]);
  });

  it("leaves no refs behind and gives the normalizer back", () => {
    const { fake, editor } = setup([3]);
    const { normalizeNode } = editor;
    vi.runAllTimers();
    const refs = () => Editor.pathRefs(editor).size + Editor.pointRefs(editor).size + Editor.rangeRefs(editor).size;
    fake.receive([removeLast]);
    fake.receive([{ type: "insert_node", path: [1], node: block("") }]);
    expect(refs()).toBe(0);
    expect(editor.normalizeNode).toBe(normalizeNode);
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("divergence", () => {
  it("mends the smallest differing subtree and reports it", async () => {
    const fake = new Fake([block("a"), block("b"), block("c")]);
    const editor = bind(fake, () => withReact(createEditor()));
    const [first, , third] = editor.children;
    fake.lose([text([1, 0], 1, "!")]);
    fake.emit("diverged");
    await tick();
    expect(editor.children).toEqual(fake.value());
    expect(editor.children[0]).toBe(first);
    expect(editor.children[2]).toBe(third);
    expect(editor.divergences).toBe(1);
    expect(fake.reports).toHaveLength(1);
    expect(fake.edits).toEqual([]);
  });

  it("takes back an edit that the document refused", async () => {
    const fake = new Fake([block("a")]);
    const editor = bind(fake);
    fake.refuses = true;
    Transforms.insertText(editor, "x", { at: { path: [0, 0], offset: 0 } });
    fake.emit("diverged");
    await tick();
    expect(editor.children).toEqual(fake.value());
    expect(editor.divergences).toBe(1);
  });

  it("does nothing where nothing differs", async () => {
    const fake = new Fake([block("a")]);
    const editor = bind(fake);
    fake.emit("diverged");
    await tick();
    expect([editor.divergences, fake.reports.length]).toEqual([0, 0]);
  });

  it("is noticed where the engine asks for a comparison, once the editor is at rest", async () => {
    const fake = new Fake([block("a"), block("b"), block("c"), block("d")]);
    const editor = bind(fake);
    fake.lose([text([2, 0], 0, "lost ")]);
    fake.emit("compare", [0, 1]);
    await tick();
    expect(editor.divergences).toBe(0);
    fake.emit("compare", [1, 2]);
    expect(editor.divergences).toBe(0);
    await tick();
    expect(editor.children).toEqual(fake.value());
    expect(editor.divergences).toBe(1);
    // A block that is missing shows in every other.
    fake.lose([{ type: "remove_node", path: [3], node: block("d") }]);
    fake.emit("compare", [0]);
    await tick();
    expect(editor.children).toEqual(fake.value());
    expect(editor.divergences).toBe(2);
    fake.lose([text([0, 0], 0, "lost ")]);
    fake.emit("compare", [0]);
    editor.disconnect();
    await tick();
    expect(editor.divergences).toBe(2);
  });

  it("is not what a normalizer is about to tell the document", async () => {
    const fake = new Fake([block("a")]);
    const editor = bind(fake, () => withRules(createEditor()));
    // As in the real one, what the editor does arrives with the next microtask.
    const { edit } = fake[engine];
    fake[engine].edit = (...told) => queueMicrotask(() => edit(...told));
    fake.receive([text([0, 0], 1, "!")]);
    fake.emit("compare", [0]);
    await tick();
    expect(editor.children).toEqual([block("a!"), block("")]);
    expect([editor.divergences, fake.reports.length]).toEqual([0, 0]);
  });

  it("survives a remote operation that does not fit, and one that a plugin throws on", () => {
    const fake = new Fake([block("a"), block("b")]);
    let broken = false;
    const editor = bind(fake, () => {
      const made = createEditor();
      const { apply } = made;
      made.apply = (op) => {
        if (broken) throw new Error("a plugin's fault");
        apply(op);
      };
      return made;
    });
    Transforms.select(editor, { path: [1, 0], offset: 1 });
    fake.lose([{ type: "remove_node", path: [1], node: block("b") }]);
    fake.emit("operations", [text([5, 0], 0, "x")], "remote");
    expect(editor.children).toEqual(fake.value());
    broken = true;
    fake.receive([text([0, 0], 0, "x")]);
    expect(editor.children).toEqual(fake.value());
    expect(editor.divergences).toBe(2);
  });

  it("keeps an edit that a plugin makes while a batch is applied", () => {
    const fake = new Fake([block("a"), block("b")]);
    const editor = bind(fake, () => {
      const made = createEditor();
      const { apply } = made;
      made.apply = (op) => {
        if (op.type === "insert_text" && op.text === "remote") made.apply(text([1, 0], 0, "flushed"));
        apply(op);
      };
      return made;
    });
    fake.receive([text([0, 0], 0, "remote"), text([0, 0], 0, "2")]);
    expect(editor.children).toEqual(fake.value());
    expect(editor.children).toEqual([block("2remotea"), block("flushedb")]);
  });
});

describe("anchors", () => {
  it("go through the document", () => {
    const fake = new Fake([block("abc")]);
    const editor = bind(fake);
    const range = Editor.range(editor, []);
    expect(resolve(editor, anchor(editor, range))).toEqual(range);
  });
});
