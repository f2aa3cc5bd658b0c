// Where no WebSocket opens: the same document over HTTP, through a proxy that refuses upgrades and fails in all ways.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { handleOf } from "../../js/engine.js";
import { type Collab, open } from "../../js/index.js";
import { SECRET, SyncServer, token } from "../e2e/server.ts";
import { type Faults, HttpProxy, NO_FAULTS } from "./http-proxy.js";
import { random } from "./random.js";
import { until as within } from "./rooms.js";

const until = async (what: string, reached: () => boolean) => expect(await within(reached), what).toBe(true);

const START = [{ type: "p", children: [{ text: "." }] }];
let server: SyncServer;
let proxy: HttpProxy;
const opened: Collab[] = [];

beforeAll(async () => {
  server = await SyncServer.start([], true);
}, 60_000);
afterAll(() => server.stop());
afterEach(async () => {
  for (const collab of opened.splice(0)) await collab.close();
  await proxy.close();
});

async function join(id: string, more: object = {}): Promise<Collab> {
  const collab = await open({ id, url: proxy.scenes, initialValue: START, offline: false, WebSocket, ...more });
  opened.push(collab);
  return collab;
}

const text = (collab: Collab) => (collab.value() as typeof START)[0]?.children[0]?.text ?? "";
const type = (collab: Collab, word: string) =>
  handleOf(collab).edit({ type: "insert_text", path: [0, 0], offset: 0, text: word });
const words = (found: string, name: string) =>
  [...found.matchAll(/<(\w+) (\d+)>/g)].filter((match) => match[1] === name).map((match) => Number(match[2]));
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

async function stored(id: string): Promise<string> {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, await server.stored(id));
  const [block] = doc.get("content", Y.XmlText).toDelta() as { insert: Y.XmlText }[];
  return String(block?.insert);
}

describe("a proxy that knows no upgrades", () => {
  it("is passed over HTTP, which shows in the status and is remembered", async () => {
    proxy = await HttpProxy.to(server.port);
    const a = await join("office");
    await a.whenSynced();
    expect(a.status).toMatchObject({ transport: "http", connection: "online", error: null });
    expect(proxy.seen.filter((kind) => kind === "upgrade").length).toBeGreaterThanOrEqual(2);
    expect(proxy.seen.filter((kind) => kind === "GET new").length).toBeGreaterThanOrEqual(1);
    const tried = proxy.seen.filter((kind) => kind === "upgrade").length;
    const b = await join("office", { presence: { name: "b" } });
    await b.whenSynced();
    expect(proxy.seen.filter((kind) => kind === "upgrade")).toHaveLength(tried);
    type(a, "<a 1>");
    await a.whenSaved();
    await until("it arrives", () => text(b) === "<a 1>.");
    await until("presence too", () => a.peers.length === 1);
    // Who leaves is gone at once: nobody would be missed in less than half a minute.
    await b.close();
    await until("that one has left", () => a.peers.length === 0);
    expect(a.status.divergences).toBe(0);
  });

  it("that holds answers back is passed too", async () => {
    proxy = await HttpProxy.to(server.port);
    proxy.holdsBack = true;
    const [a, b] = [await join("held"), await join("held")];
    await Promise.all([a.whenSynced(), b.whenSynced()]);
    for (let count = 1; count <= 5; count += 1) {
      type(a, `<a ${count}>`);
      await a.whenSaved();
      await until("it arrives", () => words(text(b), "a").length === count);
    }
    expect(b.status.transport).toBe("http");
  });

  it("is left for sockets as soon as there are some, and at once where HTTP is not wanted or there is none", async () => {
    proxy = await HttpProxy.to(server.port);
    const a = await join("moves");
    await a.whenSynced();
    expect(a.status.transport).toBe("http");
    proxy.upgrades = true;
    // The first connection over HTTP that fails is followed by a try with a socket.
    proxy.down = true;
    proxy.cut();
    await until("neither goes", () => a.status.error?.message.includes("over HTTP") === true);
    proxy.down = false;
    a.connect();
    await until(
      "it is back over a socket",
      () => a.status.connection === "online" && a.status.transport === "websocket",
    );
    type(a, "<a 1>");
    await a.whenSaved();
    proxy.upgrades = false;
    const b = await join("moves", { transport: "websocket" });
    const c = await join("moves", { transport: "http" });
    await c.whenSynced();
    expect(text(c)).toBe("<a 1>.");
    expect(c.status.transport).toBe("http");
    await until("it says why", () => b.status.error !== null);
    expect(b.status).toMatchObject({ transport: "websocket" });
  });

  it("makes nobody ask for what a y-websocket server has not", async () => {
    // It answers any request, as that one does; and its upgrades fail.
    const plain = await import("node:http").then(({ createServer }) =>
      createServer((_, answer) => answer.end("okay")).listen(0, "127.0.0.1"),
    );
    await new Promise((listening) => plain.once("listening", listening));
    proxy = await HttpProxy.to((plain.address() as { port: number }).port);
    const a = await join("plain");
    await until("it has tried", () => proxy.seen.filter((kind) => kind === "upgrade").length >= 4);
    expect(proxy.seen.filter((kind) => kind.startsWith("POST"))).toEqual([]);
    expect(proxy.seen.filter((kind) => kind.startsWith("GET"))).toHaveLength(1);
    expect(a.status.transport).toBe("websocket");
    expect(a.status.error?.message).toContain("ws/scenes/plain");
    await new Promise((closed) => plain.close(closed));
  });
});

it("tokens are refused, and renewed, as over a socket", async () => {
  const guarded = await SyncServer.start(["--jwt-secret", SECRET], true);
  proxy = await HttpProxy.to(guarded.port);
  try {
    let asked = 0;
    const renewed = () => {
      asked += 1;
      return asked === 1 ? "none" : token("ada");
    };
    const a = await join("guarded", { transport: "http", token: renewed });
    await a.whenSynced();
    expect(asked).toBe(2);
    const b = await join("guarded", { transport: "http", token: "none" });
    await expect(b.whenSynced()).rejects.toMatchObject({ code: "unauthorized" });
    expect(b.status.connection).toBe("unauthorized");
  } finally {
    await guarded.stop();
  }
});

const FAULTS: Faults = { lost: 0.08, unanswered: 0.08, doubled: 0.15, late: 0.15, cut: 0.15 };
const SEEDS = (process.env.TRANSPORT_SEEDS ?? "1,2").split(",").map(Number);

it.each(SEEDS)(
  "requests lost, unanswered, doubled, late and cut, a server killed: each word once (seed %i)",
  async (seed) => {
    const draw = random(seed);
    const luck = () => draw(1_000_000) / 1_000_000;
    proxy = await HttpProxy.to(server.port, luck);
    const id = `faults-${seed}`;
    const seats = { a: await join(id, { transport: "http" }), b: await join(id, { transport: "http" }) };
    await Promise.all([seats.a.whenSynced(), seats.b.whenSynced()]);
    proxy.faults = FAULTS;
    const count = { a: 0, b: 0 };
    const rounds = Number(process.env.TRANSPORT_ROUNDS ?? 60);
    // Until each has happened a few times, whatever the machine's pace makes of the seed.
    const isMissing = () => Object.keys(FAULTS).some((kind) => (proxy.injected[kind] ?? 0) < 2);
    for (let round = 0; round < rounds || isMissing(); round += 1) {
      for (const name of ["a", "b"] as const) {
        if (luck() < 0.3) continue;
        count[name] += 1;
        type(seats[name], `<${name} ${count[name]}>`);
      }
      await within(() => false, luck() * 60);
      if (round === rounds >> 1) {
        await server.kill();
        await server.run();
      }
      if (round === rounds >> 2) {
        seats.a.disconnect();
        proxy.cut();
      }
      if (round === (rounds >> 2) + 5) seats.a.connect();
    }
    // It goes on being bad until all is saved.
    await Promise.all([seats.a.whenSaved(), seats.b.whenSaved()]);
    proxy.faults = NO_FAULTS;
    await until("both show the same", () => text(seats.a) === text(seats.b));
    const kept = await stored(id);
    for (const name of ["a", "b"] as const) {
      const expected = upTo(count[name]).reverse();
      expect(words(text(seats[name]), name)).toEqual(expected);
      expect(words(kept, name)).toEqual(expected);
      expect(seats[name].status).toMatchObject({ pending: 0, setAside: 0, divergences: 0, transport: "http" });
    }
    console.log(`    seed ${seed}: ${count.a + count.b} words, ${JSON.stringify(proxy.injected)}`);
  },
);
