// Clients that are not ours in rooms of our server: what docs/SERVER.md says works with it does, and what does not is told so.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import type { Node as ProseNode } from "prosemirror-model";
import { schema } from "prosemirror-schema-basic";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { initProseMirrorDoc, prosemirrorToYXmlFragment, yXmlFragmentToProseMirrorRootNode } from "y-prosemirror";
import { WebsocketProvider as Version3 } from "y-websocket";
import { WebsocketProvider as Version1 } from "y-websocket1";
import { WebsocketProvider as Version2 } from "y-websocket2";
import * as Y from "yjs";
import { SyncServer } from "../e2e/server.ts";
import { until as within } from "./rooms.js";

const until = async (what: string, reached: () => boolean) => expect(await within(reached), what).toBe(true);

let server: SyncServer;
beforeAll(async () => {
  server = await SyncServer.start([], true);
}, 60_000);
afterAll(async () => {
  await server.stop();
});

const versions = { "y-websocket 1": Version1, "y-websocket 2": Version2, "y-websocket 3": Version3 };

function open(Provider: typeof Version3, room: string) {
  const doc = new Y.Doc();
  const provider = new Provider(server.scenes, room, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  });
  return { doc, provider };
}

describe.each(Object.entries(versions))("%s", (name, Provider) => {
  it("syncs, is stored, shows presence and comes back after its connection was cut", async () => {
    const room = `clients-${name.replaceAll(" ", "-")}`;
    const [one, two] = [open(Provider as typeof Version3, room), open(Provider as typeof Version3, room)];
    await until("both have synced", () => one.provider.synced && two.provider.synced);
    one.doc.getText("monaco").insert(0, "typed");
    one.provider.awareness.setLocalStateField("user", { name: "One" });
    await until("the other has it", () => two.doc.getText("monaco").toString() === "typed");
    await until("and sees who wrote", () => two.provider.awareness.getStates().has(one.doc.clientID));
    one.provider.ws?.close();
    await until("it is away", () => !one.provider.wsconnected);
    await until("it is back", () => one.provider.wsconnected && one.provider.synced);
    await until("and seen again", () => two.provider.awareness.getStates().has(one.doc.clientID));
    one.doc.getText("monaco").insert(5, " again");
    await until("what it writes then arrives", () => two.doc.getText("monaco").toString() === "typed again");
    const late = open(Provider as typeof Version3, room);
    await until("who comes later has it", () => late.doc.getText("monaco").toString() === "typed again");
    for (const { provider } of [one, two, late]) provider.destroy();
    const stored = new Y.Doc();
    Y.applyUpdate(stored, await server.stored(room));
    expect(stored.getText("monaco").toString()).toBe("typed again");
  });
});

describe("pycrdt, by its own provider", () => {
  function python(room: string, ...args: string[]) {
    const program = fileURLToPath(new URL("pycrdt_client.py", import.meta.url));
    const client = spawn("python3", [program, `${server.scenes}/${room}`, ...args], {
      env: { ...process.env, PYTHONPATH: fileURLToPath(new URL("../../target/python", import.meta.url)) },
    });
    const said = { text: "" };
    for (const stream of [client.stdout, client.stderr])
      stream.on("data", (bytes) => {
        said.text += bytes;
      });
    return { client, said };
  }

  it("writes and reads, with the client id of 53 bits that it draws", async () => {
    const room = "clients-pycrdt";
    const { doc, provider } = open(Version3, room);
    await until("it has synced", () => provider.synced);
    doc.getText("text").insert(0, "from yjs ");
    const { client, said } = python(room, "from pycrdt ", "from yjs ");
    const has = (text: string) => text.includes("from yjs ") && text.includes("from pycrdt ");
    const both = () => has(doc.getText("text").toString()) && has(said.text);
    expect(await within(both, 60_000), `it says ${said.text}`).toBe(true);
    client.stdin.end();
    provider.destroy();
    const stored = new Y.Doc();
    Y.applyUpdate(stored, await server.stored(room));
    expect(stored.getText("text").toString()).toSatisfy(has);
  }, 90_000);
});

it("y-prosemirror, which TipTap uses: its document arrives and is stored", async () => {
  const { doc, provider } = open(Version3, "clients-prosemirror");
  await until("it has synced", () => provider.synced);
  const text = (words: string): ProseNode => schema.node("paragraph", null, words === "" ? [] : [schema.text(words)]);
  const written = schema.node("doc", null, [text("One"), text(""), text("Three")]);
  prosemirrorToYXmlFragment(written, doc.getXmlFragment("prosemirror"));
  const other = open(Version3, "clients-prosemirror");
  await until("it arrives", () => other.doc.getXmlFragment("prosemirror").length === 3);
  const shown = yXmlFragmentToProseMirrorRootNode(other.doc.getXmlFragment("prosemirror"), schema);
  expect(shown.toJSON()).toEqual(written.toJSON());
  expect(initProseMirrorDoc(other.doc.getXmlFragment("prosemirror"), schema).doc.toJSON()).toEqual(written.toJSON());
  provider.destroy();
  other.provider.destroy();
  const stored = new Y.Doc();
  Y.applyUpdate(stored, await server.stored("clients-prosemirror"));
  expect(yXmlFragmentToProseMirrorRootNode(stored.getXmlFragment("prosemirror"), schema).toJSON()).toEqual(
    written.toJSON(),
  );
});

it("f55: a BigInt, and all that a subdocument says of itself, come back as they were written", async () => {
  const room = "clients-subdocuments";
  const { doc, provider } = open(Version3, room);
  await until("it has synced", () => provider.synced);
  const big = 2n ** 62n + 1n;
  const inside = new Y.Doc({ guid: "inside", autoLoad: true, gc: false, meta: { title: "Act two", pages: [1, 2] } });
  doc.getMap("map").set("big", big);
  doc.getMap("map").set("inside", inside);
  doc.getArray("list").insert(0, [{ big }, new Y.Doc({ guid: "other", meta: "plain" })]);
  const last = open(Version3, room);
  await until("it arrives", () => last.doc.getArray("list").length === 2);
  const read = (of: Y.Doc) => {
    const [inside, other] = [of.getMap("map").get("inside") as Y.Doc, of.getArray("list").get(1) as Y.Doc];
    return {
      big: [of.getMap("map").get("big"), of.getArray("list").get(0)],
      inside: [inside.guid, inside.autoLoad, inside.gc, inside.meta],
      other: [other.guid, other.autoLoad, other.gc, other.meta],
    };
  };
  const written = read(doc);
  expect(written.inside).toEqual(["inside", true, false, { title: "Act two", pages: [1, 2] }]);
  expect(read(last.doc)).toEqual(written);
  // The answer to who comes later, and what the server exports, were written by the library.
  const late = open(Version3, room);
  await until("who comes later has it", () => late.doc.getArray("list").length === 2);
  expect(read(late.doc)).toEqual(written);
  const stored = new Y.Doc();
  Y.applyUpdate(stored, await server.stored(room));
  expect(read(stored)).toEqual(written);
  for (const one of [provider, last.provider, late.provider]) one.destroy();
});

it("@hocuspocus/provider is closed with the reason", async () => {
  const closed = vi.fn();
  const websocketProvider = new HocuspocusProviderWebsocket({
    url: `${server.scenes}/clients-hocuspocus`,
    WebSocketPolyfill: WebSocket,
    onClose: ({ event }) => closed(event.code, event.reason),
  });
  const provider = new HocuspocusProvider({
    websocketProvider,
    name: "clients-hocuspocus",
    token: "a token",
    document: new Y.Doc(),
  });
  provider.attach();
  await until("it is closed", () => closed.mock.calls.length > 0);
  expect(closed.mock.calls[0]).toEqual([4400, "this server speaks y-websocket, not Hocuspocus"]);
  provider.destroy();
  websocketProvider.destroy();
});
