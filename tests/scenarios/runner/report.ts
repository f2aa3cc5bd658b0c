// All runs of a scenario, and what is said of them.
import type { Descendant } from "slate";
import type { Schema } from "../acts.mjs";
import { show } from "../expect.mjs";
import { type Family, family, type Pair, type Scenario, type Story } from "./files.js";
import { type Lives, live } from "./lives.js";
import { type Outcome, play, runsOf, schemaOf } from "./play.js";
import type { Engine } from "./replica.js";
import { served } from "./served.js";

export interface Report {
  scenario: Scenario;
  schema: Schema;
  runs: number;
  /** How many of them did not hold. */
  failed: number;
  /** What was wrong in any of them. */
  complaints: string[];
  /** What came out of any of them. */
  values: string[];
}

export const holds = (report: Report): boolean => report.failed === 0;

export interface Options {
  only?: string | undefined;
  lives?: Lives;
  change?: (scenario: Scenario) => void;
  /** One order of ids and deliveries in place of all. */
  once?: boolean;
  /** The forms without a server with this one: once each. */
  server?: string | undefined;
}

/** The scenarios of a family, each changed by `change`. Without `lives` that form is left out. */
export async function runFamily(engine: Engine, name: string, options: Options = {}): Promise<Report[]> {
  const it = family(name);
  const { only, change, lives, once = false, server } = options;
  const chosen: Scenario[] = it.scenarios.filter(({ id }) => only === undefined || id === only);
  if (change !== undefined) chosen.forEach(change);
  if (it.form === "lives") return lives === undefined ? [] : live(lives, engine, it.schema, chosen as Story[]);
  if (server !== undefined && lives !== undefined) {
    const all = (chosen as (Pair | Story)[]).map((scenario) => served(scenario, server));
    return live({ ...lives, orders: [true] }, engine, it.schema, all);
  }
  const reports: Report[] = [];
  for (const scenario of chosen) reports.push(await runScenario(engine, it, scenario as Pair | Story, once));
  return reports;
}

async function runScenario(engine: Engine, it: Family, scenario: Pair | Story, once: boolean): Promise<Report> {
  const schema = schemaOf(it, scenario);
  const outcomes: Outcome[] = [];
  for (const run of runsOf(it.form).slice(0, once ? 1 : undefined))
    outcomes.push(await play(engine, scenario, schema, run));
  return reportOf(scenario, schema, outcomes);
}

export function reportOf(scenario: Scenario, schema: Schema, outcomes: readonly Outcome[]): Report {
  const ended = outcomes.flatMap(({ value }) => (value === null ? [] : [show(value, schema)]));
  return {
    scenario,
    schema,
    runs: outcomes.length,
    failed: outcomes.filter(({ complaints }) => complaints.length > 0).length,
    complaints: [...new Set(outcomes.flatMap(({ complaints }) => complaints))],
    values: [...new Set(ended)],
  };
}

/** For people. `verbose`: with what was expected, and why. */
export function describe({ scenario, schema, runs, failed, complaints, values }: Report, verbose: boolean): string {
  const { id, name, value, prepared, expect, why } = scenario;
  const lines = [`${failed === 0 ? "ok    " : "FAILED"} ${id} ${name}`];
  const line = (what: string, text: string) => lines.push(`         ${what}: ${text}`);
  const shown = (value: Descendant[]) => show(value, schema);
  if (failed > 0 || verbose) {
    line("runs", `${failed} of ${runs} failed`);
    if (verbose) line("at first", shown(prepared ?? value));
    for (const each of values) line("came out", each);
    if (verbose) {
      const { value, oneOf, ...others } = expect;
      for (const each of value === undefined ? (oneOf ?? []) : [value]) line("expected", shown(each));
      if (Object.keys(others).length > 0) line("expected", JSON.stringify(others));
    }
    for (const complaint of complaints) line("wrong", complaint);
    if (verbose) line("why", why);
  }
  return lines.join("\n");
}
