import { deflateRawSync } from "node:zlib";
import { beforeEach, expect, it, vi } from "vitest";
import { eventually } from "../tests/unit/eventually.js";

/** What listens and dispatches as a browser's socket does. */
class FakeSocket extends EventTarget {
  readyState = 1;
  readonly seen: string[] = [];

  listen(): void {
    this.addEventListener("message", (event) => this.seen.push(text((event as MessageEvent).data)));
  }

  arrives(data: ArrayBuffer | string): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  close(): void {
    this.readyState = 3;
  }
}

const text = (data: unknown): string =>
  typeof data === "string" ? data : new TextDecoder().decode(data as ArrayBuffer);
const plain = (of: string): ArrayBuffer => Uint8Array.from(Buffer.from(of)).buffer;
const deflated = (of: string): ArrayBuffer => Uint8Array.from([0x80, 0x01, ...deflateRawSync(Buffer.from(of))]).buffer;

let inflate: typeof import("./inflate.js");
beforeEach(async () => {
  vi.resetModules();
  vi.stubGlobal("WebSocket", FakeSocket);
  inflate = await import("./inflate.js");
});

function open(): FakeSocket {
  const socket = new FakeSocket();
  inflate.inflating(socket as unknown as WebSocket);
  socket.listen();
  return socket;
}

it("frames are seen as they were before they were compressed, in the order in which they came", async () => {
  expect(inflate.inflates()).toBe(true);
  const socket = open();
  const document = "INT. KITCHEN - DAY ".repeat(20_000);
  socket.arrives(plain("first"));
  expect(socket.seen).toEqual(["first"]);
  socket.arrives(deflated(document));
  socket.arrives(plain("behind it"));
  socket.arrives(deflated("short"));
  socket.arrives("text");
  expect(socket.seen).toEqual(["first"]);
  await eventually(() => expect(socket.seen).toHaveLength(5));
  expect(socket.seen).toEqual(["first", document, "behind it", "short", "text"]);
  socket.arrives(plain("later"));
  expect(socket.seen.at(-1)).toBe("later");
});

it("a frame that is dispatched a second time, for who listens later, does not go behind what came after it", async () => {
  const socket = open();
  const event = new MessageEvent("message", { data: plain("kept") });
  socket.dispatchEvent(event);
  socket.arrives(deflated("document"));
  socket.dispatchEvent(event);
  expect(socket.seen).toEqual(["kept", "kept"]);
  await eventually(() => expect(socket.seen).toEqual(["kept", "kept", "document"]));
});

it.each([
  ["no such bytes", Uint8Array.from([0x80, 0x01, 0xff, 0xff, 0xff]).buffer],
  ["bytes that end too early", deflated("INT. KITCHEN - DAY".repeat(900)).slice(0, 30)],
  ["more than any frame has", Uint8Array.from([0x80, 0x01, ...deflateRawSync(Buffer.alloc(65 * 1024 * 1024))]).buffer],
])("%s end the connection, and the next asks for none", async (_, data) => {
  const socket = open();
  socket.arrives(data);
  socket.arrives(plain("behind it"));
  await eventually(() => expect(socket.readyState).toBe(3));
  expect(socket.seen).toEqual([]);
  expect(inflate.inflates()).toBe(false);
});

it("what a closed socket still has is not shown", async () => {
  const socket = open();
  socket.arrives(deflated("document"));
  socket.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(socket.seen).toEqual([]);
});

it("another WebSocket in the place of the platform's asks for none", () => {
  vi.stubGlobal("WebSocket", class Emitter {});
  expect(inflate.inflates()).toBe(false);
});
