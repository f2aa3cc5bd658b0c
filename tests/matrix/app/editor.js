// The smallest application with everything in it, in plain JavaScript, so that every bundler takes it as it is. Which
// document, and on which server, is in the address.
import { createElement as h, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createEditor } from "slate";
import { Editable, Slate, withReact } from "slate-react";
import { PresenceAvatars, RemoteCursors, StatusBadge, useCollab, useCollabEditor } from "slate-yrs/react";

export function Scene() {
  const query = new URLSearchParams(location.search);
  const { collab, error, readOnly } = useCollab({
    id: query.get("id"),
    url: query.get("server"),
    presence: { name: query.get("name") },
  });
  const editor = useCollabEditor(collab, () => withReact(createEditor()));
  if (error) return h("p", { role: "alert" }, `${error.code}: ${error.message}`);
  if (!collab || !editor) return h("p", null, "Opening…");
  return h(
    Slate,
    { editor, initialValue: editor.children },
    h(StatusBadge, { collab }),
    h(PresenceAvatars, { collab }),
    h(RemoteCursors, { editor }, h(Editable, { readOnly, "aria-label": "Scene" })),
  );
}

export function start() {
  createRoot(document.getElementById("root")).render(h(StrictMode, null, h(Scene)));
}
