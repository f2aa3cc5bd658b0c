// An application's own test, with the versions of the tests' tools in package.json.
import { render, screen } from "@testing-library/react";
import { createElement as h } from "react";
import { createEditor, Transforms } from "slate";
import { Editable, Slate, withReact } from "slate-react";
import { useBoundEditor } from "slate-yrs/react";
import { withCollab } from "slate-yrs/slate";
import { openTogether } from "slate-yrs/testing";

function Scene({ collab }) {
  const { editor } = useBoundEditor(collab, () => withReact(createEditor()));
  return h(Slate, { editor, initialValue: editor.children }, h(Editable, { "aria-label": "Scene" }));
}

/** Long, for a machine that is busy with other tests. */
const PATIENCE = { timeout: 30_000 };

test("shows what somebody else writes", async () => {
  const room = await openTogether(2, { initialValue: [{ type: "action", children: [{ text: "one line" }] }] });
  const [mine, theirs] = room.documents;
  render(h(Scene, { collab: mine }));
  await screen.findByText("one line", {}, PATIENCE);
  const other = withCollab(createEditor(), theirs);
  Transforms.insertText(other, "!", { at: { path: [0, 0], offset: 8 } });
  await screen.findByText("one line!", {}, PATIENCE);
  expect(other.children).toEqual(mine.value());
  await room.close();
});
