// Random documents, people and acts on every engine, with all checks. SCENARIOS_RUNS: so many seeds for each (150; 40 on format0,
// where copies are not mended: it neither throws nor comes apart);
// SCENARIOS_SEED: from which on (0).
import { Editor, Transforms } from "slate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ENGINES, engineOf } from "../runner/engines.js";
import type { Engine, Replica } from "../runner/replica.js";
import { setUp } from "../runner/yrs.js";
import type { Kind } from "./checks.js";
import known from "./known.json" with { type: "json" };
import { describe, describeRun, tally } from "./main.js";
import { run } from "./run.js";

const runsOf = (engine: string): number => Number(process.env.SCENARIOS_RUNS ?? (engine === "format0" ? 40 : 150));
const FROM = Number(process.env.SCENARIOS_SEED ?? 0);

let undo: () => void;
beforeAll(() => {
  undo = setUp();
});
afterAll(() => undo());

/** What an engine does not hold in general, and the seeds in which it does not hold something else. */
type Known = Record<string, { kinds: Kind[]; seeds: Record<string, string> }>;

it.each(ENGINES.map(({ name }) => name))("random runs on %s", { timeout: 900_000 }, async (name) => {
  const runs = runsOf(name);
  const it = await tally(name, runs, FROM);
  console.log(describe(name, it));
  const { kinds, seeds } = (known as Known)[name] ?? { kinds: [], seeds: {} };
  const isNew = (seed: number, kind: Kind) => !kinds.includes(kind) && !(`${seed}` in seeds);
  const unknown = it.faulty.filter(({ seed, ran }) => ran.faults.some(({ kind }) => isNew(seed, kind)));
  expect(unknown.map(({ seed, ran }) => describeRun(seed, ran)).join("\n\n")).toBe("");
  // Else nothing is shown by it.
  expect(it.met).toBeGreaterThan(runs / 2);
});

/** Somebody who at times does something wrong with what they hear; `null`: does not hear it. */
const PLANTED: [string, ((replica: Replica) => void) | null][] = [
  ["a letter is lost", ({ editor }) => Transforms.delete(editor, { at: Editor.start(editor, []), unit: "character" })],
  ["a letter is doubled", ({ editor }) => Transforms.insertText(editor, "\u4e00", { at: Editor.end(editor, []) })],
  ["a line is divided", ({ editor }) => Transforms.splitNodes(editor, { at: Editor.end(editor, [0]), always: true })],
  ["an update is not heard", null],
];

it.each(PLANTED)("is found: %s", async (_, harm) => {
  const sound = engineOf("format1");
  let heard = 0;
  const harmed: Engine = {
    ...sound,
    open: async (...args) => {
      const replicas = await sound.open(...args);
      return replicas.map((replica) => ({
        ...replica,
        editor: replica.editor,
        hear: (update) => {
          const harms = ++heard % 5 === 0;
          if (harm !== null || !harms) replica.hear(update);
          if (harms) harm?.(replica);
        },
      }));
    },
  };
  const kinds = async (engine: Engine) => new Set((await run(engine, 0)).faults.map(({ kind }) => kind));
  const before = await kinds(sound);
  const found = [...(await kinds(harmed))].filter((kind) => !before.has(kind));
  expect(found).not.toEqual([]);
});
