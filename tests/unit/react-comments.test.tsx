// @vitest-environment jsdom
import { readFile } from "node:fs/promises";
import { act, cleanup, fireEvent, render, renderHook, screen, within } from "@testing-library/react";
import { createEditor, Editor, type NodeEntry, Range, Transforms } from "slate";
import { Editable, Slate, withReact } from "slate-react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Comments, comments } from "../../js/comments.js";
import { type Collab, init } from "../../js/index.js";
import { CommentHighlights, ThreadList, useDecorateComments, useDecorateCursors } from "../../js/react.js";
import { type CollabEditor, withCollab } from "../../js/slate.js";
import { openTogether } from "../../js/testing.js";
import { block } from "./fake.js";

const words = (from: number, to: number) => ({
  anchor: { path: [0, 0], offset: from },
  focus: { path: [0, 0], offset: to },
});
const tick = () => act(() => new Promise<void>((done) => setTimeout(done)));

let opened: readonly Collab[] = [];
let editors: (Editor & CollabEditor)[] = [];
let [ada, ben]: Comments[] = [];

beforeEach(async () => {
  await init(await readFile("pkg/slate_yrs_bg.wasm"));
  const room = await openTogether(2, { initialValue: [block("Hello there world"), block("Second")], format: 1 });
  opened = room.documents;
  editors = opened.map((collab) => withCollab(withReact(createEditor()), collab));
  [ada, ben] = editors.map((editor, at) =>
    comments(editor.collab, editor, { author: { id: null, name: ["Ada", "Ben"][at]! } }),
  );
});

afterEach(async () => {
  cleanup();
  for (const collab of opened) await collab.close();
});

const cards = () => screen.queryAllByRole("article");
const type = (field: HTMLElement, value: string) => fireEvent.change(field, { target: { value } });

describe("the list of threads", () => {
  it("is read, answered, changed and resolved with roles and labels alone", async () => {
    ben!.create(words(6, 11), "Where?");
    render(<ThreadList comments={ada!} />);
    const list = screen.getByRole("region", { name: "Comments" });
    const card = screen.getByRole("article", { name: "Comment by Ben on “there”" });
    expect(within(card).queryByRole("button", { name: "Edit" })).toBeNull();
    type(within(card).getByRole("textbox", { name: "Reply" }), "Here.");
    fireEvent.click(within(card).getByRole("button", { name: "Reply" }));
    await tick();
    expect(ben!.threads[0]!.comments.map(({ body }) => body)).toEqual(["Where?", "Here."]);
    fireEvent.click(within(card).getByRole("button", { name: "Edit" }));
    const field = within(card).getByRole("textbox", { name: "Your comment" });
    expect(document.activeElement).toBe(field);
    type(field, "Over here.");
    fireEvent.keyDown(field, { key: "Enter", ctrlKey: true });
    await tick();
    expect(ben!.threads[0]!.comments[1]).toMatchObject({ body: "Over here.", author: { name: "Ada" } });
    expect(within(card).getByText("edited")).toBeTruthy();
    fireEvent.click(within(card).getByRole("button", { name: "Resolve" }));
    await tick();
    expect(cards()).toEqual([]);
    fireEvent.click(within(list).getByRole("button", { name: "Resolved (1)", pressed: false }));
    expect(within(cards()[0]!).getByText(/Resolved by Ada/)).toBeTruthy();
    fireEvent.click(within(cards()[0]!).getByRole("button", { name: "Reopen" }));
    await tick();
    expect(ben!.threads[0]!.resolved).toBeNull();
    fireEvent.click(within(cards()[0]!).getByRole("button", { name: "Delete" }));
    await tick();
    expect(ben!.threads[0]!.comments).toHaveLength(1);
  });

  it("says what is wrong, and that words are gone", async () => {
    ben!.create(words(6, 11), "Where?");
    render(<ThreadList comments={ada!} />);
    type(screen.getByRole("textbox", { name: "Reply" }), "x".repeat(10_001));
    fireEvent.click(screen.getByRole("button", { name: "Reply" }));
    expect(screen.getByRole("alert").textContent).toContain("at most 10000 characters");
    act(() => Transforms.delete(editors[0]!, { at: words(5, 12) }));
    await tick();
    expect(screen.getByText("These words are gone.")).toBeTruthy();
  });

  it("is walked with the arrow keys, and shows what cannot be written to no reader", () => {
    ada!.create(words(0, 5), "One.");
    ada!.create(words(6, 11), "Two.");
    render(<ThreadList comments={ada!} readOnly />);
    expect(screen.queryAllByRole("button")).toEqual([]);
    expect(screen.queryAllByRole("textbox")).toEqual([]);
    const [first, second] = cards() as [HTMLElement, HTMLElement];
    first.focus();
    fireEvent.keyDown(first, { key: "ArrowDown" });
    expect(document.activeElement).toBe(second);
    fireEvent.keyDown(second, { key: "Home" });
    expect(document.activeElement).toBe(first);
  });
});

it("marks the words in the text, which the document knows nothing of", async () => {
  const before = opened[0]!.value();
  const id = ada!.create(words(6, 11), "Where?");
  const activated: string[] = [];
  const editor = editors[0]! as Editor as ReturnType<typeof withReact>;
  render(
    <Slate editor={editor} initialValue={editor.children}>
      <CommentHighlights comments={ada!} active={id} onActivate={(thread) => activated.push(thread)}>
        {({ decorate, renderLeaf }) => <Editable decorate={decorate} renderLeaf={renderLeaf} />}
      </CommentHighlights>
    </Slate>,
  );
  const mark = () => document.querySelector<HTMLElement>("mark.slate-yrs-commented");
  expect([mark()?.textContent, mark()?.dataset.active]).toEqual(["there", "true"]);
  fireEvent.click(mark()!);
  expect(activated).toEqual([id]);
  act(() => Transforms.insertText(editors[1]!, "Oh. ", { at: Editor.start(editors[1]!, []) }));
  await tick();
  await tick();
  expect(mark()?.textContent).toBe("there");
  act(() => ben!.resolve(id));
  await tick();
  expect(mark()).toBeNull();
  opened[1]!.undo();
  expect(opened[0]!.value()).toEqual(before);
});

// slate-react pushes a place for pending marks into what `decorate` returns: shared, it piled up, in every block.
it("nobody else gets the array of decorations that one place has got", () => {
  const [editor] = editors;
  type Hook = () => (entry: NodeEntry) => unknown[];
  const hooks: Hook[] = [
    () => useDecorateComments(ada!),
    () => useDecorateComments(null),
    () => useDecorateCursors(editor!),
  ];
  for (const hook of hooks) {
    const decorate = renderHook(hook).result.current;
    for (const entry of [
      [editor!, []],
      [editor!.children[0]!, [0]],
    ] as never[]) {
      const first: unknown[] = decorate(entry);
      first.push("a mark");
      expect(decorate(entry)).toEqual([]);
    }
  }
});

it("asks, of hundreds of threads, those of the block and no others", () => {
  for (let n = 0; n < 300; n += 1) ada!.create(words(n % 5, 5 + (n % 6)), `${n}`);
  const two = { anchor: { path: [0, 0], offset: 12 }, focus: { path: [1, 0], offset: 3 } };
  const { id } = { id: ada!.create(two, "Both") };
  const { result } = renderHook(() => useDecorateComments(ada!));
  const editor = editors[0]!;
  const looked = vi.spyOn(Range, "edges");
  const found = result.current([editor.children[1]!, [1]] as NodeEntry);
  expect(found).toEqual([
    { anchor: { path: [1, 0], offset: 0 }, focus: { path: [1, 0], offset: 3 }, commentThreads: [id] },
  ]);
  expect(looked.mock.calls.length).toBeLessThan(10);
  expect(result.current([editor.children[0]!, [0]] as NodeEntry)).toHaveLength(301);
  expect(looked.mock.calls.length).toBeGreaterThan(300);
  looked.mockRestore();
});
