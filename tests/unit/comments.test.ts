// Comments on the real engine: threads that stay on their words, by people who write at once.
import { slateNodesToInsertDelta, yTextToSlateElement } from "@slate-yjs/core";
import { createEditor, Editor, type Range, Transforms } from "slate";
import { afterEach, describe, expect, it } from "vitest";
import * as Y from "yjs";
import { type Comments, comments, type Thread } from "../../js/comments.js";
import { type Collab, open } from "../../js/index.js";
import { type CollabEditor, withCollab } from "../../js/slate.js";
import { openTogether } from "../../js/testing.js";
import { block, code } from "./fake.js";

type Bound = Editor & CollabEditor;

const opened: Collab[] = [];
const tick = () => new Promise((done) => setTimeout(done));
const words = (path: number[], from: number, to: number): Range => ({
  anchor: { path, offset: from },
  focus: { path, offset: to },
});

async function people(names: string[], format: 0 | 1 = 1) {
  const room = await openTogether(names.length, {
    initialValue: [block("Hello there world"), block("Second")],
    format,
  });
  opened.push(...room.documents);
  const editors: Bound[] = room.documents.map((collab) => withCollab(createEditor(), collab));
  const notes = editors.map((editor, at) =>
    comments(editor.collab, editor, { author: { id: null, name: names[at]! } }),
  );
  return { room, editors, notes };
}

const shown = (editor: Editor, { range }: Thread) => (range === null ? null : Editor.string(editor, range));
const bodies = (notes: Comments) =>
  notes.threads.map((thread) => thread.comments.map(({ author, body }) => `${author.name}: ${body}`));

afterEach(async () => {
  for (const collab of opened.splice(0)) await collab.close();
});

describe("a thread", () => {
  it("has its comments, in the order in which they were written, for everybody", async () => {
    const { editors, notes } = await people(["Ada", "Ben"]);
    const [ada, ben] = notes as [Comments, Comments];
    const id = ada.create(words([0, 0], 6, 11), "Where?");
    const second = ben.create(words([1, 0], 0, 6), "What?");
    ben.reply(id, "Here.");
    expect(ben.threads.map((thread) => thread.id)).toEqual([id, second]);
    expect(bodies(ada)).toEqual([["Ada: Where?", "Ben: Here."], ["Ben: What?"]]);
    expect(ada.threads[0]).toMatchObject({ quote: "there", resolved: null, range: words([0, 0], 6, 11) });
    expect(shown(editors[1]!, ben.threads[0]!)).toBe("there");
    const [first, answer] = ada.threads[0]!.comments as [Thread["comments"][0], Thread["comments"][0]];
    expect([ada.mayChange(first), ada.mayChange(answer), ben.mayChange(answer)]).toEqual([true, false, true]);
    ada.edit(first, "Where is that?");
    expect(ben.threads[0]!.comments[0]).toMatchObject({ body: "Where is that?", at: first.at });
    expect(ben.threads[0]!.comments[0]!.editedAt).not.toBeNull();
    ben.resolve(id);
    expect(ada.threads[0]!.resolved).toMatchObject({ by: "Ben" });
    ada.reopen(id);
    expect(ben.threads[0]!.resolved).toBeNull();
    ben.remove(answer);
    ada.remove(first);
    expect(ben.threads.map((thread) => thread.id)).toEqual([second]);
  });

  it("loses no answer that is written at once, by whoever is away", async () => {
    const { room, notes } = await people(["Ada", "Ben"]);
    const [ada, ben] = notes as [Comments, Comments];
    const id = ada.create(words([0, 0], 0, 5), "One.");
    room.part();
    ada.reply(id, "Two.");
    ben.reply(id, "Three.");
    ben.resolve(id);
    room.meet();
    expect(bodies(ada)).toEqual(bodies(ben));
    expect(bodies(ada)[0]).toHaveLength(3);
    // Who takes away the first comment while another answers leaves the answer where it is.
    room.part();
    for (const comment of ada.threads[0]!.comments) if (ada.mayChange(comment)) ada.remove(comment);
    ben.reply(id, "Four.");
    room.meet();
    expect(bodies(ada)).toEqual([["Ben: Three.", "Ben: Four."]]);
    expect(ada.threads[0]).toMatchObject({ quote: "Hello", range: words([0, 0], 0, 5) });
  });

  it("stays on its words through what everybody does to them", async () => {
    for (const format of [0, 1] as const) {
      const { room, editors, notes } = await people(["Ada", "Ben"], format);
      const [one, two] = editors as [Bound, Bound];
      const [ada, ben] = notes as [Comments, Comments];
      ada.create(words([0, 0], 6, 11), "Where?");
      ada.on(() => {});
      ben.on(() => {});
      const both = async (text: string | null) => {
        await tick();
        expect([shown(one, ada.threads[0]!), shown(two, ben.threads[0]!)], `format ${format}`).toEqual([text, text]);
      };
      Transforms.insertText(two, "Oh. ", { at: { path: [0, 0], offset: 0 } });
      await both("there");
      Transforms.insertText(one, "!", { at: { path: [0, 0], offset: 12 } });
      await both("th!ere");
      Transforms.moveNodes(two, { at: [0], to: [1] });
      await both("th!ere");
      if (format === 1) {
        room.part();
        Transforms.splitNodes(one, { at: { path: [1, 0], offset: 12 } });
        Transforms.insertText(two, "?", { at: { path: [1, 0], offset: 12 } });
        await tick();
        room.meet();
        await tick();
        expect(shown(one, ada.threads[0]!)).toBe(shown(two, ben.threads[0]!));
        expect(shown(one, ada.threads[0]!)?.replace("?", "")).toBe("th!ere");
        Transforms.mergeNodes(one, { at: [2] });
        await tick();
        Transforms.setNodes(one, { bold: true } as object, {
          at: words([1, 0], 11, 14),
          match: (node) => "text" in node,
          split: true,
        });
        await tick();
        expect(shown(two, ben.threads[0]!)?.replace("?", "")).toBe("th!ere");
      }
    }
  });

  it("quotes a line as it reads, whatever its letters look like, and parts lines by a space", async () => {
    const { editors, notes } = await people(["Ada"]);
    const [editor, ada] = [editors[0] as Bound, notes[0] as Comments];
    Transforms.setNodes(editor, { bold: true } as object, {
      at: words([0, 0], 2, 8),
      match: (node) => "text" in node,
      split: true,
    });
    ada.create({ anchor: { path: [0, 0], offset: 1 }, focus: { path: [1, 0], offset: 3 } }, "All of it?");
    expect(ada.threads[0]).toMatchObject({ quote: "ello there world Sec" });
  });

  it("keeps its quote when its words are gone, and finds them again after an undo", async () => {
    const { editors, notes } = await people(["Ada", "Ben"]);
    const [one, two] = editors as [Bound, Bound];
    const [ada, ben] = notes as [Comments, Comments];
    const id = ada.create(words([0, 0], 6, 11), "Where?");
    two.collab.stopCapturing();
    Transforms.delete(two, { at: words([0, 0], 5, 12) });
    await tick();
    expect(ada.threads[0]).toMatchObject({ id, range: null, quote: "there" });
    expect(bodies(ben)).toEqual([["Ada: Where?"]]);
    two.undo();
    await tick();
    expect(shown(one, ada.threads[0]!)).toBe("there");
    expect(shown(two, ben.threads[0]!)).toBe("there");
    // The whole line, by somebody else than the one who takes it back.
    Transforms.removeNodes(one, { at: [0] });
    await tick();
    expect(ben.threads[0]!.range).toBeNull();
    one.undo();
    await tick();
    expect(shown(two, ben.threads[0]!)).toBe("there");
  });

  it("is no part of anyone's undo, and says what is wrong by a typed error", async () => {
    const { editors, notes } = await people(["Ada", "Ben"]);
    const [one] = editors as [Bound];
    const [ada, ben] = notes as [Comments, Comments];
    const id = ada.create(words([0, 0], 0, 5), "One.");
    expect(one.collab.undo()).toBe(false);
    expect(ada.threads).toHaveLength(1);
    expect(code(() => ada.create(words([0, 0], 3, 3), "x"))).toBe("protocol");
    expect(code(() => ada.create(words([7, 0], 0, 3), "x"))).toBe("protocol");
    expect(code(() => ada.reply("nothing", "x"))).toBe("protocol");
    expect(code(() => ada.reply(id, "  "))).toBe("protocol");
    expect(code(() => ada.reply(id, "x".repeat(10_001)))).toBe("too-large");
    expect(code(() => ada.remove("nothing"))).toBe("protocol");
    expect(code(() => ben.edit(ben.threads[0]!.comments[0]!, "Mine."))).toBe("forbidden");
    expect(code(() => ben.remove(ben.threads[0]!.comments[0]!.id))).toBe("forbidden");
    await one.collab.close();
    expect(code(() => ada.reply(id, "x"))).toBe("closed");
  });

  it("is the same object until something changes, and tells of what does", async () => {
    const { editors, notes } = await people(["Ada", "Ben"]);
    const [one] = editors as [Bound];
    const [ada, ben] = notes as [Comments, Comments];
    const id = ada.create(words([0, 0], 6, 11), "Where?");
    let told = 0;
    const leave = ben.on(() => {
      told += 1;
    });
    const before = ben.threads;
    expect(ben.threads).toBe(before);
    // Behind the words: nothing of it is another one.
    Transforms.insertText(one, "!", { at: { path: [0, 0], offset: 17 } });
    await tick();
    expect([ben.threads === before, told]).toEqual([true, 0]);
    Transforms.insertText(one, "Oh", { at: { path: [0, 0], offset: 0 } });
    await tick();
    expect([ben.threads === before, told]).toEqual([false, 1]);
    expect(ben.threads[0]!.comments).toBe(before[0]!.comments);
    ada.reply(id, "There.");
    await tick();
    expect(told).toBe(2);
    leave();
    ada.reply(id, "Or there.");
    await tick();
    expect(told).toBe(2);
    expect(ben.threads[0]!.comments).toHaveLength(3);
  });
});

it("does no harm to a peer of slate-yjs, nor does it to the comments", async () => {
  const collab = await open({ id: "with slate-yjs", offline: false, format: 0, initialValue: [block("Hello there")] });
  opened.push(collab);
  const editor: Bound = withCollab(createEditor(), collab);
  const notes = comments(collab, editor, { author: { name: "Ada" } });
  notes.create(words([0, 0], 6, 11), "Where?");
  const peer = new Y.Doc();
  Y.applyUpdate(peer, collab.encodeState());
  const root = peer.get("content", Y.XmlText);
  expect(yTextToSlateElement(root).children).toEqual([block("Hello there")]);
  root.applyDelta([...slateNodesToInsertDelta([block("Before")])]);
  collab.applyUpdate(Y.encodeStateAsUpdate(peer));
  expect(editor.children).toEqual([block("Before"), block("Hello there")]);
  expect(notes.threads[0]).toMatchObject({ range: words([1, 0], 6, 11), quote: "there" });
});
