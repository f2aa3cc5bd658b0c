// The bytes of every message: what `golden.json` holds is what lib0 and y-protocols write and read. The engine's
// decoder and encoder are held to the same file (`src/protocol/tests.rs`).
import { readFileSync } from "node:fs";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { expect, test } from "vitest";
import * as auth from "y-protocols/auth";
import * as awareness from "y-protocols/awareness";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";

interface Golden {
  name: string;
  hex: string;
  message: {
    type: string;
    bytes?: string;
    seq?: number;
    code?: string;
    message?: string;
    reason?: string;
    hello?: Record<string, unknown>;
    id?: number;
    index?: number;
    count?: number;
    states?: { clientId: number; clock: number; state: unknown }[];
  };
}

const golden: Golden[] = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));
const bytes = (hex = "") => new Uint8Array(Buffer.from(hex, "hex"));

const TAGS: Record<string, number[]> = {
  "sync-step-1": [0, 0],
  "sync-step-2": [0, 1],
  update: [0, 2],
  awareness: [1],
  "auth-denied": [2, 0],
  "query-awareness": [3],
  hello: [120],
  submit: [121],
  ack: [122],
  reject: [123],
  seed: [124],
  fragment: [125],
  ping: [126],
  pong: [127],
};

function encode({ message }: Golden): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const tag of TAGS[message.type] ?? []) encoding.writeVarUint(encoder, tag);
  if (message.hello) encoding.writeVarString(encoder, JSON.stringify(message.hello));
  for (const number of [message.seq, message.id, message.index, message.count]) {
    if (number !== undefined) encoding.writeVarUint(encoder, number);
  }
  for (const text of [message.code, message.message, message.reason]) {
    if (text !== undefined) encoding.writeVarString(encoder, text);
  }
  if (message.bytes !== undefined) encoding.writeVarUint8Array(encoder, bytes(message.bytes));
  return encoding.toUint8Array(encoder);
}

test.each(golden)("lib0 writes: $name", (entry) => {
  expect(Buffer.from(encode(entry)).toString("hex")).toBe(entry.hex);
});

test.each(golden.filter(({ message }) => message.type === "sync-step-2" || message.type === "update"))(
  "y-protocols applies: $name",
  ({ hex }) => {
    const doc = new Y.Doc();
    const decoder = decoding.createDecoder(bytes(hex));
    expect(decoding.readVarUint(decoder)).toBe(0);
    sync.readSyncMessage(decoder, encoding.createEncoder(), doc, "test");
    expect(doc.getText("content").toString()).toBe("café ✍️");
    expect(decoding.hasContent(decoder)).toBe(false);
  },
);

test.each(golden.filter(({ message }) => message.type === "sync-step-1"))("y-protocols answers: $name", ({ hex }) => {
  const decoder = decoding.createDecoder(bytes(hex));
  decoding.readVarUint(decoder);
  const answer = encoding.createEncoder();
  expect(sync.readSyncMessage(decoder, answer, new Y.Doc(), "test")).toBe(sync.messageYjsSyncStep1);
  expect(encoding.toUint8Array(answer)[0]).toBe(sync.messageYjsSyncStep2);
});

test.each(golden.filter(({ message }) => message.states))("y-protocols takes: $name", ({ hex, message }) => {
  const doc = new Y.Doc();
  const peers = new awareness.Awareness(doc);
  const decoder = decoding.createDecoder(bytes(hex));
  decoding.readVarUint(decoder);
  awareness.applyAwarenessUpdate(peers, decoding.readVarUint8Array(decoder), "test");
  for (const { clientId, clock, state } of message.states ?? []) {
    expect(peers.meta.get(clientId)?.clock).toBe(clock);
    expect(peers.states.get(clientId) ?? null).toEqual(state);
  }
  peers.destroy();
});

test("y-protocols reads the refusal", () => {
  const entry = golden.find(({ message }) => message.type === "auth-denied");
  const decoder = decoding.createDecoder(bytes(entry?.hex));
  decoding.readVarUint(decoder);
  let told = "";
  auth.readAuthMessage(decoder, new Y.Doc(), (_doc, reason) => {
    told = reason;
  });
  expect(told).toBe("no such scene");
});
