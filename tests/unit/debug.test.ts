// The log for debugging, the WebSocket that an application gives, and what neither may do.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setupWSConnection } from "@y/websocket-server/utils";
import { createEditor, Transforms } from "slate";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { WebSocket as NodeWebSocket, WebSocketServer } from "ws";
import { describe as inWords } from "../../js/debug.js";
import { type Collab, type DebugEntry, open } from "../../js/index.js";
import { withCollab } from "../../js/slate.js";
import { block } from "./fake.js";

const http = createServer();
const sockets = new WebSocketServer({ server: http });
const opened: Collab[] = [];
let url = "";
beforeAll(async () => {
  sockets.on("connection", (socket, request) => setupWSConnection(socket, request));
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/scenes`;
});
afterAll(() => {
  for (const socket of sockets.clients) socket.terminate();
  http.close();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await Promise.all(opened.splice(0).map((collab) => collab.close()));
});

it("connects by the class that is given, where there is no other", async () => {
  vi.stubGlobal("WebSocket", undefined);
  await expect(open({ id: "given", url, offline: false })).rejects.toMatchObject({ code: "protocol" });
  await expect(open({ id: "given", url, WebSocket: "ws" as never })).rejects.toMatchObject({ code: "protocol" });
  const addresses: string[] = [];
  class Counted extends NodeWebSocket {
    constructor(address: string) {
      super(address);
      addresses.push(address);
    }
  }
  const collab = await open({ id: "given", url, offline: false, WebSocket: Counted, initialValue: [block("words")] });
  opened.push(collab);
  await collab.whenSaved();
  expect(collab.status).toMatchObject({ connection: "online", saved: "server" });
  expect(addresses).toHaveLength(1);
  expect(addresses[0]).toContain(`${url}/given?`);
});

it("a class that throws is said, and tried again", async () => {
  let tries = 0;
  class Refusing extends NodeWebSocket {
    constructor(address: string) {
      tries += 1;
      if (tries === 1) throw new Error("not today");
      super(address);
    }
  }
  const collab = await open({ id: "refusing", url, offline: false, WebSocket: Refusing });
  opened.push(collab);
  await collab.whenSynced();
  expect(tries).toBe(2);
});

it("logs what happens, without the token and without content", async () => {
  const entries: DebugEntry[] = [];
  const debug = (entry: DebugEntry) => void entries.push(entry);
  const presence = { name: "Ada" };
  const collab = await open({
    id: "log",
    url,
    offline: false,
    WebSocket: NodeWebSocket,
    token: "sesame",
    presence,
    debug,
  });
  opened.push(collab);
  const editor = withCollab(createEditor(), collab);
  await collab.whenSynced();
  Transforms.insertNodes(editor as never, block("confidential"));
  await collab.whenSaved();
  collab.broadcast("confidential");
  const said = (what: DebugEntry["what"]) => entries.filter((entry) => entry.what === what).map(({ detail }) => detail);
  expect(said("socket")).toEqual([`opening ${url}/log`, "open"]);
  expect(said("sent").join("; ")).toMatch(/sync step 1 \(\d+ bytes\)/);
  expect(said("sent").join("; ")).toMatch(/update \(\d+ bytes\)/);
  expect(said("received").join("; ")).toMatch(/sync step 2 \(\d+ bytes\)/);
  expect(said("update")[0]).toMatch(/^local, \d+ bytes$/);
  expect(said("status").at(-1)).toMatch(/^online, synced, saved: server, 0 pending/);
  expect(said("broadcast")).toEqual(["to everyone"]);
  expect(entries.every(({ document, at }) => document === "log" && at > 0)).toBe(true);
  expect(JSON.stringify(entries)).not.toMatch(/sesame|confidential/);
});

it("goes to the console where it is switched on, and a function that throws stops nothing", async () => {
  const debug = vi.spyOn(console, "debug").mockImplementation(() => {});
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.stubGlobal("localStorage", { getItem: (key: string) => (key === "slate-yrs:debug" ? "1" : null) });
  opened.push(await open({ id: "switched", offline: false, initialValue: [block("x")] }));
  expect(debug.mock.calls.flat().join("\n")).toContain("switched update: ");
  debug.mockClear();
  opened.push(await open({ id: "silent", offline: false, debug: false, initialValue: [block("x")] }));
  expect(debug.mock.calls.flat().join("\n")).not.toContain("silent");
  const throwing = () => {
    throw new Error("full");
  };
  const collab = await open({ id: "throwing", offline: false, debug: throwing, initialValue: [block("x")] });
  opened.push(collab);
  expect(collab.value()).toHaveLength(1);
  expect(error).toHaveBeenCalled();
  vi.restoreAllMocks();
});

it("says every message in words", () => {
  const text = (string: string) => [string.length, ...new TextEncoder().encode(string)];
  const frames: [number[], string][] = [
    [[0, 0, 2, 9, 9], "sync step 1 (2 bytes)"],
    [[0, 1, 1, 0, 1, 3, 1, 1, 1], "sync step 2 (1 bytes), awareness (3 bytes)"],
    [[2, 0, ...text("no")], "denied: no"],
    [[3, 126, 127], "query awareness, ping, pong"],
    [[121, 0x80, 1, 2, 0, 0], "submit 128 (2 bytes)"],
    [[122, 7], "ack 7"],
    [[123, 7, ...text("invalid"), ...text("it is")], "reject 7: invalid, it is"],
    [[124, 1, 0], "seed (1 bytes)"],
    [[125, 4, 0, 3, 2, 0, 0], "fragment 4, 1 of 3 (2 bytes)"],
    [[120, 2, 123, 125], "hello (2 bytes)"],
    [[99], "what is no message"],
    [[122, 1, 0, 2, 9], "ack 1, what is no message"],
  ];
  for (const [bytes, words] of frames) expect(inWords(Uint8Array.from(bytes).buffer)).toBe(words);
  expect([inWords('{"type":"ping"}'), inWords(null)]).toEqual(["text, 15 characters", "what is no frame"]);
});
