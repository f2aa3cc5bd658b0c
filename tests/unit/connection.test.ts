// What the package asks of a server: the address, the token, and what it makes of refusals. The server only says no.
import { createServer } from "node:http";
import { createEditor, type Descendant, type Operation } from "slate";
import { type Collab, type CollabError, type OpenOptions, open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket as NodeWebSocket, WebSocketServer } from "ws";
import { handleOf } from "../../dist/engine.js";

const http = createServer();
const sockets = new WebSocketServer({ server: http });
const asked: URL[] = [];
let close: { code: number; reason: string } | null = null;
let greet: ((socket: NodeWebSocket) => void) | null = null;
let port = 0;
const opened: Collab[] = [];
const had = globalThis.WebSocket as typeof WebSocket | undefined;

beforeAll(async () => {
  // Node has one of its own from version 22.
  globalThis.WebSocket = NodeWebSocket as unknown as typeof WebSocket;
  sockets.on("connection", (socket, request) => {
    asked.push(new URL(request.url ?? "", "ws://host"));
    socket.on("error", () => {});
    if (close !== null) socket.close(close.code, close.reason);
    greet?.(socket);
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const address = http.address();
  port = typeof address === "object" ? (address?.port ?? 0) : 0;
});
afterAll(() => {
  if (had !== undefined) globalThis.WebSocket = had;
  for (const socket of sockets.clients) socket.terminate();
  http.close();
});
beforeEach(() => {
  asked.length = 0;
  close = null;
  greet = null;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((collab) => collab.close()));
});

const SUBMIT = 121;
const text = (string: string): number[] => {
  const bytes = new TextEncoder().encode(string);
  const size = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return [...size, ...bytes];
};

/** Says hello, and that the document is empty. */
function durable(socket: NodeWebSocket, epoch: string, more: object = {}): void {
  const limits = { maxUpdateBytes: 1 << 20, maxFrameBytes: 1 << 20 };
  const hello = { version: 1, epoch, role: "read-write", ...limits, ackedSeq: 0, heartbeatMs: 15_000, ...more };
  socket.send(Uint8Array.of(120, ...text(JSON.stringify(hello))));
  socket.send(Uint8Array.of(0, 1, 2, 0, 0));
}

const paragraph: Operation = { type: "insert_node", path: [0], node: { children: [{ text: "x" }] } as never };

async function connect(options: Partial<OpenOptions> = {}): Promise<Collab> {
  const collab = await open({ id: "scene", url: `ws://127.0.0.1:${port}/ws/scenes/`, ...options });
  opened.push(collab);
  return collab;
}

const until = async (reached: () => boolean) => {
  for (let tries = 0; tries < 500 && !reached(); tries += 1) await new Promise((wake) => setTimeout(wake, 10));
  expect(reached()).toBe(true);
};

describe("the address", () => {
  it("is the url, the room as one segment, and the parameters", async () => {
    await connect({
      id: "act 1/scene ü@2?x#y",
      url: `ws://127.0.0.1:${port}/ws/scenes?tenant=a#gone`,
      params: { draft: "true & more" },
      token: "secret/+",
    });
    await until(() => asked.length === 1);
    const { pathname, searchParams } = asked[0]!;
    expect(pathname).toBe("/ws/scenes/act%201%2Fscene%20%C3%BC@2%3Fx%23y");
    const { session, ...rest } = Object.fromEntries(searchParams);
    expect(rest).toEqual({ tenant: "a", draft: "true & more", token: "secret/+", "slate-yrs": "1", formats: "0,1" });
    expect(session).toMatch(/^[0-9a-f]{32}$/);
  });

  it("has no token where there is none, and is not asked for before connect()", async () => {
    const collab = await connect({ connect: false });
    await new Promise((wake) => setTimeout(wake, 50));
    expect(asked).toEqual([]);
    expect(collab.status.connection).toBe("offline");
    collab.connect();
    await until(() => asked.length === 1);
    expect(asked[0]!.searchParams.has("token")).toBe(false);
    expect(asked[0]!.pathname).toBe("/ws/scenes/scene");
  });
});

describe("messages", () => {
  it("that come in one turn: what the editor makes of the first is told before the second", async () => {
    const mention = { type: "mention", children: [{ text: "" }] };
    const line = { type: "action", children: [{ text: "a" }, mention, { text: "b" }] } as Descendant;
    const writer = await open({ id: "writer", offline: false, format: 0, initialValue: [line] });
    opened.push(writer);
    const start = writer.encodeState();
    const updates: Uint8Array[] = [];
    writer.on("update", ({ update }) => updates.push(update));
    const write = (op: Operation) => {
      handleOf(writer).edit(op);
      handleOf(writer).flush();
    };
    write({ type: "remove_node", path: [0, 1], node: mention as never });
    write({ type: "insert_text", path: [0, 1], offset: 1, text: "c" });
    expect(updates).toHaveLength(2);
    const update = (bytes: Uint8Array) => Uint8Array.of(0, 2, (bytes.length & 127) | 128, bytes.length >> 7, ...bytes);
    greet = (socket) => {
      durable(socket, "one");
      socket.send(update(start));
      // All of these in one packet, of which `ws` makes one turn.
      const { _socket } = socket as unknown as { _socket: { cork(): void; uncork(): void } };
      _socket.cork();
      for (const each of updates) socket.send(update(each));
      _socket.uncork();
    };
    const collab = await connect({ offline: false, connect: false });
    const editor = createEditor();
    editor.isInline = (element) => (element as { type?: string }).type === "mention";
    const errors: CollabError[] = [];
    collab.on("error", (error) => errors.push(error));
    const bound = withCollab(editor, collab);
    collab.connect();
    await until(() => JSON.stringify(bound.children).includes("c"));
    expect(bound.children).toEqual([{ type: "action", children: [{ text: "abc" }] }]);
    expect([errors, bound.divergences]).toEqual([[], 0]);
  });
});

describe("F24: the token", () => {
  it("is asked for before every connection", async () => {
    let calls = 0;
    close = { code: 1011, reason: "again" };
    await connect({ token: async () => `token ${++calls}` });
    await until(() => asked.length >= 3);
    expect(asked.slice(0, 3).map(({ searchParams }) => searchParams.get("token"))).toEqual([
      "token 1",
      "token 2",
      "token 3",
    ]);
  });

  it("that is refused is asked for once more, and then it is over", async () => {
    let calls = 0;
    close = { code: 4401, reason: "expired" };
    const errors: CollabError[] = [];
    const collab = await connect({ token: () => `token ${++calls}` });
    collab.on("error", (error) => errors.push(error));
    await until(() => collab.status.connection === "unauthorized");
    await expect(collab.whenSynced()).rejects.toMatchObject({ code: "unauthorized" });
    const before = asked.length;
    await new Promise((wake) => setTimeout(wake, 300));
    expect([asked.length, calls]).toEqual([before, before]);
    expect(before).toBe(2);
  });

  it("that cannot be had is asked for again later", async () => {
    let calls = 0;
    const collab = await connect({
      token: () => {
        calls += 1;
        if (calls < 3) throw new Error("the token server is down");
        return "at last";
      },
    });
    await until(() => asked.length === 1);
    expect(asked[0]!.searchParams.get("token")).toBe("at last");
    expect(collab.status.connection).not.toBe("unauthorized");
  });

  it("that is no string is no token", async () => {
    const collab = await connect({ token: (() => 5) as never });
    await new Promise((wake) => setTimeout(wake, 100));
    expect(asked).toEqual([]);
    expect(collab.status.synced).toBe(false);
  });
});

describe("refusals", () => {
  it("because of the document's format is final, and what was written stays on the device", async () => {
    const reason = "this client does not know the document's format";
    close = { code: 4426, reason };
    const collab = await connect({ initialValue: [{ type: "action", children: [{ text: "a" }] } as Descendant] });
    await until(() => collab.status.connection === "forbidden");
    expect(collab.status).toMatchObject({ readOnly: true, error: { code: "format" } });
    expect(collab.status.error?.message).toContain(reason);
    await expect(collab.whenSynced()).rejects.toMatchObject({ code: "format" });
    collab.connect();
    await new Promise((wake) => setTimeout(wake, 300));
    expect(asked).toHaveLength(1);
  });

  it("of a format that is not known here: read only, with the reason", async () => {
    greet = (socket) => durable(socket, "one", { formats: [0, 1, 2], format: 2 });
    const collab = await connect({ format: 0 });
    await until(() => collab.status.synced);
    expect(collab.status).toMatchObject({ connection: "online", format: 2, readOnly: true, error: { code: "format" } });
  });

  it("asks for no format that there is not", async () => {
    const format = 2 as never;
    await expect(open({ id: "scene", format })).rejects.toMatchObject({ code: "protocol" });
    const collab = await connect({ format: 1 });
    expect(collab.status.error).toBeNull();
  });

  it("for good end it", async () => {
    close = { code: 4403, reason: "not yours" };
    const collab = await connect();
    await until(() => collab.status.connection === "forbidden");
    await expect(collab.whenSaved()).rejects.toMatchObject({ code: "forbidden" });
  });

  it("F32: closing while connecting, and while the token is on its way", async () => {
    const early = await connect();
    await early.close();
    let give: (token: string) => void = () => {};
    const late = await connect({
      token: () =>
        new Promise<string>((resolve) => {
          give = resolve;
        }),
    });
    await late.close();
    give("too late");
    await new Promise((wake) => setTimeout(wake, 50));
    expect(asked.some(({ searchParams }) => searchParams.get("token") === "too late")).toBe(false);
  });

  it("F16: whenSaved ends when an edit is set aside, and what is set aside can be given up", async () => {
    greet = (socket) => {
      durable(socket, "one");
      socket.on("message", (frame: Buffer) => {
        if (frame[0] === SUBMIT) socket.send(Uint8Array.of(123, frame[1]!, ...text("invalid"), ...text("no")));
      });
    };
    const collab = await connect({ offline: false });
    await collab.whenSynced();
    handleOf(collab).edit(paragraph);
    await expect(collab.whenSaved()).rejects.toMatchObject({ code: "invalid-update" });
    await expect(collab.history.save("now")).rejects.toMatchObject({ code: "invalid-update" });
    expect(collab.status.setAside).toBe(1);
    collab.discardSetAside();
    await collab.whenSaved();
    expect(collab.value()).toEqual([]);
  });

  it("F6: whenSaved and whenSynced end in a conflict, and the server's document can be taken", async () => {
    greet = (socket) => durable(socket, "one");
    const collab = await connect({ offline: false });
    await collab.whenSynced();
    handleOf(collab).edit(paragraph);
    await collab.takeServer();
    greet = (socket) => durable(socket, "two");
    for (const socket of sockets.clients) socket.terminate();
    await expect(collab.whenSaved()).rejects.toMatchObject({ code: "epoch" });
    await expect(collab.whenSynced()).rejects.toMatchObject({ code: "epoch" });
    await collab.takeServer();
    expect(collab.status).toMatchObject({ conflict: null, setAside: 1 });
    expect(collab.value()).toEqual([]);
  });

  it("a version is not restored later, when there is a connection again", async () => {
    const collab = await connect({ connect: false });
    await expect(collab.history.restore("1")).rejects.toMatchObject({ code: "protocol" });
    await expect(collab.history.save("now")).rejects.toMatchObject({ code: "protocol" });
  });

  it("whenSynced ends with the document", async () => {
    const collab = await connect();
    const waiting = expect(collab.whenSynced()).rejects.toMatchObject({ code: "closed" });
    await collab.close();
    await waiting;
  });
});
