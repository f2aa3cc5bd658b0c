// A document of format 1, and everything that might meet it: slate-yjs, a script with plain Yjs, an older version of this
// package, devices that were away while it became one. On our server nothing is harmed, nothing that was typed is lost, and
// who cannot go on is told. On a plain server nobody is kept from anything: docs/INTEGRATION.md says what to do.
//
// The older version is that before format 1; `npm run interop:older` builds it, and without it these tests are passed over.
import { existsSync } from "node:fs";
import { withYjs, YjsEditor } from "@slate-yjs/core";
import { createEditor, type Descendant, type Editor, Node, Transforms } from "slate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { handleOf } from "../../js/engine.js";
import { type Collab, type OpenOptions, open } from "../../js/index.js";
import { withCollab } from "../../js/slate.js";
import { SyncServer } from "../e2e/server.ts";
import { plainServer, until, useNodeSockets } from "./rooms.js";

const LINES: Descendant[] = [
  { type: "p", children: [{ text: "the first line" }] },
  { type: "p", children: [{ text: "the second" }] },
] as never;

interface Seat {
  collab: Collab;
  editor: Editor;
  lines(): string[];
  flush(): void;
}

type Open = typeof open;
type Bind = typeof withCollab;

const opened: { close(): unknown }[] = [];
let own: SyncServer;
let plain: Awaited<ReturnType<typeof plainServer>>;
let giveBack = () => {};
let rooms = 0;

beforeAll(async () => {
  // @ts-expect-error its types are not where its exports say
  await import("fake-indexeddb/auto");
  giveBack = useNodeSockets();
  [own, plain] = await Promise.all([SyncServer.start([], true), plainServer()]);
});
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await Promise.all([own.stop(), plain.stop()]);
  giveBack();
});

const room = () => `formats-${++rooms}`;

async function sit(
  id: string,
  options: Partial<OpenOptions> = {},
  how: { open: Open; bind: Bind } = ours,
): Promise<Seat> {
  const collab = await how.open({ id, url: own.scenes, offline: false, ...options });
  opened.push(collab);
  const editor = how.bind(createEditor(), collab) as Editor;
  const lines = () => editor.children.map((node) => Node.string(node));
  return { collab, editor, lines, flush: () => handleOf(collab)?.flush() };
}

const ours = { open, bind: withCollab };

const enter = (seat: Seat, line: number, offset: number) =>
  Transforms.splitNodes(seat.editor, { at: { path: [line, 0], offset } });
const type = (seat: Seat, text: string, line: number, offset: number) =>
  Transforms.insertText(seat.editor, text, { at: { path: [line, 0], offset } });
const settled = async (...seats: Seat[]) => {
  const saved = ({ collab }: Seat) => collab.status.saved === "server" && collab.status.synced;
  expect(await until(() => seats.every(saved))).toBe(true);
  expect(await until(() => new Set(seats.map((seat) => seat.lines().join("|"))).size === 1)).toBe(true);
};

/** A new document: who opens it says nothing of formats. */
async function begun(id = room(), options: Partial<OpenOptions> = {}) {
  const seat = await sit(id, { initialValue: LINES, ...options });
  await seat.collab.whenSaved();
  return { id, seat };
}

/** One of format 1 in which a line was divided, so that there is something to harm. */
async function divided(url = own.scenes) {
  const { id, seat } = await begun(room(), { url, format: 1 });
  enter(seat, 0, 4);
  await seat.collab.whenSaved();
  expect([seat.lines(), seat.collab.status.format]).toEqual([["the ", "first line", "the second"], 1]);
  return { id, seat };
}

async function slateYjs(url: string, id: string) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url, id, doc, { WebSocketPolyfill: WebSocket as never, disableBc: true });
  opened.push({ close: () => provider.destroy() });
  expect(await until(() => provider.synced)).toBe(true);
  const editor = withYjs(createEditor(), doc.get("content", Y.XmlText));
  YjsEditor.connect(editor);
  return { doc, editor, flush: () => YjsEditor.flushLocalChanges(editor) };
}

/** What somebody reads who has heard of nothing yet. */
async function fresh(id: string, url = own.scenes): Promise<string[]> {
  const reader = await sit(id, { url });
  await reader.collab.whenSynced();
  return reader.lines();
}

describe("a new document", () => {
  it("is of format 1 on our server, of format 0 where the application or the server says so", async () => {
    const { seat } = await begun();
    expect(seat.collab.status.format).toBe(1);
    const { seat: zero } = await begun(room(), { format: 0 });
    expect(zero.collab.status.format).toBe(0);
    const local = await sit(room(), { url: undefined as never, initialValue: LINES });
    expect(local.collab.status.format).toBe(1);
  });

  it("is of format 0 on a plain server, unless it is told otherwise", async () => {
    const { seat } = await begun(room(), { url: plain.url });
    expect(seat.collab.status.format).toBe(0);
    const { seat: one } = await begun(room(), { url: plain.url, format: 1 });
    expect(one.collab.status.format).toBe(1);
  });

  it("stays what it is for those who come later", async () => {
    const { id, seat } = await begun(room(), { format: 0 });
    const later = await sit(id);
    await later.collab.whenSynced();
    type(later, "!", 0, 0);
    await settled(seat, later);
    expect([seat, later].map(({ collab }) => collab.status.format)).toEqual([0, 0]);
  });
});

describe("slate-yjs and a document of format 1", () => {
  it("on our server: it reads, harms nothing, and what it writes is not stored", async () => {
    const { id, seat } = await divided();
    const other = await slateYjs(own.scenes, id);
    await new Promise((wake) => setTimeout(wake, 300));
    Transforms.insertText(other.editor, "theirs", { at: { path: [0, 0], offset: 0 } });
    Transforms.removeNodes(other.editor, { at: [1] });
    other.flush();
    await new Promise((wake) => setTimeout(wake, 300));
    type(seat, "mine", 0, 0);
    await settled(seat);
    expect(seat.lines()).toEqual(["minethe ", "first line", "the second"]);
    expect(await fresh(id)).toEqual(seat.lines());
  });

  it("on a plain server: it takes the breaks away by opening it, and no words", async () => {
    const { id, seat } = await divided(plain.url);
    await slateYjs(plain.url, id);
    expect(await until(() => seat.lines().length < 3)).toBe(true);
    expect(seat.lines().join("")).toBe("the first linethe second");
    expect(await fresh(id, plain.url)).toEqual(seat.lines());
  });
});

it("a script with plain Yjs may write what is its own, and not the text", async () => {
  const { id, seat } = await divided();
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(own.scenes, id, doc, {
    WebSocketPolyfill: WebSocket as never,
    disableBc: true,
  });
  opened.push({ close: () => provider.destroy() });
  expect(await until(() => provider.synced)).toBe(true);
  doc.getMap("shared").set("title", "Noon");
  const text = doc.get("content", Y.XmlText) as Y.XmlText;
  text.delete(0, text.length);
  const heard = new Y.Doc();
  seat.collab.on("update", ({ update }) => Y.applyUpdate(heard, update));
  Y.applyUpdate(heard, seat.collab.encodeState());
  expect(await until(() => heard.getMap("shared").get("title") === "Noon")).toBe(true);
  expect(await fresh(id)).toEqual(["the ", "first line", "the second"]);
});

describe("a device that was away while its document became one of format 1", () => {
  for (const server of ["own", "plain"] as const) {
    for (const reopened of [false, true]) {
      it(`on ${server} server, ${reopened ? "closed and opened again" : "in a page that stayed open"}`, async () => {
        const url = server === "own" ? own.scenes : plain.url;
        const { id, seat } = await begun(room(), { url, format: 0 });
        const offline = { database: `device-${id}` };
        let away = await sit(id, { url, offline });
        await away.collab.whenSynced();
        away.collab.disconnect();
        // By copy: the second half of the line is another now.
        enter(away, 0, 4);
        type(away, "very ", 1, 0);
        enter(away, 2, 3);
        away.flush();
        expect(away.collab.status.pending).toBeGreaterThan(0);
        if (reopened) {
          expect(await until(() => away.collab.status.saved === "local")).toBe(true);
          await away.collab.close();
        }
        // Meanwhile it is raised, and somebody types in what was copied, and divides it.
        const raises = await sit(id, { url, format: 1 });
        expect(await until(() => raises.collab.status.format === 1)).toBe(true);
        type(raises, "long ", 0, 10);
        enter(raises, 0, 15);
        await settled(raises);
        if (reopened) away = await sit(id, { url, offline });
        else away.collab.connect();
        await settled(raises, away);
        expect(away.lines()).toEqual(["the ", "very first long ", "line", "the", " second"]);
        expect(away.collab.status).toMatchObject({ format: 1, pending: 0, setAside: 0, error: null, divergences: 0 });
        // And on it goes, for all.
        enter(away, 0, 2);
        type(raises, "!", raises.lines().length - 1, 0);
        await settled(raises, away);
        expect(seat.lines().join("")).toContain("very first long");
      });
    }
  }
});

const older = new URL("../../target/older/dist/", import.meta.url);
describe.skipIf(!existsSync(new URL("index.js", older)))("an older version of this package", () => {
  const version = async () => ({
    open: ((await import(new URL("index.js", older).href)) as { open: Open }).open,
    bind: ((await import(new URL("slate.js", older).href)) as { withCollab: Bind }).withCollab,
  });

  it("shares documents of format 0", async () => {
    const { id, seat } = await begun(room(), { format: 0 });
    const before = await sit(id, {}, await version());
    await before.collab.whenSynced();
    Transforms.insertText(before.editor, "older ", { at: { path: [0, 0], offset: 0 } });
    expect(await until(() => seat.lines()[0] === "older the first line")).toBe(true);
    enter(seat, 0, 6);
    expect(await until(() => before.lines().length === 3)).toBe(true);
  });

  it("begins in format 0 where it is the first, and there it stays", async () => {
    const id = room();
    const before = await sit(id, { initialValue: LINES }, await version());
    await before.collab.whenSynced();
    expect(await until(() => before.lines().length === 2)).toBe(true);
    await before.collab.whenSaved();
    const seat = await sit(id);
    await seat.collab.whenSynced();
    expect(await until(() => seat.lines().length === 2)).toBe(true);
    type(seat, "!", 0, 0);
    await settled(seat);
    expect(seat.collab.status.format).toBe(0);
  });

  it("is closed out of a document of format 1 with 4426, and harms nothing", async () => {
    const { id, seat } = await divided();
    const before = await sit(id, {}, await version());
    expect(await until(() => before.collab.status.connection === "forbidden")).toBe(true);
    expect(before.collab.status).toMatchObject({ readOnly: true, error: { code: "format" } });
    expect(seat.lines()).toEqual(["the ", "first line", "the second"]);
    expect(await fresh(id)).toEqual(seat.lines());
  });

  it("beside a new one, offline: deployed, rolled back, deployed again; nothing that was typed is lost", async () => {
    const { id, seat } = await begun(room(), { format: 0 });
    const offline = { database: `device-${id}` };
    const was = await version();
    // A page of the older version writes offline, by copy, and is left.
    const before = await sit(id, { offline }, was);
    await before.collab.whenSynced();
    before.collab.disconnect();
    Transforms.splitNodes(before.editor, { at: { path: [0, 0], offset: 4 } });
    Transforms.insertText(before.editor, "old ", { at: { path: [1, 0], offset: 0 } });
    expect(await until(() => before.collab.status.saved === "local")).toBe(true);
    await before.collab.close();
    // The new version raises the document elsewhere; a rollback opens it here with the older one: told, and nothing sent.
    const raises = await sit(id, { format: 1 });
    expect(await until(() => raises.collab.status.format === 1)).toBe(true);
    type(raises, "new ", 0, 4);
    await settled(raises);
    const rolledBack = await sit(id, { offline }, was);
    expect(await until(() => rolledBack.collab.status.connection === "forbidden")).toBe(true);
    expect(rolledBack.collab.status.error).toMatchObject({ code: "format" });
    await rolledBack.collab.close();
    expect(raises.lines()).toEqual(["the new first line", "the second"]);
    // And forward again: what it had written is translated.
    const forward = await sit(id, { offline });
    await settled(raises, forward);
    expect(forward.lines().join("|")).toMatch(
      /^the (new )?\|old (new )?first line\|the second$|^the new \|old first line\|the second$/,
    );
    expect(forward.collab.status).toMatchObject({ pending: 0, setAside: 0, format: 1 });
    expect(seat.lines()).toEqual(forward.lines());
  });
});
