// The clock that an application's tests get.
import { createEditor, Node, Transforms } from "slate";
import { afterEach, expect, it } from "vitest";
import { withCollab } from "../../js/slate.js";
import { type FakeClock, fakeClock, openTogether } from "../../js/testing.js";
import { block } from "./fake.js";

let clock: FakeClock | null = null;
afterEach(() => {
  clock?.restore();
  clock = null;
});

it("stands still, and runs what is due in its order", async () => {
  const [realDate, realTimeout] = [Date, setTimeout];
  clock = fakeClock(1_000_000);
  const told: string[] = [];
  const tell = (what: string) => told.push(`${what} at ${Date.now() - 1_000_000}`);
  setTimeout(tell, 200, "late");
  setTimeout(() => {
    tell("first");
    void Promise.resolve().then(() => setTimeout(tell, 50, "set off by the first"));
  }, 100);
  const gone = setTimeout(tell, 120, "never");
  const ticks = setInterval(tell, 90, "tick");
  clearTimeout(gone);
  await clock.advance(99);
  expect(told).toEqual(["tick at 90"]);
  await clock.advance(101);
  clearInterval(ticks);
  await clock.advance(1_000);
  expect(told.slice(1)).toEqual(["first at 100", "set off by the first at 150", "tick at 180", "late at 200"]);
  expect([new Date().toISOString(), new Date(5).getTime(), clock.now]).toEqual([
    "1970-01-01T00:16:41.200Z",
    5,
    1_001_200,
  ]);
  expect(() => fakeClock()).toThrow(/already/);
  clock.restore();
  expect([Date === realDate, setTimeout === realTimeout]).toEqual([true, true]);
});

it.each([
  ["a moment later: one step", 400, ""],
  ["a pause later: two", 10_000, "one"],
])("ends undo steps: %s", async (_, pause, left) => {
  const room = await openTogether(1, { initialValue: [block("")] });
  const [collab] = room.documents;
  clock = fakeClock();
  const editor = withCollab(createEditor(), collab!);
  const type = async (text: string, at: number) => {
    Transforms.insertText(editor as never, text, { at: { path: [0, 0], offset: at } });
    await clock!.advance(0);
  };
  await type("one", 0);
  await clock.advance(pause);
  await type("two", 3);
  expect(collab!.undo()).toBe(true);
  expect(Node.string(editor as never)).toBe(left);
  clock.restore();
  await room.close();
});
