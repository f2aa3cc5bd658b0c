import { createEditor, Editor, Node, Transforms } from "slate";
import { open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";

let editor = null;
let tell = () => {};
/** The last of what the page has sent. */
let heard = 0;

async function enter({ id, server, name }) {
  const collab = await open({ id, url: server, presence: { name } });
  editor = withCollab(createEditor(), collab);
  tell = () => {
    const { saved, pending, synced } = collab.status;
    const status = synced && saved === "server" && pending === 0 ? "Saved" : "Saving…";
    postMessage({ value: editor.children.map((node) => Node.string(node)).join("\n"), status, heard });
  };
  collab.on("status", tell);
  collab.on("change", tell);
  tell();
}

addEventListener("message", ({ data }) => {
  if (data.open) return void enter(data.open);
  heard = data.sent;
  const now = editor.children.map((node) => Node.string(node)).join("\n");
  // What was typed at the end is all that this page writes.
  if (!data.text.startsWith(now)) return tell();
  if (editor.children.length === 0) Transforms.insertNodes(editor, { children: [{ text: "" }] }, { at: [0] });
  Transforms.insertText(editor, data.text.slice(now.length), { at: Editor.end(editor, []) });
});
