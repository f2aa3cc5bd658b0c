// The packed package in plain Node: opens, edits, closes, and refuses bad input with its own error.
import assert from "node:assert/strict";
import { createEditor, Transforms } from "slate";
import { CollabError, open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";

const collab = await open({ id: "node", initialValue: [{ type: "action", children: [{ text: "FADE IN" }] }] });
const editor = withCollab(createEditor(), collab);
Transforms.insertText(editor, ": later", { at: { path: [0, 0], offset: 7 } });
await Promise.resolve();
assert.equal(collab.value()[0].children[0].text, "FADE IN: later");
assert.throws(
  () => collab.applyUpdate(new Uint8Array([1, 2, 3])),
  (error) => error instanceof CollabError && error.code === "invalid-update",
);
await collab.close();
await collab.close();
console.log("node: fine");
