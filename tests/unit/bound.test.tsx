// @vitest-environment jsdom
// An editor that is there from the first render on, and fills when the document is there.
import { StrictMode, useRef } from "react";
import { createRoot, type Root } from "react-dom/client";
import { createEditor, type Descendant, Editor, Node, Transforms } from "slate";
import { Editable, Slate, withReact } from "slate-react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { useBoundEditor } from "../../js/react.js";
import { eventually } from "./eventually.js";
import { block, Fake } from "./fake.js";

let root: Root;
let page: HTMLElement;
let editors: Editor[] = [];
const errors: unknown[] = [];
const note = ({ error }: ErrorEvent) => void errors.push(error);
beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;
  page = document.body.appendChild(document.createElement("main"));
  root = createRoot(page);
  editors = [];
  errors.length = 0;
  window.addEventListener("error", note);
});
afterEach(() => {
  window.removeEventListener("error", note);
  root.unmount();
  page.remove();
  expect(errors).toEqual([]);
});

/** A component as it was before it had collaboration: one, with its editor at once. */
function Scene({ fake }: { fake: Fake | null }) {
  const { editor, readOnly } = useBoundEditor(fake?.collab ?? null, () => withReact(createEditor()));
  const seen = useRef<Editor | null>(null);
  if (seen.current !== editor) editors.push(editor as Editor);
  seen.current = editor as Editor;
  return (
    <Slate editor={editor as never} initialValue={editor.children}>
      <Editable readOnly={readOnly} />
    </Slate>
  );
}

const lines = () =>
  [...page.querySelectorAll("[data-slate-node=element]")].map((each) => each.textContent!.replaceAll("\uFEFF", ""));
const isEditable = () => page.querySelector("[data-slate-editor]")?.getAttribute("contenteditable") === "true";
const shows = (...expected: string[]) => eventually(() => expect(lines()).toEqual(expected));
const draw = (fake: Fake | null) => root.render(<Scene fake={fake} />);
const texts = (value: Descendant[]) => value.map((node) => Node.string(node));
const pause = () => new Promise((wake) => setTimeout(wake, 20));

it("is empty and read only until the document is there, and then follows it", async () => {
  draw(null);
  await eventually(() => expect(page.querySelector("[data-slate-editor]")).not.toBeNull());
  expect(isEditable()).toBe(false);
  const fake = new Fake([block("one"), block("two")]);
  draw(fake);
  await shows("one", "two");
  await eventually(() => expect(isEditable()).toBe(true));
  expect(editors).toHaveLength(1);
  const [editor] = editors as [Editor];
  fake.receive([{ type: "insert_text", path: [1, 0], offset: 3, text: " and more" }]);
  await shows("one", "two and more");
  Transforms.insertText(editor, "and ", { at: { path: [0, 0], offset: 0 } });
  await shows("and one", "two and more");
  expect(texts(fake.value())).toEqual(["and one", "two and more"]);
});

it("what is written before there is a document is dropped, and nobody gets it", async () => {
  draw(null);
  await eventually(() => expect(editors).toHaveLength(1));
  Transforms.insertNodes(editors[0]!, block("too early"), { at: [0] });
  const fake = new Fake([block("one")]);
  draw(fake);
  await shows("one");
  await pause();
  expect([texts(fake.value()), fake.edits]).toEqual([["one"], []]);
});

it("in an empty document there is a block to type in, which is written with the first word", async () => {
  const fake = new Fake([]);
  draw(null);
  await pause();
  draw(fake);
  await eventually(() => expect(isEditable()).toBe(true));
  expect(fake.edits).toEqual([]);
  const [editor] = editors as [Editor];
  Transforms.select(editor, Editor.start(editor, []));
  editor.insertText("first");
  await shows("first");
  expect(texts(fake.value())).toEqual(["first"]);
});

it("fills with another document, and nothing of the one before gets there", async () => {
  const [one, two] = [new Fake([block("one")]), new Fake([block("two"), block("three")])];
  draw(one);
  await shows("one");
  draw(null);
  await eventually(() => expect(lines().join("")).toBe(""));
  expect(isEditable()).toBe(false);
  draw(two);
  await shows("two", "three");
  draw(one);
  await shows("one");
  expect([one.edits, two.edits, one.listeners() > 0, two.listeners()]).toEqual([[], [], true, 0]);
  expect(editors).toHaveLength(1);
});

it("holds under StrictMode, and lets go with the component", async () => {
  const fake = new Fake([block("one")]);
  root.render(
    <StrictMode>
      <Scene fake={fake} />
    </StrictMode>,
  );
  await shows("one");
  fake.receive([{ type: "insert_text", path: [0, 0], offset: 3, text: "!" }]);
  await shows("one!");
  root.render(null);
  await eventually(() => expect(fake.listeners()).toBe(0));
  expect(fake.edits).toEqual([]);
});
