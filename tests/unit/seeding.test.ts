// What a document is to begin with, and what is said of the way to the server, with the real engine and a server that
// knows nothing of it.
import { createServer } from "node:http";
import { setupWSConnection } from "@y/websocket-server/utils";
import { createEditor, type Descendant, Transforms } from "slate";
import { type Collab, type OpenOptions, open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { WebSocket as NodeWebSocket, WebSocketServer } from "ws";
import { block } from "./fake.js";

const http = createServer((_, response) => response.writeHead(404).end());
const sockets = new WebSocketServer({ noServer: true });
const had = globalThis.WebSocket as typeof WebSocket | undefined;
const opened: Collab[] = [];
let url = "";
let named = 0;

beforeAll(async () => {
  globalThis.WebSocket = NodeWebSocket as unknown as typeof WebSocket;
  http.on("upgrade", (request, socket, head) => {
    if (request.url?.startsWith("/wrong")) socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    else sockets.handleUpgrade(request, socket, head, (ws) => setupWSConnection(ws as never, request as never));
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const address = http.address();
  url = `ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterEach(async () => {
  for (const collab of opened.splice(0)) await collab.close();
});
afterAll(() => {
  if (had !== undefined) globalThis.WebSocket = had;
  for (const socket of sockets.clients) socket.terminate();
  http.close();
});

async function client(id: string, options: Partial<OpenOptions> = {}): Promise<Collab> {
  const collab = await open({ id, url, offline: false, ...options });
  opened.push(collab);
  return collab;
}

const until = async (reached: () => boolean) => {
  for (let tries = 0; tries < 500 && !reached(); tries += 1) await new Promise((wake) => setTimeout(wake, 10));
  expect(reached()).toBe(true);
};

const wanted = [block("INT. HOUSE"), block("A door.")] as Descendant[];

it("f45: is shown at once, and not called saved before it is", async () => {
  const id = `seed-${named++}`;
  const collab = await client(id, { initialValue: wanted, connect: false });
  expect(collab.value()).toEqual(wanted);
  expect(collab.status).toMatchObject({ pending: 1, saved: "memory", synced: false });
  let saved = false;
  const saving = collab.whenSaved().then(() => {
    saved = true;
  });
  await new Promise((wake) => setTimeout(wake, 50));
  expect(saved).toBe(false);
  collab.connect();
  await saving;
  const other = await client(id);
  await other.whenSynced();
  expect(other.value()).toEqual(wanted);
});

it("f46: arrives with what was typed before the server answered, and beside nothing else", async () => {
  const id = `seed-${named++}`;
  const collab = await client(id, { initialValue: wanted, connect: false });
  const editor = withCollab(createEditor(), collab);
  expect(editor.children).toEqual(wanted);
  Transforms.insertText(editor, "typed ", { at: { path: [1, 0], offset: 0 } });
  collab.connect();
  await collab.whenSaved();
  const late = await client(id, { initialValue: [block("another")] as Descendant[], connect: false });
  const second = withCollab(createEditor(), late);
  expect(second.children).toEqual([block("another")]);
  late.connect();
  await late.whenSynced();
  const text = [block("INT. HOUSE"), block("typed A door.")];
  expect(late.value()).toEqual(text);
  expect(second.children).toEqual(text);
  await late.whenSaved();
  expect(collab.value()).toEqual(text);
  expect([editor.divergences, second.divergences, collab.status.divergences, late.status.divergences]).toEqual([
    0, 0, 0, 0,
  ]);
});

it("keeps what was typed into a value that the document does not take", async () => {
  const id = `seed-${named++}`;
  const first = await client(id, { initialValue: wanted });
  await first.whenSaved();
  const late = await client(id, {
    initialValue: [block("another"), block("untouched")] as Descendant[],
    connect: false,
  });
  const editor = withCollab(createEditor(), late);
  Transforms.insertText(editor, "typed ", { at: { path: [0, 0], offset: 0 } });
  late.connect();
  await late.whenSaved();
  await until(() => first.value().length === 3);
  expect(first.value()).toEqual(late.value());
  expect(first.value()).toEqual(expect.arrayContaining([...wanted, block("typed another")]));
  expect(editor.children).toEqual(late.value());
  expect([editor.divergences, late.status.divergences]).toEqual([0, 0]);
});

it("says what is known of a server that cannot be reached, without the token", async () => {
  const collab = await client("x", { url: `${url}/wrong`, token: "secret" });
  await until(() => collab.status.error !== null);
  expect(collab.status.error?.code).toBe("protocol");
  expect(collab.status.error?.message).toContain("/wrong/x");
  expect(collab.status.error?.message).not.toContain("secret");
});

it("says that token() throws", async () => {
  const collab = await client("x", {
    token: () => {
      throw new Error("no session");
    },
  });
  await until(() => collab.status.error !== null);
  expect(collab.status.error).toMatchObject({ code: "unauthorized", message: "no session" });
});
