// As the documentation of @slate-yjs/core and y-websocket sets it up; nothing is kept on the device.

import { withCursors, withYHistory, withYjs, YjsEditor } from "@slate-yjs/core";
import { createEditor } from "slate";
import { withReact } from "slate-react";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { mark, room, server, show } from "./page.tsx";

const doc = new Y.Doc();
const provider = new WebsocketProvider(server, room, doc, { disableBc: true });
const root = doc.get("content", Y.XmlText) as Y.XmlText;
const editor = withReact(
  withYHistory(withCursors(withYjs(createEditor(), root), provider.awareness, { data: { name: "Me" } })),
);
mark("opened");
provider.once("sync", () => {
  mark("synced");
  YjsEditor.connect(editor);
  show(editor);
});
