// The document comes compressed to who says that it can read that, and as it is to everybody else.
import { inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { open } from "../../js/index.js";
import { SyncServer } from "../e2e/server.ts";

const LINE = "She walks to the window and looks out, as if somebody were there. ";
const SCRIPT = Array.from({ length: 3_000 }, (_, at) => ({ type: "action", children: [{ text: `${at} ${LINE}` }] }));
let server: SyncServer;

beforeAll(async () => {
  server = await SyncServer.start([], true);
  const collab = await open({
    id: "script",
    url: server.scenes,
    initialValue: SCRIPT,
    offline: false,
    WebSocket,
  });
  await collab.whenSynced();
  await collab.close();
}, 60_000);
afterAll(() => server.stop());

/** The first frames of a client that asks for all of the document, until `enough`. */
async function asked(query: string, enough: (frames: Buffer[]) => boolean): Promise<Buffer[]> {
  const socket = new WebSocket(`${server.scenes}/script?${query}`);
  const frames: Buffer[] = [];
  socket.on("open", () => socket.send(Uint8Array.of(0, 0, 1, 0)));
  await new Promise<void>((resolve, reject) => {
    socket.on("message", (data: Buffer) => {
      frames.push(data);
      if (enough(frames)) resolve();
    });
    socket.on("close", (code) => reject(new Error(`closed with ${code}`)));
  });
  socket.terminate();
  return frames;
}

const size = (frames: Buffer[]) => frames.reduce((sum, { length }) => sum + length, 0);
const isDeflated = (frame: Buffer) => frame[0] === 0x80 && frame[1] === 0x01;
const read = (frame: Buffer) => (isDeflated(frame) ? inflateRawSync(frame.subarray(2)) : frame);
const DURABLE = "slate-yrs=1&session=s1&formats=0,1";

it("is at most a third, and the same again", async () => {
  const whole = (frames: Buffer[]) => size(frames.map(read)) > 300_000;
  const squeezed = await asked(`${DURABLE}&deflate=1`, whole);
  const plain = await asked(DURABLE, whole);
  expect(plain.some(isDeflated)).toBe(false);
  expect(squeezed.some(isDeflated)).toBe(true);
  expect(size(squeezed) * 3).toBeLessThan(size(plain));
  // Pieces of a large frame have a number of their own.
  const answers = [squeezed, plain].map((frames) => frames.map(read).filter(({ length }) => length > 4096));
  expect(answers[0]!.map(({ length }) => length)).toEqual(answers[1]!.map(({ length }) => length));
});

it("comes as it is to a y-websocket client, which does not ask", async () => {
  const frames = await asked("deflate=1", (got) => size(got) > 200_000);
  expect(frames.some(isDeflated)).toBe(false);
  const answer = frames.find((frame) => frame[0] === 0 && frame[1] === 1)!;
  const doc = new Y.Doc();
  let [at, shift, length] = [2, 0, 0];
  do {
    length += (answer[at]! & 0x7f) * 2 ** shift;
    shift += 7;
  } while (answer[at++]! & 0x80);
  Y.applyUpdate(doc, answer.subarray(at, at + length));
  expect(doc.get("content", Y.XmlText).length).toBe(SCRIPT.length);
});
