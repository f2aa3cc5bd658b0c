// The socket that is opened before the module is there, on a device that has the document.
import "fake-indexeddb/auto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { WebSocketServer } from "ws";
import { BrowserSocket, hello } from "./browser-socket.ts";

const http = createServer();
const sockets = new WebSocketServer({ server: http });
/** Of each connection: its sync step 1s. */
const asked: number[][][] = [];
let url = "";
/** An edit was submitted. */
let said = false;
const had = globalThis.WebSocket as typeof WebSocket | undefined;

beforeAll(async () => {
  globalThis.WebSocket = BrowserSocket as unknown as typeof WebSocket;
  sockets.on("connection", (socket) => {
    const steps: number[][] = [];
    asked.push(steps);
    socket.on("error", () => {});
    socket.on("message", (data: Buffer) => {
      if (data[0] === 121) said = true;
      if (data[0] !== 0 || data[1] !== 0) return;
      steps.push([...data]);
      // It has nothing.
      socket.send(Uint8Array.of(0, 1, 2, 0, 0));
    });
    hello(socket);
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const address = http.address();
  url = `ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}/ws`;
});
afterAll(() => {
  if (had !== undefined) globalThis.WebSocket = had;
  for (const socket of sockets.clients) socket.terminate();
  http.close();
});

const until = async (reached: () => boolean) => {
  for (let tries = 0; tries < 2_000 && !reached(); tries += 1) await new Promise((wake) => setTimeout(wake, 10));
  expect(reached()).toBe(true);
};

const ALL = [0, 0, 1, 0];

/** A page of its own, whose module comes when the server has been asked `before` times. */
async function visit(options: object, before = 0) {
  vi.resetModules();
  const { init, open } = await import("slate-yrs");
  let release: (bytes: Uint8Array) => void = () => {};
  const module = new Promise<Uint8Array>((resolve) => {
    release = resolve;
  });
  const loaded = init(module as never);
  const opening = open({ id: "early-copy", ...options });
  for (let tries = 0; tries < 2_000 && asked.flat().length < before; tries += 1) {
    await new Promise((wake) => setTimeout(wake, 10));
  }
  release(await readFile("pkg/slate_yrs_bg.wasm"));
  await loaded;
  return opening;
}

it("asks for what the device has not; where it has asked for all although there is something, that is enough", async () => {
  const written = await visit({ format: 0, initialValue: [{ type: "p", children: [{ text: "on the device" }] }] });
  await written.close();

  const second = await visit({ url });
  await second.whenSynced();
  expect(asked).toHaveLength(1);
  expect(asked[0]).toHaveLength(1);
  expect(asked[0]![0]).not.toEqual(ALL);
  await second.close();

  // Another tab brings the document to the device just now.
  const databases = vi.spyOn(indexedDB, "databases").mockResolvedValue([]);
  asked.length = 0;
  said = false;
  const third = await visit({ url }, 1);
  await third.whenSynced();
  expect(databases).toHaveBeenCalled();
  expect(asked).toEqual([[ALL]]);
  expect(JSON.stringify(third.value())).toContain("on the device");
  // The connection goes on as any other.
  third.map("words").set("said", true);
  await until(() => said);
  await third.close();
});
