// What an application's tests get: documents that meet and part.
import { createEditor, Editor, Node, Transforms } from "slate";
import { expect, it } from "vitest";
import { withCollab } from "../../js/slate.js";
import { openTogether } from "../../js/testing.js";
import { block } from "./fake.js";

const tick = () => new Promise((done) => setTimeout(done));

it("documents hear of each other, part, and meet", async () => {
  const room = await openTogether(3, { initialValue: [block("one line")] });
  const editors = room.documents.map((collab) => withCollab(createEditor(), collab));
  const [ada, ben, eve] = editors as unknown as [Editor, Editor, Editor];
  const lines = () => editors.map(({ children }) => children.map((node) => Node.string(node)));
  expect(lines()).toEqual([["one line"], ["one line"], ["one line"]]);
  Transforms.insertText(ada, "!", { at: Editor.end(ada, []) });
  await tick();
  expect(lines()).toEqual([["one line!"], ["one line!"], ["one line!"]]);
  room.part();
  Transforms.splitNodes(ada, { at: { path: [0, 0], offset: 4 } });
  Transforms.insertText(ben, "new ", { at: { path: [0, 0], offset: 4 } });
  await tick();
  expect(lines()).toEqual([["one ", "line!"], ["one new line!"], ["one line!"]]);
  room.meet();
  await tick();
  expect(lines()[1]).toEqual(lines()[0]);
  expect(lines()[2]).toEqual(lines()[0]);
  expect(lines()[0]!.join("")).toBe("one new line!");
  await room.close();
  expect(room.documents.map(({ status }) => status.connection)).toEqual(["closed", "closed", "closed"]);
  expect(eve.children).toEqual(ada.children);
});

it("parts and meets behind what was done in the same turn", async () => {
  const room = await openTogether(2, { initialValue: [block("line")] });
  const editors = room.documents.map((collab) => withCollab(createEditor(), collab));
  const [ada, ben] = editors as unknown as [Editor, Editor];
  Transforms.insertText(ada, "together ", { at: Editor.start(ada, []) });
  room.part();
  expect(Node.string(ben)).toBe("together line");
  Transforms.insertText(ada, " of Ada", { at: Editor.end(ada, []) });
  Transforms.insertText(ben, "Ben: ", { at: Editor.start(ben, []) });
  expect([Node.string(ada), Node.string(ben)]).toEqual(["together line of Ada", "Ben: together line"]);
  room.meet();
  expect([Node.string(ada), Node.string(ben)]).toEqual(Array(2).fill("Ben: together line of Ada"));
  await room.close();
});
