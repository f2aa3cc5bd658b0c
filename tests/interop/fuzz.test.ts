// Seeded random authors, slate-yjs and slate-yrs on one document: ours never throw, their editors never differ from
// their documents, and all documents are equal in the end. What slate-yjs does by itself is counted, not judged.
//
// SLATE_YRS_RUNS: runs of each kind (default 100: 400 runs, about 100 s of one busy core). SLATE_YRS_SEED: one seed only, to look at a failure again.
import { describe, expect, it } from "vitest";
import { type Failure, run } from "./fuzz.js";
import { START } from "./random.js";
import { ours, type Replica, seed, theirs } from "./replica.js";

const RUNS = Number(process.env.SLATE_YRS_RUNS ?? 100);
const ONLY = process.env.SLATE_YRS_SEED;
const STEPS = 60;
const start = seed(START);

async function rounds(team: readonly Replica["kind"][], options: { inlineMoves: boolean; undo: boolean }) {
  const failures: (Failure & { seed: number })[] = [];
  const seeds = ONLY === undefined ? Array.from({ length: RUNS }, (_, at) => at) : [Number(ONLY)];
  for (const seed of seeds) {
    const replicas = await Promise.all(team.map((kind) => (kind === "ours" ? ours(start) : theirs(start))));
    const inlineMoves = ({ kind }: Replica) => options.inlineMoves && kind === "ours";
    const found = await run(replicas, { seed, steps: STEPS, inlineMoves, undo: options.undo });
    failures.push(...found.map((failure) => ({ ...failure, seed })));
    for (const replica of replicas) await replica.close();
  }
  const bad = (kind: Replica["kind"]) => new Set(failures.filter((each) => each.kind === kind).map(({ seed }) => seed));
  console.log(
    `${team.join(" + ")}: of ${seeds.length} runs × ${STEPS} edits, slate-yrs failed in ${bad("ours").size}, slate-yjs in ${bad("theirs").size}`,
  );
  return failures.filter(({ kind }) => kind === "ours");
}

describe("random authors", () => {
  const teams: [Replica["kind"][], boolean, boolean][] = [
    [["ours", "theirs"], false, false],
    [["ours", "ours", "theirs"], false, true],
    [["ours", "theirs", "theirs"], false, false],
    [["ours", "ours"], true, true],
  ];
  it.each(teams)(
    "%j, our inline moves: %s, our undo: %s",
    async (team, inlineMoves, undo) => {
      expect(await rounds(team, { inlineMoves, undo })).toEqual([]);
    },
    60_000 + 5_000 * RUNS,
  );
});
