// No bundler: modules as they are in node_modules, found by the import map of index.html. React is no module, so the
// editor is Slate alone.
import { createEditor, Editor, Node, Transforms } from "slate";
import { open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";

const query = Object.fromEntries(new URLSearchParams(location.search));
const page = document.getElementById("root");
page.innerHTML = '<textarea aria-label="Scene"></textarea><p class="slate-yrs-status"></p>';
const scene = page.querySelector("textarea");
const collab = await open({ id: query.id, url: query.server, presence: { name: query.name } });
const editor = withCollab(createEditor(), collab);
const shown = () => editor.children.map((node) => Node.string(node)).join("\n");
const tell = () => {
  const { saved, pending, synced } = collab.status;
  page.querySelector("p").textContent = synced && saved === "server" && pending === 0 ? "Saved" : "Saving…";
  if (shown() !== scene.value) scene.value = shown();
};
collab.on("status", tell);
collab.on("change", tell);
tell();
scene.addEventListener("input", () => {
  if (!scene.value.startsWith(shown())) return;
  if (editor.children.length === 0) Transforms.insertNodes(editor, { children: [{ text: "" }] }, { at: [0] });
  Transforms.insertText(editor, scene.value.slice(shown().length), { at: Editor.end(editor, []) });
});
