// Plugins that change an operation before it takes effect, as Plate's nodeId does with ids: what comes from the document
// stays what it is there.
import { createEditor, type Descendant, type Editor, type Operation, Transforms } from "slate";
import { expect, it } from "vitest";
import { withCollab } from "../../js/slate.js";
import { openTogether } from "../../js/testing.js";
import { block, Fake } from "./fake.js";

type Node = Descendant & { id?: string; children?: Node[] };

/** Every block that is divided gets a fresh id, and every one that comes without: whoever divides or inserts. */
function withIds(editor: Editor, name: string): Editor {
  const { apply } = editor;
  let count = 0;
  const fresh = () => {
    count += 1;
    return `${name}${count}`;
  };
  const identified = (node: Node): Node =>
    node.children === undefined
      ? node
      : ({ id: fresh(), ...node, children: node.children.map(identified) } as unknown as Node);
  editor.apply = (op: Operation) => {
    if (op.type === "split_node" && "type" in op.properties) {
      apply({ ...op, properties: { ...op.properties, id: fresh() } as never });
    } else if (op.type === "insert_node") apply({ ...op, node: identified(op.node as Node) });
    else apply(op);
  };
  return editor;
}

const ids = (value: Descendant[]) => (value as Node[]).map(({ id }) => id);

it("a block that somebody divided has the id that it has in the document", () => {
  const fake = new Fake([block("one line", { id: "a" })]);
  const editor = withCollab(withIds(createEditor(), "mine"), fake.collab);
  fake.receive([
    { type: "split_node", path: [0, 0], position: 3, properties: {} },
    { type: "split_node", path: [0], position: 1, properties: { type: "action", id: "b" } as never },
  ]);
  expect(ids(editor.children)).toEqual(["a", "b"]);
  expect(editor.children).toEqual(fake.value());
  expect([fake.edits, fake.reports, editor.divergences]).toEqual([[], [], 0]);
});

it("and one without an id stays without, wherever it stands", () => {
  const fake = new Fake([block("one", { id: "a" })]);
  const editor = withCollab(withIds(createEditor(), "mine"), fake.collab);
  const list = {
    type: "list",
    id: "l",
    children: [block("two"), block("three", { id: "c" })],
  } as unknown as Descendant;
  fake.receive([
    { type: "insert_node", path: [0], node: list },
    { type: "insert_text", path: [1, 0], offset: 3, text: "!" },
  ]);
  expect(editor.children).toEqual(fake.value());
  expect([fake.edits, fake.reports, editor.divergences]).toEqual([[], [], 0]);
});

it("what two divide at once is the same for both, with ids of who divided it", async () => {
  const room = await openTogether(2, { initialValue: [block("one line of many words", { id: "a" })] });
  const editors = room.documents.map((collab, at) => withCollab(withIds(createEditor(), `${at}-`), collab));
  const [ada, ben] = editors as unknown as [Editor, Editor];
  const settle = () => new Promise((done) => setTimeout(done));
  room.part();
  Transforms.splitNodes(ada, { at: { path: [0, 0], offset: 4 } });
  Transforms.splitNodes(ben, { at: { path: [0, 0], offset: 9 } });
  await settle();
  room.meet();
  await settle();
  expect(ada.children).toEqual(ben.children);
  expect(ids(ada.children)).toEqual(["a", "0-1", "1-1"]);
  expect(editors.map(({ divergences }) => divergences)).toEqual([0, 0]);
  expect(room.documents.map(({ status }) => status.divergences)).toEqual([0, 0]);
  await room.close();
});

it("what a plugin does by an `apply` of before reaches the document, though nothing comes after it", async () => {
  const fake = new Fake([block("one two", { id: "a" })]);
  const made = createEditor();
  const { apply } = made;
  const editor = withCollab(made, fake.collab);
  apply.call(editor, { type: "remove_text", path: [0, 0], offset: 3, text: " two" });
  await Promise.resolve();
  await Promise.resolve();
  expect(fake.value()).toEqual([block("one", { id: "a" })]);
  Transforms.insertText(editor as never, "!", { at: { path: [0, 0], offset: 3 } });
  expect([editor.children, fake.value()]).toEqual([[block("one!", { id: "a" })], [block("one!", { id: "a" })]]);
});

it("Plate's transforms go the same way as the editor's", () => {
  const fake = new Fake([block("one", { id: "a" })]);
  type Plate = Editor & { tf: { apply: Editor["apply"]; undo(): void; redo(): void } };
  const made = createEditor() as Plate;
  const own: string[] = [];
  const tf = { apply: made.apply, undo: () => void own.push("undo"), redo: () => void own.push("redo") };
  made.tf = tf;
  const before = { ...tf };
  const editor = withCollab(made, fake.collab);
  editor.tf.apply({ type: "insert_text", path: [0, 0], offset: 3, text: "!" });
  expect(fake.value()).toEqual([block("one!", { id: "a" })]);
  editor.tf.undo();
  editor.tf.redo();
  expect([own, fake.calls]).toEqual([[], ["undo", "redo"]]);
  editor.disconnect();
  expect(editor.tf).toEqual(before);
  editor.tf.apply({ type: "insert_text", path: [0, 0], offset: 4, text: "?" });
  expect(fake.value()).toEqual([block("one!", { id: "a" })]);
});
