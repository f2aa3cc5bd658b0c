// @vitest-environment jsdom
// What the user has selected a moment ago, and Slate has not taken over yet, when a peer's change arrives.
import { act, cleanup, render } from "@testing-library/react";
import { createEditor, Editor, Range, Transforms } from "slate";
import { Editable, type ReactEditor, Slate, withReact } from "slate-react";
import { afterEach, expect, it } from "vitest";
import { useCollabEditor } from "../../js/react.js";
import { block, Fake } from "./fake.js";

afterEach(cleanup);

let made: (Editor & ReactEditor) | null = null;

function Scene({ fake }: { fake: Fake }) {
  const editor = useCollabEditor(fake.collab, () => withReact(createEditor()));
  made = editor as never;
  if (editor === null) return null;
  return (
    <Slate editor={editor as never} initialValue={editor.children}>
      <Editable />
    </Slate>
  );
}

const settle = () => act(() => new Promise((done) => setTimeout(done, 150)));

async function open() {
  const fake = new Fake([block("first line"), block("second line")]);
  const { container } = render(<Scene fake={fake} />);
  await settle();
  const editor = made!;
  const editable = container.querySelector<HTMLElement>("[data-slate-editor]")!;
  // jsdom says of no element that it may be edited.
  Object.defineProperty(editable, "isContentEditable", { value: true });
  await act(async () => editable.focus());
  await act(async () => Transforms.select(editor, { path: [0, 0], offset: 2 }));
  await settle();
  return { fake, editor, editable };
}

/** As Ctrl+A does: the browser selects, and tells of it later. */
function selectAll(editable: HTMLElement) {
  const texts = [...editable.querySelectorAll("[data-slate-string]")].map((each) => each.firstChild!);
  const last = texts.at(-1)!;
  document.getSelection()!.setBaseAndExtent(texts[0]!, 0, last, last.textContent!.length);
  document.dispatchEvent(new Event("selectionchange"));
}

it("is kept, and goes along with what the peer writes", async () => {
  const { fake, editor, editable } = await open();
  // Slate has just taken over another selection, and takes over none for a tenth of a second.
  document.dispatchEvent(new Event("selectionchange"));
  await act(() => new Promise((done) => setTimeout(done, 5)));
  selectAll(editable);
  await act(async () => fake.receive([{ type: "insert_text", path: [1, 0], offset: 0, text: "the " }]));
  expect(Editor.string(editor, editor.selection!)).toBe("first linethe second line");
  await settle();
  expect(Editor.string(editor, editor.selection!)).toBe("first linethe second line");
  await act(async () => Transforms.delete(editor));
  expect(Editor.string(editor, [])).toBe("");
});

it("is not taken from a page that is behind the editor", async () => {
  const { fake, editor, editable } = await open();
  selectAll(editable);
  // The application has moved the caret since.
  Transforms.select(editor, { path: [1, 0], offset: 3 });
  fake.receive([{ type: "insert_text", path: [0, 0], offset: 0, text: "x" }]);
  expect(Range.isCollapsed(editor.selection!)).toBe(true);
  expect(editor.selection!.focus).toEqual({ path: [1, 0], offset: 3 });
  await settle();
});

it("is left alone where another element has the focus", async () => {
  const { fake, editor, editable } = await open();
  const field = document.body.appendChild(document.createElement("input"));
  await act(async () => field.focus());
  selectAll(editable);
  await act(async () => fake.receive([{ type: "insert_text", path: [1, 0], offset: 0, text: "x" }]));
  expect(editor.selection?.focus).toEqual({ path: [0, 0], offset: 2 });
  field.remove();
});
