// Importing and rendering on a server does nothing harmful.
import assert from "node:assert/strict";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { useCollab, useStatus } from "slate-yrs/react";

function Page() {
  const { collab, error } = useCollab({ id: "server" });
  const status = useStatus(collab);
  return createElement("p", null, `${collab === null} ${error === null} ${status.connection}`);
}
assert.equal(renderToString(createElement(Page)), "<p>true true offline</p>");
console.log("server rendering: fine");
