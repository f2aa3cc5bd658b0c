// The files: families of scenarios as data, and what is known not to hold.
import { readdirSync, readFileSync } from "node:fs";
import type { Descendant } from "slate";
import type { Act, Schema } from "../acts.mjs";
import type { Expect } from "../expect.mjs";

const folder = new URL("../", import.meta.url);

export interface Scenario {
  id: string;
  kind: string;
  name: string;
  why: string;
  schema?: Schema;
  /** The start. */
  value: Descendant[];
  /** What others did to it before `a` and `b` come: acts of x, or turns of x and y. */
  prepare?: (Act | Turn)[];
  /** What came of that. */
  prepared?: Descendant[];
  expect: Expect;
}

export interface Turn {
  who: string;
  acts: Act[];
}

/** What each does without having heard of the others. */
export interface Pair extends Scenario {
  a: Act[];
  b: Act[];
  c?: Act[];
  /** Nobody does anything: what an editor has when it opens the document. */
  initial?: boolean;
}

/** Steps of people who hear each other when it says so, or of devices with a server between them. */
export interface Story extends Scenario {
  people?: string[];
  steps: Step[];
  /** Lives: whose server, if not ours. */
  server?: string;
  /** Lives: so many times in each order of client ids. */
  repeat?: number;
}

export interface Step extends Act {
  who?: string;
  returns?: boolean;
  expect?: Expect;
  offline?: boolean;
}

interface Of<Form, S> {
  family: string;
  about: string;
  form: Form;
  schema: Schema;
  scenarios: S[];
}

export type Family = Of<"pair", Pair> | Of<"story", Story> | Of<"lives", Story>;

const FAILING = "scenarios.failing.json";

/** The names of all families, in the order of the alphabet. */
export const FAMILIES: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith(".json") && name !== FAILING)
  .map((name) => name.slice(0, -".json".length))
  .sort();

export function family(name: string): Family {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
}

/** What an engine does not hold: `always`, or now and then, with the reason. */
export interface Failing {
  always: string[];
  sometimes: Record<string, string>;
}

export function failing(engine: string): Failing {
  const all: Record<string, Partial<Failing>> = JSON.parse(readFileSync(new URL(FAILING, folder), "utf8"));
  const { always = [], sometimes = {} } = all[engine] ?? {};
  return { always, sometimes };
}
