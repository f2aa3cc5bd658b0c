// A slice of `npm run exactness`. EXACTNESS_SEEDS: so many documents (40); EXACTNESS_SEED: from which on (0).
import { Transforms } from "slate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { setUp } from "../scenarios/runner/yrs.js";
import known from "./known.json" with { type: "json" };
import { describe, describeWrong } from "./main.js";
import { type Counts, type Harm, life, nothing, type Wrong } from "./run.js";

const SEEDS = Number(process.env.EXACTNESS_SEEDS ?? 40);
const FROM = Number(process.env.EXACTNESS_SEED ?? 0);

/** A seed in which nothing is wrong. */
const SOUND = 3;

let undo: () => void;
beforeAll(() => {
  undo = setUp();
});
afterAll(() => undo());

/** Seeds in which something is known to be wrong, with the reason; it is gone when the list is. Those that do not end are left out. */
const { wrong: listed, endless } = known as Record<"wrong" | "endless", Record<string, string>>;

it("after every flush the updates show what the editor has", { timeout: 300_000 }, async () => {
  const counts: Counts = nothing();
  const found: Wrong[] = [];
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    if (!(seed in endless)) found.push(...(await life(seed, counts)));
  }
  console.log(describe(counts));
  const unlisted = found.filter(({ seed }) => !(seed in listed));
  expect(unlisted.map(describeWrong).join("\n\n")).toBe("");
  if (FROM === 0 && SEEDS >= 40) {
    const seen = new Set(found.map(({ seed }) => `${seed}`));
    expect(Object.keys(listed).filter((seed) => !seen.has(seed))).toEqual([]);
  }
  // Else nothing is shown by it.
  expect(counts.many / counts.flushes).toBeGreaterThan(0.3);
  expect(counts.merged / counts.flushes).toBeGreaterThan(0.5);
  expect(counts.steps).toBeGreaterThan(SEEDS);
});

/** Seeds in which something was wrong once: after a flush, and of one alone who takes everything back. */
const ONCE_WRONG = [1_000_497, 1_001_243, 3_000_260, 3_000_460, 3_014_572, 3_022_828];

it.each(ONCE_WRONG)("holds in seed %d", { timeout: 60_000 }, async (seed) => {
  expect((await life(seed, nothing())).map(describeWrong).join("\n\n")).toBe("");
});

const PLANTED: [string, Harm][] = [
  ["an update does not arrive", (replica) => void replica.take()],
  ["the editor goes on", ({ editor }) => Transforms.insertNodes(editor, { text: "x" }, { at: [0, 0] })],
];

it.each(PLANTED)("is found: %s", async (_, harm) => {
  expect(await life(SOUND, nothing())).toEqual([]);
  let flushes = 0;
  const found = await life(SOUND, nothing(), (replica) => {
    if (++flushes === 3) harm(replica);
  });
  expect(found.map(({ what }) => what.trim())).toEqual(["after a flush"]);
});
