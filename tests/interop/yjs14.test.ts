// Peers with Yjs 14 in documents that Yjs 13 and this package write: what they write into blocks that are there, and blocks of
// the same type. Client ids of more than 32 bits, which `@y/y` makes by itself, yrs does not take: docs/INTEGRATION.md.

import { createEditor, type Descendant, Node, Transforms } from "slate";
import { afterEach, describe, expect, it } from "vitest";
import * as Y14 from "y14";
import * as Y from "yjs";
import * as Yjs14 from "yjs14";
import { type Collab, open } from "../../js/index.js";
import { withCollab } from "../../js/slate.js";
import { block } from "../unit/fake.js";

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

  it("@y/y@14 writes into the blocks that are there, under a client id of 32 bits", async () => {
    const collab = await ourself(format);
    const young = new Y14.Doc();
    young.clientID = crypto.getRandomValues(new Uint32Array(1))[0]!;
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

  it("and under one of 53 bits is refused, with the reason, and nothing of it is shown", async () => {
    const collab = await ourself(format);
    const errors: string[] = [];
    collab.on("error", ({ code, message }) => errors.push(`${code}: ${message}`));
    const young = new Y14.Doc();
    young.clientID = 2 ** 40 + 7;
    Y14.applyUpdate(young, collab.encodeState(), HEARD);
    join([peerOf(young as never, () => {}), ours(collab)]);
    (young.get("content").get(0) as { insert(at: number, text: string): void }).insert(0, "lost? ");
    await settle();
    expect(errors[0]).toMatch(/^invalid-update: .*32 bits/);
    expect(texts(collab.value())).toEqual(["one line", "another"]);
  });
});
