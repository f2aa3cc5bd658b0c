// What is opened for nobody while a page waits for its first document.
import { readFileSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import instantiate, { rehearse } from "../pkg/slate_yrs.js";
import { eventually } from "../tests/unit/eventually.js";
import { rehearseWhile } from "./rehearsal.js";

vi.mock("../pkg/slate_yrs.js", async (original) => {
  const glue = await original<typeof import("../pkg/slate_yrs.js")>();
  return { ...glue, rehearse: vi.fn(glue.rehearse) };
});

beforeAll(async () => {
  await instantiate({ module_or_path: readFileSync("pkg/slate_yrs_bg.wasm") });
});
afterEach(() => {
  vi.mocked(rehearse).mockClear();
});

const calls = () => vi.mocked(rehearse).mock.calls;
const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

describe("the rehearsal", () => {
  it("opens documents of both formats, and comes to an end", async () => {
    rehearseWhile(() => true);
    expect(calls()).toHaveLength(0);
    await eventually(() => expect(calls()).toHaveLength(8));
    await pause(20);
    expect(calls()).toHaveLength(8);
    for (const format of [0, 1]) expect(calls().filter(([of]) => of === format)).toHaveLength(4);
    const told = await Promise.all(vi.mocked(rehearse).mock.results.map(({ value }) => value));
    for (const words of told) expect(words).toBeGreaterThan(0);
  });

  it("does not begin where nobody waits any more, and stops when the document is there", async () => {
    rehearseWhile(() => false);
    await pause(20);
    expect(calls()).toHaveLength(0);
    rehearseWhile(() => calls().length < 3);
    await eventually(() => expect(calls()).toHaveLength(3));
    await pause(20);
    expect(calls()).toHaveLength(3);
  });
});
