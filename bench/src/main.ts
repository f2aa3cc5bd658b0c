// The page of the benchmark: `bench/run.mjs` drives it through `window.bench`.

import type { Descendant } from "slate";
import { generateScript } from "../../examples/screenplay/src/script/generator.ts";
import { type Bound, type Engine, engines, init, type Remote } from "./engines.ts";
import { install } from "./server.ts";
import { type Fixture, fixture, opening, turns, workloads } from "./workloads.ts";

/** One line of the result: ms of each repetition. */
export interface Samples {
  workload: string;
  engine: string;
  blocks: number;
  samples: number[];
}

const fixtures = new Map<number, Fixture>();

function sized(blocks: number): Fixture {
  let made = fixtures.get(blocks);
  if (!made) {
    made = fixture(generateScript({ scenes: Math.round((blocks * 148) / 3300) }) as Descendant[]);
    fixtures.set(blocks, made);
  }
  return made;
}

/** So often a document is opened in each round: once is over too soon to be measured. */
const OPENINGS = 8;

/** So many steps one engine does before it is the next one's turn: a moment of the machine hits all of them. */
const IN_A_ROW = 50;

/** One round of a workload; `only`: of these engines, in this order. */
async function round(name: string, blocks: number, only?: readonly string[]): Promise<Samples[]> {
  const base = sized(blocks);
  const results: Samples[] = [];
  const workload = workloads.find((candidate) => candidate.name === name);
  const shared = workload?.state ? [] : (workload?.prepare?.(base, "slate-yjs") ?? []);
  const remotesOf = (engine: Engine["name"]) => (workload?.state ? (workload.prepare?.(base, engine) ?? []) : shared);
  const stateOf = (engine: Engine["name"]) => workload?.state?.(engine) ?? base.state;
  const measured = (only ?? engines.map(({ name }) => name)).flatMap((wanted) =>
    engines.filter(({ name }) => name === wanted),
  );
  if (workload?.turn) {
    const bounds: { bound: Bound; remotes: Remote[] }[] = [];
    for (const { name, open } of measured) {
      const bound = await open(stateOf(name), workload.people ? base.people : null);
      bounds.push({ bound, remotes: remotesOf(name) });
    }
    const count = workload.turns ?? turns(base);
    const samples: number[][] = measured.map(() => []);
    for (let from = 0; from < count; from += IN_A_ROW) {
      for (const [index, { bound, remotes }] of bounds.entries()) {
        for (let number = from; number < Math.min(count, from + IN_A_ROW); number += 1) {
          const took = await workload.turn(bound, base, remotes, number);
          if (number >= count / 2) samples[index]!.push(took);
        }
      }
    }
    for (const { bound } of bounds) await bound.close();
    return measured.map(({ name: engine }, index) => ({
      workload: name,
      engine,
      blocks: base.blocks,
      samples: samples[index]!,
    }));
  }
  for (const engine of measured) {
    const samples: number[] = [];
    if (!workload) {
      if (engine.name === "plain" || engine.name === "quick") continue;
      for (let n = 0; n < OPENINGS; n += 1) samples.push(await opening(engine, base));
    } else {
      const bound = await engine.open(base.state, workload.people ? base.people : null);
      samples.push(...(await workload.run!(bound, base, shared)));
      await bound.close();
    }
    results.push({ workload: name, engine: engine.name, blocks: base.blocks, samples });
  }
  return results;
}

declare global {
  interface Window {
    bench: {
      list: { name: string; sizes: "all" | "feature" }[];
      round(name: string, blocks: number, only?: readonly string[]): Promise<Samples[]>;
    };
  }
}

install();
await init();
window.bench = {
  list: [...workloads.map(({ name, sizes }) => ({ name, sizes })), { name: "opening", sizes: "all" }],
  round,
};
