// Importing and rendering on a server does nothing harmful: no document is opened, no error thrown, nothing left running.
import assert from "node:assert/strict";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createEditor } from "slate";
import { Editable, Slate, withReact } from "slate-react";
import { open } from "slate-yrs";
import { PresenceAvatars, RemoteCursors, StatusBadge, useCollab, usePeople, useStatus } from "slate-yrs/react";
import { withCollab } from "slate-yrs/slate";

function Page() {
  const { collab, error } = useCollab({ id: "server", url: "wss://nowhere.invalid/ws/scenes" });
  const status = useStatus(collab);
  const people = usePeople(collab);
  const text = `${collab === null} ${error === null} ${status.connection} ${people.length}`;
  const badge = createElement(StatusBadge, { collab });
  return createElement("p", null, text, badge, createElement(PresenceAvatars, { collab }));
}
const html = renderToString(createElement(Page));
assert.match(html, /^<p>true true offline 0/);
assert.match(html, /Offline/);
assert.match(html, /0 other people here/);

// A page rendered from a document that the server has at hand.
const collab = await open({ id: "rendered", initialValue: [{ type: "action", children: [{ text: "FADE IN" }] }] });
const editor = withCollab(withReact(createEditor()), collab);
const cursors = createElement(RemoteCursors, { editor }, createElement(Editable));
const page = createElement(Slate, { editor, initialValue: editor.children }, cursors);
assert.match(renderToString(page), /FADE IN/);
await collab.close();
console.log("server rendering: fine");
