// `npm run scenarios -- --random`: random runs on an engine, counted.
import { engineOf } from "../runner/engines.js";
import { setUp } from "../runner/yrs.js";
import { type Fault, KINDS, type Kind } from "./checks.js";
import { type Ran, run } from "./run.js";

export interface Tally {
  runs: number;
  met: number;
  /** In how many runs there was a fault of a kind. */
  faults: Map<Kind, number>;
  /** Of each shape, ready-made and written: runs, and runs with faults. */
  shapes: Map<string, [runs: number, faulty: number]>;
  /** The seeds with faults. */
  faulty: { seed: number; ran: Ran }[];
}

/** Runs the seeds from `from` on. */
export async function tally(engine: string, runs: number, from = 0): Promise<Tally> {
  const it: Tally = { runs, met: 0, faults: new Map(), shapes: new Map(), faulty: [] };
  for (let seed = from; seed < from + runs; seed++) {
    const ran = await run(engineOf(engine), seed);
    const name = `${ran.shape}, ${ran.written ? "written" : "ready-made"}`;
    const [all, faulty] = it.shapes.get(name) ?? [0, 0];
    it.shapes.set(name, [all + 1, faulty + (ran.faults.length > 0 ? 1 : 0)]);
    if (ran.met) it.met++;
    for (const kind of kinds(ran.faults)) it.faults.set(kind, (it.faults.get(kind) ?? 0) + 1);
    if (ran.faults.length > 0) it.faulty.push({ seed, ran });
  }
  return it;
}

const kinds = (faults: readonly Fault[]): Set<Kind> => new Set(faults.map(({ kind }) => kind));

/** For people. */
export function describe(engine: string, { runs, met, faults, shapes, faulty }: Tally): string {
  const lines = [...shapes].sort().map(([name, [all, bad]]) => `  ${name}: ${bad} of ${all} runs have a fault`);
  const counts = KINDS.map((kind) => `${kind} ${faults.get(kind) ?? 0}`).join(" · ");
  const all = `${engine}: ${faulty.length} of ${runs} random runs have a fault; in ${met} two were at one element`;
  return [all, `  ${counts}`, ...lines].join("\n");
}

export function describeRun(seed: number, { shape, written, log, faults }: Ran): string {
  const said = faults.map(({ kind, what }) => `  ${kind}: ${what}`);
  return [`seed ${seed}, ${shape}${written ? ", written" : ""}`, ...log.map((line) => `    ${line}`), ...said].join(
    "\n",
  );
}

const USAGE = "npm run scenarios -- --random 1000 [--engine format0] [--seed 0] [--verbose]";

/** Returns in how many runs there was a fault. */
export async function main(args: readonly string[]): Promise<number> {
  const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const [runs, from] = [Number(option("--random")), Number(option("--seed") ?? 0)];
  if (!Number.isSafeInteger(runs) || !Number.isSafeInteger(from)) {
    console.error(USAGE);
    return 2;
  }
  const name = option("--engine") ?? "format0";
  const undo = setUp();
  try {
    const it = await tally(name, runs, from);
    if (args.includes("--verbose")) for (const { seed, ran } of it.faulty) console.log(describeRun(seed, ran));
    console.log(describe(name, it));
    return it.faulty.length;
  } finally {
    undo();
  }
}
