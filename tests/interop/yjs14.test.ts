// Peers with Yjs 14 in documents that Yjs 13 and this package write: what they write into blocks that are there, blocks of their
// own types, and rooms of both servers. `@y/y` makes client ids of 53 bits by itself; two that differ above the lower 32 are two.

import { createDecoder, readVarUint, readVarUint8Array } from "lib0/decoding";
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from "lib0/encoding";
import { createEditor, type Descendant, Node, Transforms } from "slate";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y14 from "y14";
import * as Y from "yjs";
import * as Yjs14 from "yjs14";
import { type Collab, open } from "../../js/index.js";
import { withCollab } from "../../js/slate.js";
import { block } from "../unit/fake.js";
import { ownServer, plainServer, until, useNodeSockets } from "./rooms.js";

const opened: Collab[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((collab) => collab.close()));
});

/** A replica that hears of updates and makes some. */
interface Peer {
  hear(update: Uint8Array): void;
  onUpdate(tell: (update: Uint8Array) => void): void;
}

/** What each of them does reaches the others at once. */
function join(peers: readonly Peer[]): void {
  for (const peer of peers) {
    peer.onUpdate((update) => {
      for (const other of peers) if (other !== peer) other.hear(update);
    });
  }
}

const HEARD = "heard";

/** What is used here of a text of Yjs 14. */
interface Line {
  insert(at: number, text: string): void;
  delete(at: number, length: number): void;
  format(at: number, length: number, attributes: object): void;
  getContent(): unknown;
}

interface AnyDoc {
  on(event: "update", tell: (update: Uint8Array, origin: unknown) => void): void;
}

function peerOf(doc: AnyDoc, apply: (update: Uint8Array) => void): Peer {
  return {
    hear: apply,
    onUpdate: (tell) => doc.on("update", (update, origin) => void (origin === HEARD || tell(update))),
  };
}

const ours = (collab: Collab): Peer => ({
  hear: (update) => collab.applyUpdate(update),
  onUpdate: (tell) => collab.on("update", ({ update, origin }) => void (origin === "remote" || tell(update))),
});

/** An element: its name is what a block of Slate has as its type. */
function heading(text: string) {
  const type = new Y14.Type("heading");
  type.setAttr("level" as never, 2 as never);
  type.insert(0, text as never);
  type.format(0, 4, { bold: true } as never);
  return type;
}

/** A fragment, which has no name, and in it an element. */
function quote(text: string) {
  const [type, inner] = [new Y14.Type(), new Y14.Type("p")];
  type.setAttr("type" as never, "quote" as never);
  inner.insert(0, text as never);
  type.insert(0, [inner] as never);
  return type;
}

const SYNC = 0;
const [STEP_1, STEP_2, UPDATE] = [0, 1, 2];

/** y-websocket's protocol for a document of Yjs 14, as far as it is needed here. Returns what leaves. */
function enter(url: string, doc: Y14.Doc): () => void {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const say = (kind: number, bytes: Uint8Array) => {
    const encoder = createEncoder();
    writeVarUint(encoder, SYNC);
    writeVarUint(encoder, kind);
    writeVarUint8Array(encoder, bytes);
    socket.send(toUint8Array(encoder));
  };
  socket.on("open", () => say(STEP_1, Y14.encodeStateVector(doc)));
  socket.on("message", (data: ArrayBuffer) => {
    const decoder = createDecoder(new Uint8Array(data));
    if (readVarUint(decoder) !== SYNC) return;
    const kind = readVarUint(decoder);
    const bytes = readVarUint8Array(decoder);
    if (kind === STEP_1) say(STEP_2, Y14.encodeStateAsUpdate(doc, bytes));
    else Y14.applyUpdate(doc, bytes, HEARD);
  });
  doc.on("update", (update: Uint8Array, origin: unknown) => void (origin === HEARD || say(UPDATE, update)));
  return () => socket.terminate();
}

const settle = () => new Promise((done) => setTimeout(done, 5));
const texts = (value: Descendant[]) => value.map((node) => Node.string(node));

async function ourself(format: 0 | 1): Promise<Collab> {
  const initialValue = [block("one line"), block("another")];
  const collab = await open({ id: `yjs14-${format}`, offline: false, format, initialValue });
  opened.push(collab);
  return collab;
}

describe.each([0, 1] as const)("in format %i", (format) => {
  it("yjs@14, yjs@13 and this package write one document", async () => {
    const collab = await ourself(format);
    const [old, young] = [new Y.Doc(), new Yjs14.Doc()];
    const state = collab.encodeState();
    Y.applyUpdate(old, state, HEARD);
    Yjs14.applyUpdate(young, state, HEARD);
    join([
      ours(collab),
      peerOf(old, (update) => Y.applyUpdate(old, update, HEARD)),
      peerOf(young as never, (update) => Yjs14.applyUpdate(young, update, HEARD)),
    ]);
    const editor = withCollab(createEditor(), collab);
    // A delta's children are operations, and an `insert` of types a list.
    const root = young.get("content", Yjs14.XmlText) as unknown as {
      getContent(): { children: Iterable<{ insert: [Line] }> };
    };
    const [first] = [...root.getContent().children];
    const line = first!.insert[0];
    line.insert(3, " long");
    await settle();
    expect(texts(editor.children)).toEqual(["one long line", "another"]);
    line.format(0, 3, { bold: true });
    const other = old.get("content", Y.XmlText).toDelta()[1].insert as Y.XmlText;
    other.insert(7, "!");
    line.delete(4, 5);
    await settle();
    expect(editor.children[0]).toEqual({ type: "action", children: [{ text: "one", bold: true }, { text: " line" }] });
    expect(texts(editor.children)).toEqual(["one line", "another!"]);
    Transforms.insertText(editor as never, "?", { at: { path: [0, 1], offset: 5 } });
    await settle();
    expect(old.get("content", Y.XmlText).toDelta()[0].insert.toDelta()).toEqual([
      { insert: "one", attributes: { bold: true } },
      { insert: " line?" },
    ]);
    const seen = JSON.stringify(line.getContent());
    expect(seen).toContain('"one"');
    expect(seen).toContain('" line?"');
    expect(Yjs14.encodeStateVector(young)).toEqual(Y.encodeStateVector(old));
    expect(collab.status).toMatchObject({ divergences: 0, error: null });
  });

  it("@y/y@14 writes into the blocks that are there, under the client id that it has by itself", async () => {
    const collab = await ourself(format);
    const young = new Y14.Doc();
    Y14.applyUpdate(young, collab.encodeState(), HEARD);
    join([ours(collab), peerOf(young as never, (update) => Y14.applyUpdate(young, update, HEARD))]);
    const editor = withCollab(createEditor(), collab);
    const line = young.get("content").get(0) as {
      insert(at: number, text: string): void;
      delete(at: number, n: number): void;
    };
    line.insert(3, " long");
    line.delete(0, 1);
    await settle();
    Transforms.insertText(editor as never, "?", { at: { path: [0, 0], offset: 12 } });
    await settle();
    expect(texts(editor.children)).toEqual(["ne long line?", "another"]);
    expect(JSON.stringify(young.get("content").toJSON())).toContain("ne long line?");
    expect(collab.status).toMatchObject({ divergences: 0, error: null });
  });

  it("@y/y@14 writes blocks of its own types, which are shown, written into, divided, removed and brought back", async () => {
    const collab = await ourself(format);
    const young = new Y14.Doc();
    Y14.applyUpdate(young, collab.encodeState(), HEARD);
    join([ours(collab), peerOf(young as never, (update) => Y14.applyUpdate(young, update, HEARD))]);
    const editor = withCollab(createEditor(), collab);
    young.get("content").insert(1, [heading("From fourteen"), quote("said there")] as never);
    await settle();
    const other = (text: string) => ({ type: "action", children: [{ text }] });
    const quoted = { type: "quote", children: [{ type: "p", children: [{ text: "said there" }] }] };
    const bold = [{ text: "From", bold: true }, { text: " fourteen" }];
    expect(editor.children).toMatchObject([
      other("one line"),
      { type: "heading", level: 2, children: bold },
      quoted,
      other("another"),
    ]);

    const first = young.get("content").get(1) as unknown as Line;
    first.insert(13, "!");
    await settle();
    Transforms.insertText(editor as never, "?", { at: { path: [1, 1], offset: 10 } });
    collab.stopCapturing();
    Transforms.splitNodes(editor as never, { at: { path: [1, 1], offset: 1 } });
    collab.stopCapturing();
    Transforms.removeNodes(editor as never, { at: [3] });
    await settle();
    expect(texts(editor.children)).toEqual(["one line", "From ", "fourteen!?", "another"]);
    expect(editor.children[2]).toMatchObject({ type: "heading", level: 2 });
    for (const left of [true, true, true]) expect(collab.undo()).toBe(left);
    await settle();
    expect(editor.children).toMatchObject([
      other("one line"),
      { type: "heading", level: 2, children: [bold[0], { text: " fourteen!" }] },
      quoted,
      other("another"),
    ]);
    const seen = JSON.stringify(young.get("content").toJSON());
    for (const words of ["From", "fourteen!", "said there"]) expect(seen).toContain(words);
    expect(Y14.decodeStateVector(Y14.encodeStateVector(young))).toEqual(Y14.decodeStateVector(collab.stateVector()));
    expect(collab.status).toMatchObject({ divergences: 0, error: null });
    const late = await open({ id: `late-${format}`, offline: false, connect: false });
    opened.push(late);
    late.applyUpdate(Y14.encodeStateAsUpdate(young));
    expect(late.value()).toEqual(collab.value());
  });
});

it("two peers whose ids have the same lower 32 bits are two, also for who reads both later", async () => {
  const [one, two] = [new Y14.Doc(), new Y14.Doc()];
  // As large as ids are, and as an editor here may have.
  [one.clientID, two.clientID] = [2 ** 53 - 1, 2 ** 32 - 1];
  one.get("content").insert(0, [heading("By one")] as never);
  Y14.applyUpdate(two, Y14.encodeStateAsUpdate(one));
  two.get("content").insert(1, [heading("By two")] as never);
  const collab = await open({ id: "both", offline: false, connect: false });
  opened.push(collab);
  collab.applyUpdate(Y14.encodeStateAsUpdate(two));
  const editor = withCollab(createEditor(), collab);
  Transforms.insertText(editor as never, "!", { at: { path: [0, 1], offset: 2 } });
  Transforms.removeNodes(editor as never, { at: [1] });
  await settle();
  const state = collab.encodeState();
  const late = await open({ id: "late-both", offline: false, connect: false });
  opened.push(late);
  late.applyUpdate(state);
  Y14.applyUpdate(one, state);
  expect(texts(late.value())).toEqual(["By one!"]);
  expect(Y14.decodeStateVector(Y14.encodeStateVector(one))).toEqual(Y14.decodeStateVector(late.stateVector()));
});

it("a document that @y/y@14 has written alone is shown", async () => {
  const young = new Y14.Doc();
  young.get("content").insert(0, [heading("Alone"), quote("and quoted")] as never);
  const collab = await open({ id: "alone", offline: false, connect: false });
  opened.push(collab);
  collab.applyUpdate(Y14.encodeStateAsUpdate(young));
  expect(texts(collab.value())).toEqual(["Alone", "and quoted"]);
});

describe.each([
  ["@y/websocket-server", plainServer],
  ["our server", ownServer],
] as const)("a room of %s", (_name, serve) => {
  it("has editors of this package, of Yjs 13 and of Yjs 14, which see each other's words", async () => {
    const giveBack = useNodeSockets();
    const server = await serve();
    const leave: (() => void)[] = [];
    try {
      const collab = await open({
        id: "mixed",
        url: server.url,
        offline: false,
        format: 0,
        initialValue: [block("one line"), block("another")],
      });
      opened.push(collab);
      await collab.whenSaved();
      const editor = withCollab(createEditor(), collab);
      const old = new Y.Doc();
      const provider = new WebsocketProvider(server.url, "mixed", old, { disableBc: true });
      leave.push(() => provider.destroy());
      const young = new Y14.Doc();
      leave.push(enter(`${server.url}/mixed`, young));
      const root = young.get("content");
      const has = (text: string) => () => JSON.stringify(root.toJSON()).includes(text);
      expect(await until(has("another"))).toBe(true);

      root.insert(1, [heading("From fourteen")] as never);
      expect(await until(() => texts(editor.children)[1] === "From fourteen")).toBe(true);
      Transforms.insertText(editor as never, ", and ours", { at: { path: [1, 1], offset: 9 } });
      expect(await until(has(", and ours"))).toBe(true);
      const lines = () => old.get("content", Y.XmlText).toDelta() as { insert: Y.XmlText }[];
      expect(await until(() => lines().length === 3)).toBe(true);
      lines()[2]!.insert.insert(7, ", says thirteen");
      expect(await until(has(", says thirteen"))).toBe(true);
      const expected = ["one line", "From fourteen, and ours", "another, says thirteen"];
      expect(await until(() => texts(editor.children).join() === expected.join())).toBe(true);
      await collab.whenSaved();

      const late = await open({ id: "mixed", url: server.url, offline: false });
      opened.push(late);
      await late.whenSynced();
      expect(late.value()).toEqual(collab.value());
      expect(collab.status).toMatchObject({ divergences: 0, setAside: 0, error: null });
    } finally {
      for (const away of leave) away();
      await Promise.all(opened.splice(0).map((collab) => collab.close()));
      await server.stop();
      giveBack();
    }
  });
});
