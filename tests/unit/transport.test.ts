// What a connection goes over, decided by sockets that fail, hang or open, and by what HTTP answers; in time that stands still.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { OpenOptions, WebSocketClass } from "../../js/types.js";

/** A socket that does what the test says. */
class FakeSocket extends EventTarget {
  readyState = 0;
  binaryType = "";
  bufferedAmount = 0;
  readonly address: string;

  constructor(address: string) {
    super();
    this.address = address;
    made.push(this);
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }

  send(): void {}
}

let made: FakeSocket[] = [];
let requests: { method: string; url: URL; authorization: string | null }[] = [];
/** What HTTP answers to a question whether it can be had; `null`: nobody is there. */
let available: (() => Response) | null = () => Response.json({ version: 1 });
const MINUTE = 60_000;

beforeEach(() => {
  made = [];
  requests = [];
  available = () => Response.json({ version: 1 });
  vi.useFakeTimers();
  vi.resetModules();
  const stored = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  });
  vi.stubGlobal("fetch", async (input: URL, init: RequestInit = {}) => {
    const url = new URL(input);
    const method = init.method ?? "GET";
    requests.push({ method, url, authorization: new Headers(init.headers).get("authorization") });
    if (url.searchParams.has("stream")) {
      if (method === "POST") return new Response(null, { status: 204 });
      // An answer in which nothing comes but its beginning.
      return new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array([0, 2])) }));
    }
    if (method === "POST") return Response.json({ stream: "secret" });
    if (available === null) throw new TypeError("nobody is there");
    return available();
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A page that has just been loaded. */
async function page(more: Partial<OpenOptions> = {}) {
  vi.resetModules();
  const { Transport } = await import("../../js/transport.js");
  const options = { id: "scene", url: "wss://host/ws/scenes", token: "t", ...more };
  const transport = new Transport({ ...options, WebSocket: FakeSocket as unknown as WebSocketClass }, null);
  /** One connection. */
  const connect = async () => {
    const address = await transport.address("session", "0,1", () => true);
    return transport.connect(address) as unknown as FakeSocket;
  };
  return { transport, connect };
}

/** What is loaded when it is needed is there, and what waited for that is done. */
const settle = async () => {
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(0);
};
/** Upgrades that fail, each before the next one. */
async function fail(connect: () => Promise<FakeSocket>, times: number): Promise<void> {
  for (let tries = 0; tries < times; tries += 1) {
    (await connect()).close();
    await settle();
  }
}
const questions = () =>
  requests.filter(({ method, url }) => method === "GET" && !url.searchParams.has("stream")).length;

/** Two upgrades that fail, and HTTP. */
async function overHttp(more: Partial<OpenOptions> = {}) {
  const opened = await page(more);
  await fail(opened.connect, 2);
  const socket = await opened.connect();
  await settle();
  return { ...opened, socket };
}

it("two upgrades that fail, the second while HTTP answers, lead to HTTP; the tab remembers it for a while", async () => {
  const { transport, socket } = await overHttp();
  expect(made).toHaveLength(2);
  expect(transport.name).toBe("http");
  expect(socket.readyState).toBe(1);
  const opening = requests.find(({ method }) => method === "POST");
  expect(opening).toMatchObject({ authorization: "Bearer t" });
  expect(opening?.url.href).toBe("https://host/http/scenes/scene?slate-yrs=1&session=session&formats=0%2C1");
  socket.close();
  transport.stop();
  const again = await page();
  await again.connect();
  expect([again.transport.name, made.length]).toEqual(["http", 2]);
  vi.setSystemTime(Date.now() + 11 * MINUTE);
  const later = await page();
  await later.connect();
  expect([later.transport.name, made.length]).toEqual(["websocket", 3]);
});

it("nothing leads to HTTP while nobody answers there, or something else does", async () => {
  available = null;
  const { transport, connect } = await page();
  await fail(connect, 5);
  expect([transport.name, made.length, questions()]).toEqual(["websocket", 5, 4]);
  available = () => new Response("okay");
  await fail(connect, 5);
  // Asked once.
  expect([transport.name, made.length, questions()]).toEqual(["websocket", 10, 5]);
});

it("a server that comes back is met by a socket: HTTP answers, and so does the upgrade", async () => {
  available = null;
  const { transport, connect } = await page();
  await fail(connect, 3);
  available = () => Response.json({ version: 1 });
  (await connect()).open();
  expect(transport.name).toBe("websocket");
  // And what had failed before counts no more.
  const asked = questions();
  (await connect()).close();
  expect(questions()).toBe(asked);
});

it("an upgrade that hangs while HTTP answers is given up", async () => {
  const { transport, connect } = await page();
  const hangs = await connect();
  await vi.advanceTimersByTimeAsync(9_000);
  await settle();
  expect(hangs.readyState).toBe(3);
  await connect();
  expect(transport.name).toBe("http");
  // Where nobody answers, it is left to the session.
  available = null;
  const other = await page({ url: "wss://other/ws/scenes" });
  const waits = await other.connect();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(waits.readyState).toBe(0);
});

it("over HTTP a socket is tried now and then, with another session; as soon as one opens, it is used", async () => {
  // In the middle of the time in which it may be tried: how often follows from that.
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  let tokens = 0;
  const { transport, socket, connect } = await overHttp({ token: () => `t${++tokens}` });
  await vi.advanceTimersByTimeAsync(13 * MINUTE);
  expect(made).toHaveLength(3);
  const tried = new URL(made[2]?.address ?? "");
  expect(tried.searchParams.get("session")).not.toBe("session");
  expect(tried.searchParams.get("token")).toBe(`t${tokens}`);
  made[2]?.close();
  expect(socket.readyState).toBe(1);
  await vi.advanceTimersByTimeAsync(13 * MINUTE);
  expect(made).toHaveLength(4);
  const closed = vi.fn();
  socket.addEventListener("close", closed);
  made[3]?.open();
  await settle();
  expect(closed).toHaveBeenCalledOnce();
  await connect();
  expect([transport.name, made.length]).toEqual(["websocket", 5]);
});

it("no socket waits for what HTTP answers, and an answer that comes late counts", async () => {
  let answer: (response: Response) => void = () => {};
  const ask = vi.fn(() => new Promise<Response>((answered) => (answer = answered)));
  vi.stubGlobal("fetch", ask);
  const { transport, connect } = await page();
  await fail(connect, 4);
  // One question is under way, and three sockets were tried meanwhile.
  expect([made.length, ask.mock.calls.length, transport.name]).toEqual([4, 1, "websocket"]);
  answer(Response.json({ version: 1 }));
  await settle();
  const other = await connect();
  expect([made.length, transport.name]).toEqual([4, "http"]);
  other.close();
});

it("an answer that comes when a socket is open counts no more", async () => {
  let answer: (response: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise<Response>((answered) => (answer = answered)));
  const { transport, connect } = await page();
  await fail(connect, 2);
  (await connect()).open();
  answer(Response.json({ version: 1 }));
  await settle();
  (await connect()).open();
  expect([made.length, transport.name]).toEqual([4, "websocket"]);
});

it("one that is told what to go over tries nothing else", async () => {
  const socket = await page({ transport: "websocket" });
  await fail(socket.connect, 5);
  expect([socket.transport.name, made.length, requests.length]).toEqual(["websocket", 5, 0]);
  const http = await page({ transport: "http" });
  await http.connect();
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect([http.transport.name, made.length]).toEqual(["http", 5]);
});
