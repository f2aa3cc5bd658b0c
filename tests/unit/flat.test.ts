// Peers and status from the engine's flat numbers.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CollabError } from "../../js/errors.js";
import { Peers } from "../../js/flat.js";
import { decodeStatus } from "../../js/status.js";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

it("when somebody was active is told by this device's clock, whatever theirs says", () => {
  const peers = new Peers();
  let state: object = {};
  let version = 0;
  const hear = (next: { lastActive: number; typing?: boolean; selection?: number }) => {
    const { lastActive, typing = false } = next;
    if (JSON.stringify(state) !== JSON.stringify(next)) version += 1;
    state = next;
    const flat = Float64Array.of(7, version, Number(typing), lastActive, 0);
    return peers.read(flat, () => JSON.stringify({ ...next, data: { name: "Ada" } }))[0]!.lastActive;
  };
  // Their clock is an hour ahead: they are not active until then.
  expect(hear({ lastActive: 4_600_000 })).toBe(1_000_000);
  vi.advanceTimersByTime(30_000);
  expect(hear({ lastActive: 4_600_000 })).toBe(1_000_000);
  // Their caret moves, of which their own clock tells in steps of some seconds only.
  expect(hear({ lastActive: 4_600_000, selection: 1 })).toBe(1_030_000);
  vi.advanceTimersByTime(1_000);
  expect(hear({ lastActive: 4_600_000, selection: 1, typing: true })).toBe(1_031_000);
  vi.advanceTimersByTime(2_000);
  // To stop typing is not to do something.
  expect(hear({ lastActive: 4_600_000, selection: 1 })).toBe(1_031_000);
  // Who was here before us says when they did something last.
  expect(new Peers().read(Float64Array.of(8, 1, 0, 400_000, 0), () => "{}")[0]?.lastActive).toBe(400_000);
});

it("a status says of which format the document is, once that is known", () => {
  const flat = (format: number) => Float64Array.of(2, 2, 0, 4, 0, 0, 0, 0, 0, 0, 3, format);
  const error = () => new CollabError("format", "not known here");
  const read = (format: number) => decodeStatus(flat(format), false, "http", error);
  expect([-1, 0, 1, 7].map((format) => read(format).format)).toEqual([null, 0, 1, 7]);
  expect(read(7)).toMatchObject({
    connection: "online",
    transport: "http",
    readOnly: true,
    divergences: 3,
    error: null,
  });
});
