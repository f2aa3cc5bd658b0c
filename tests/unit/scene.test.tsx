// @vitest-environment jsdom
// The editor of the README on a page: with every version of Slate that package.json declares.
import { act, cleanup, render } from "@testing-library/react";
import { type ReactElement, useLayoutEffect } from "react";
import { createEditor, type Editor, Node, Transforms } from "slate";
import { Editable, Slate, withReact } from "slate-react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { useCollabEditor } from "../../js/react.js";
import type { CollabEditor } from "../../js/slate.js";
import { block, Fake } from "./fake.js";

const settle = () => act(() => new Promise((done) => setTimeout(done, 5)));
const at = (block: number, offset: number) => ({ path: [block, 0], offset });

afterEach(cleanup);

/** Somebody types at the moment at which the page is put together: after the first render, before `<Slate>` listens. */
function Early({ fake }: { fake: Fake }): null {
  useLayoutEffect(() => {
    fake.receive([{ type: "insert_text", path: [0, 0], offset: 0, text: "early " }]);
  }, [fake]);
  return null;
}

it("f61: what a peer types while <Slate> mounts is shown", async () => {
  const fake = new Fake([block("bird")]);
  function Mounting(): ReactElement | null {
    const editor = useCollabEditor(fake.collab, () => withReact(createEditor()));
    return editor === null ? null : (
      <Slate editor={editor as never} initialValue={editor.children}>
        <Early fake={fake} />
        <Editable />
      </Slate>
    );
  }
  const view = render(<Mounting />);
  await settle();
  expect(view.container.textContent).toBe("early bird");
  await act(async () => fake.receive([{ type: "insert_text", path: [0, 0], offset: 10, text: "s" }]));
  expect(view.container.textContent).toBe("early birds");
  expect(fake.reports).toEqual([]);
});

/** As it should not be done: the text is lost from the view, if nobody takes care. */
function Careless({ fake }: { fake: Fake }): ReactElement | null {
  const editor = useCollabEditor(fake.collab, () => withReact(createEditor()));
  return editor === null ? null : (
    <Slate editor={editor as never} initialValue={[block("")]}>
      <Editable />
    </Slate>
  );
}

it("f9: the initial value of <Slate> does not hide the document", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const view = render(<Careless fake={new Fake([block("kept")])} />);
  await settle();
  expect(view.container.textContent).toBe("kept");
  expect(warn).toHaveBeenCalledTimes(1);
  warn.mockRestore();
});

/** The lines of the README, with a document that nobody has written in. */
function ReadmeScene({ fake, made }: { fake: Fake; made: Editor[] }): ReactElement | null {
  const editor = useCollabEditor(fake.collab, () => withReact(createEditor()));
  if (editor === null) return null;
  made.push(editor);
  return (
    <Slate editor={editor as never} initialValue={editor.children}>
      <Editable />
    </Slate>
  );
}

describe("a document without content", () => {
  async function show() {
    const fake = new Fake([]);
    const made: Editor[] = [];
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    render(<ReadmeScene fake={fake} made={made} />);
    await settle();
    const editor = made.at(-1)! as Editor & CollabEditor;
    return { fake, editor, warn };
  }
  const type = (editor: Editor, text: string) => act(async () => Transforms.insertText(editor, text, { at: at(0, 0) }));

  it("f3: can be typed in, and opening it writes nothing", async () => {
    const { fake, editor, warn } = await show();
    expect([Node.string(editor), editor.children.length, fake.edits, fake.value()]).toEqual(["", 1, [], []]);
    await type(editor, "First.");
    expect(fake.value()).toEqual([{ children: [{ text: "First." }] }]);
    expect(editor.children).toEqual(fake.value());
    await type(editor, "The ");
    expect(fake.edits.map(({ op }) => op.type)).toEqual(["insert_node", "insert_text", "insert_text"]);
    // What one's first words were made of is taken back whole, and can be written again.
    Transforms.select(editor, at(0, 4));
    await act(async () => {
      fake.receive([{ type: "remove_node", path: [0], node: fake.value()[0]! }], "undo");
    });
    expect([editor.children.length, Node.string(editor), fake.value()]).toEqual([1, "", []]);
    expect(editor.selection?.focus).toEqual(at(0, 0));
    await type(editor, "Again.");
    expect(fake.value()).toEqual([{ children: [{ text: "Again." }] }]);
    expect([warn.mock.calls.length, editor.divergences]).toEqual([0, 0]);
  });

  it("gets what others write first without an empty line", async () => {
    const { fake, editor } = await show();
    Transforms.select(editor, at(0, 0));
    await act(async () => fake.receive([{ type: "insert_node", path: [0], node: block("theirs") }]));
    expect(editor.children).toEqual(fake.value());
    await type(editor, "not ");
    expect(fake.value()).toEqual([block("not theirs")]);
    expect([editor.divergences, fake.reports]).toEqual([0, []]);
  });
});
