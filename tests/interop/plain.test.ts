// A document of format 1, exported by the server (`export --format slate-yjs`; server/tests/plain.rs makes the file), as
// slate-yjs reads it, edits it, and leaves it alone.
import { readFileSync } from "node:fs";
import { withYjs, YjsEditor, yTextToSlateElement } from "@slate-yjs/core";
import { createEditor, type Descendant } from "slate";
import { expect, it } from "vitest";
import * as Y from "yjs";
import { withKinds } from "./random.js";

const { update, value } = JSON.parse(readFileSync(new URL("../fixtures/plain.json", import.meta.url), "utf8")) as {
  update: string;
  value: Descendant[];
};

function open(): { doc: Y.Doc; root: Y.XmlText } {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Buffer.from(update, "hex"));
  return { doc, root: doc.get("content", Y.XmlText) };
}

it("is read by slate-yjs as it was", () => {
  const { doc, root } = open();
  expect(yTextToSlateElement(root).children).toEqual(value);
  expect([...doc.share.keys()]).toEqual(["content"]);
});

it("is edited by slate-yjs", () => {
  const { doc, root } = open();
  let updates = 0;
  doc.on("update", () => updates++);
  const editor = withYjs(withKinds(createEditor()), root);
  YjsEditor.connect(editor);
  YjsEditor.flushLocalChanges(editor);
  expect(yTextToSlateElement(root).children).toEqual(value);
  editor.apply({ type: "insert_text", path: [0, 0], offset: 4, text: " now" });
  YjsEditor.flushLocalChanges(editor);
  expect(updates).toBeGreaterThan(0);
  const first = yTextToSlateElement(root).children[0] as { children: { text: string }[] };
  expect(first.children[0]?.text).toBe("Rain now — 🌧 outside.");
  YjsEditor.disconnect(editor);
});
