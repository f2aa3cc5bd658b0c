// A script that edits a document in which somebody types: `edits.mjs URL SCENE COUNT`. Run by `npm run nodes` in each version of Node.
import assert from "node:assert/strict";
import { createEditor, Transforms } from "slate";
import { open } from "../../dist/index.js";
import { withCollab } from "../../dist/slate.js";

const [url, id, count] = process.argv.slice(2);
// Node has sockets of its own from version 22.
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;
const collab = await open({ id, url, WebSocket, offline: false });
const editor = withCollab(createEditor(), collab);
await collab.whenSynced();
const others = () => editor.string([0]).length;
const before = others();
for (let at = 0; at < Number(count); at += 1) {
  Transforms.insertNodes(editor, { type: "p", children: [{ text: `<${at}>` }] }, { at: [editor.children.length] });
  await new Promise((wake) => setTimeout(wake, 10));
}
await collab.whenSaved();
// What was typed meanwhile is here, beside what this has written.
while (others() === before) await new Promise((wake) => setTimeout(wake, 10));
assert.equal(collab.status.connection, "online");
assert.equal(collab.status.divergences, 0);
await collab.close();
