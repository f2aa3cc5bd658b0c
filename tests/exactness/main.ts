// `npm run exactness`: random operations, until there were so many.
import { mkdirSync, writeFileSync } from "node:fs";
import { setUp } from "../scenarios/runner/yrs.js";
import { type Counts, isAlone, life, nothing, shown, type Wrong } from "./run.js";

const USAGE = "npm run exactness -- [COUNT] [--seed 0] [--alone] [--verbose] [--dump FOLDER]";

/** Lives from a seed on, until there were so many operations; `alone`: of those seeds alone in which one is alone. */
export async function exactness(
  operations: number,
  from: number,
  each = (_: Counts, __: Wrong[]) => {},
  begins = (_: number) => {},
  alone = false,
) {
  const counts = nothing();
  const wrong: Wrong[] = [];
  for (let seed = from; counts.operations < operations; seed++) {
    if (alone && !isAlone(seed)) continue;
    begins(seed);
    const found = await life(seed, counts);
    wrong.push(...found);
    each(counts, found);
  }
  return { counts, wrong };
}

export function describe(counts: Counts): string {
  const share = (part: number) => `${part} (${Math.round((100 * part) / Math.max(1, counts.flushes))} %)`;
  return [
    `${counts.operations} operations in ${counts.flushes} flushes of ${counts.runs} documents:`,
    `  of five or more ${share(counts.many)} · on merged states ${share(counts.merged)}`,
    `  differing: flushes ${counts.differing}, of ${counts.exchanges} after an exchange ${counts.exchangesDiffering}`,
    `  divergences ${counts.divergences}`,
    `  one alone: ${counts.steps} steps back and forth in ${counts.undoRuns} documents, wrong ${counts.stepsWrong}`,
  ].join("\n");
}

export function describeWrong({ seed, what, before, did, operations, editor, read, own }: Wrong): string {
  return [
    `seed ${seed}: ${what}`,
    `  before ${shown(before)}`,
    `  ${did}`,
    ...operations.map((operation) => `    ${JSON.stringify(operation)}`),
    `  editor ${shown(editor)}`,
    `  read   ${shown(read)}`,
    ...(shown(own) === shown(read) ? [] : [`  its own document shows ${shown(own)}`]),
  ].join("\n");
}

/** Returns how much was wrong. */
export async function main(args: readonly string[]): Promise<number> {
  const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const isCount = args[0] !== undefined && !args[0].startsWith("--");
  const [operations, from] = [Number(isCount ? args[0] : 10_000), Number(option("--seed") ?? 0)];
  if (!Number.isSafeInteger(operations) || !Number.isSafeInteger(from)) {
    console.error(USAGE);
    return 2;
  }
  const folder = option("--dump");
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const undo = setUp();
  let told = 0;
  try {
    // Should one not come to an end, it is known which.
    const begins = (seed: number) => args.includes("--verbose") && console.log(`seed ${seed} begins`);
    const ends = (now: Counts, found: readonly Wrong[]) => {
      for (const each of found) {
        console.log(describeWrong(each));
        if (folder !== undefined) writeFileSync(`${folder}/${each.seed}.json`, dump(each));
      }
      if (now.operations - told < 20_000) return;
      told = now.operations;
      console.log(`… ${describe(now)}`);
    };
    const { counts, wrong } = await exactness(operations, from, ends, begins, args.includes("--alone"));
    console.log(describe(counts));
    return wrong.length;
  } finally {
    undo();
  }
}

const dump = (wrong: Wrong): string =>
  JSON.stringify(wrong, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value), 1);
