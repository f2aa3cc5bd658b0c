// Editors with a rule of their own on real documents, connected by a y-websocket server: whoever is elected, what the
// rule asks for is written once.
import { createServer } from "node:http";
import { setupWSConnection } from "@y/websocket-server/utils";
import { createEditor, type Descendant, type Editor, Node, Transforms } from "slate";
import { type Collab, open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket as NodeWebSocket, WebSocketServer } from "ws";
import { handleOf } from "../../dist/engine.js";
import { block } from "./fake.js";

const http = createServer();
const sockets = new WebSocketServer({ server: http });
const had = globalThis.WebSocket as typeof WebSocket | undefined;
let url = "";
let named = 0;

beforeAll(async () => {
  globalThis.WebSocket = NodeWebSocket as unknown as typeof WebSocket;
  sockets.on("connection", (socket, request) => setupWSConnection(socket as never, request as never));
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const address = http.address();
  url = `ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(() => {
  if (had !== undefined) globalThis.WebSocket = had;
  for (const socket of sockets.clients) socket.terminate();
  http.close();
});

/** Wants an empty block at the end. */
function withTrailingBlock<T extends Editor>(editor: T): T {
  const { normalizeNode } = editor;
  editor.normalizeNode = (entry, options) => {
    const last = editor.children[editor.children.length - 1];
    if (entry[1].length === 0 && last !== undefined && Node.string(last) !== "") {
      Transforms.insertNodes(editor, block(""), { at: [editor.children.length] });
      return;
    }
    normalizeNode(entry, options);
  };
  return editor;
}

const until = async (reached: () => boolean) => {
  for (let tries = 0; tries < 500 && !reached(); tries += 1) await new Promise((wake) => setTimeout(wake, 10));
  expect(reached()).toBe(true);
};

it.each([
  ["without presence", {}],
  ["with presence", { presence: { name: "someone" } }],
])("f10: %s, a rule is carried out once", async (_, options) => {
  const id = `scene-${named++}`;
  const connect = (more: object = {}) => open({ id, url, offline: false, ...options, ...more });
  const first = await connect({ initialValue: [block("one"), block("")] as Descendant[] });
  await first.whenSynced();
  const others = await Promise.all([connect(), connect()]);
  await Promise.all(others.map((collab) => collab.whenSynced()));
  // No editor, no rules: the one whose change asks for normalizing.
  const plain = await connect();
  await plain.whenSynced();
  const editors = [first, ...others].map((collab) => withCollab(withTrailingBlock(createEditor()), collab));
  const text = (collab: Collab) => collab.value().map((node) => Node.string(node));
  await until(() => [plain, ...others].every((collab) => text(collab).length === 2));
  const everybody = [first, ...others, plain];
  const ranks = () => everybody.map((collab) => handleOf(collab).rank()).sort();
  await until(() => ranks().join() === "0,1,2,3");
  const writer = withCollab(createEditor(), plain);
  Transforms.insertText(writer, "typed", { at: { path: [1, 0], offset: 0 } });
  await until(() => editors.every((editor) => Node.string(editor).includes("typed")));
  await until(() => text(plain).length > 2);
  // What each would have written, it wrote before this.
  for (const editor of editors) Transforms.insertText(editor, ".", { at: { path: [0, 0], offset: 3 } });
  await until(() => text(plain)[0] === "one...");
  await until(() => everybody.every((collab) => text(collab).join() === text(plain).join()));
  expect(text(plain)).toEqual(["one...", "typed", ""]);
  for (const collab of everybody) await collab.close();
});
