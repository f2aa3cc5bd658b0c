// The socket that is opened while the module is still on its way. Each file of tests has a module of its own, so that the
// first documents here find none loaded.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type Collab, init, open } from "slate-yrs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket as NodeWebSocket, WebSocketServer } from "ws";
import { BrowserSocket, durable, made } from "./browser-socket.ts";

const http = createServer();
const sockets = new WebSocketServer({ server: http });
const asked: URL[] = [];
let greet: (socket: NodeWebSocket) => void = () => {};
let port = 0;
const opened: Collab[] = [];
const had = globalThis.WebSocket as typeof WebSocket | undefined;
let release: (bytes: Uint8Array | Error) => void = () => {};

beforeAll(async () => {
  globalThis.WebSocket = BrowserSocket as unknown as typeof WebSocket;
  sockets.on("connection", (socket, request) => {
    asked.push(new URL(request.url ?? "", "ws://host"));
    socket.on("error", () => {});
    greet(socket);
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
  made.length = 0;
  asked.length = 0;
  greet = () => {};
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((collab) => collab.close()));
});

const until = async (reached: () => boolean) => {
  for (let tries = 0; tries < 2_000 && !reached(); tries += 1) await new Promise((wake) => setTimeout(wake, 10));
  expect(reached()).toBe(true);
};

/** From now on the module is on its way, until it is let through. */
function slowly(): void {
  const bytes = new Promise<Uint8Array>((resolve, reject) => {
    release = (what) => (what instanceof Error ? reject(what) : resolve(what));
  });
  init(bytes as never).catch(() => {});
}

const scene = () => ({ id: "scene", url: `ws://127.0.0.1:${port}/ws` });

// In this order: once the module is there, nothing is early any more.
describe("the early socket", () => {
  it("is closed if the module does not load", async () => {
    slowly();
    const opening = open(scene());
    await until(() => asked.length === 1);
    release(new Error("gone"));
    await expect(opening).rejects.toMatchObject({ code: "wasm" });
    await until(() => made[0]!.readyState === 3);
  });

  it("is not opened where nothing is to be connected, and the token's failure is said once", async () => {
    slowly();
    let tokens = 0;
    const token = async () => {
      tokens += 1;
      throw new Error("no token");
    };
    const opening = [open({ ...scene(), connect: false }), open({ id: "alone" }), open({ ...scene(), token })];
    await until(() => tokens === 1);
    release(new Error("gone"));
    await Promise.allSettled(opening);
    expect(made).toEqual([]);
    expect(tokens).toBe(1);
  });

  it("is the document's, with what has come on it meanwhile; one that was closed meanwhile is opened anew", async () => {
    slowly();
    let steps = 0;
    let presences = 0;
    let closed = 0;
    greet = (socket) => {
      const first = asked.length === 1;
      socket.on("message", (data: Buffer) => {
        // Sync step 1. There is nothing on the device: all is asked for.
        if (first && data[0] === 0 && data[1] === 0) {
          expect([...data]).toEqual([0, 0, 1, 0]);
          steps += 1;
        }
        if (first && data[0] === 1) presences += 1;
      });
      if (asked.at(-1)!.pathname.endsWith("closed") && closed === 0) {
        closed += 1;
        socket.close(4503, "later");
      } else if (first || closed > 0) durable(socket);
    };
    let tokens = 0;
    const token = () => {
      tokens += 1;
      return `token-${tokens}`;
    };
    let heard = 0;
    const debug = ({ what }: { what: string }) => {
      if (what === "received") heard += 1;
    };
    const opening = open({ ...scene(), token, debug, presence: { name: "Ada" } });
    await until(() => asked.length === 1);
    const another = open({ ...scene(), id: "closed" });
    await until(() => made.length === 2 && made[1]!.readyState === 3);
    // The server has spoken, and nobody has heard it; but it was asked for the document.
    await until(() => made[0]!.readyState === 1 && steps === 1);
    expect(heard).toBe(0);
    release(await readFile(new URL("../../pkg/slate_yrs_bg.wasm", import.meta.url)));
    const collab = await opening;
    opened.push(collab, await another);
    // Hello has arrived, though it was sent only once, before there was an engine; and the engine has answered.
    await until(() => collab.status.connection === "online" && collab.status.synced && presences > 0);
    // What the engine would have asked first had been asked already.
    expect(steps).toBe(1);
    expect(heard).toBeGreaterThanOrEqual(2);
    expect(asked.filter(({ pathname }) => pathname === "/ws/scene")).toHaveLength(1);
    expect(asked[0]!.searchParams.get("token")).toBe("token-1");
    expect(asked[0]!.searchParams.get("formats")).toBe("0,1");
    expect(tokens).toBe(1);
    await until(() => opened[1]!.status.connection === "online");
    expect(asked.filter(({ pathname }) => pathname === "/ws/closed").length).toBeGreaterThanOrEqual(2);
  });

  it("is not needed once the module is there", async () => {
    const collab = await open(scene());
    opened.push(collab);
    await until(() => asked.length === 1);
    expect(made).toHaveLength(1);
  });
});
