// The runner says no: with a letter that nobody wrote in every expectation, nothing holds, and each that was made wrong is
// named.
import { afterAll, beforeAll, expect, it } from "vitest";
import { engineOf } from "./runner/engines.js";
import { FAMILIES, family, type Scenario } from "./runner/files.js";
import { type Lives, startLives } from "./runner/lives.js";
import { plant, plantOnTheWay } from "./runner/planted.js";
import { holds, runFamily } from "./runner/report.js";
import { setUp } from "./runner/yrs.js";

let lives: Lives;
let undo: () => void;
beforeAll(async () => {
  undo = setUp();
  lives = await startLives([true]);
});
afterAll(async () => {
  await lives.stop();
  undo();
});

it.each(FAMILIES)("%s: nothing holds", { timeout: 300_000 }, async (name) => {
  const must = new Map<string, RegExp[]>();
  const change = (scenario: Scenario) => {
    must.set(scenario.id, [...plant(scenario), ...plantOnTheWay(scenario)]);
  };
  const reports = await runFamily(engineOf("format1"), name, { lives, change, once: true });
  expect(reports.length).toBe(family(name).scenarios.length);
  expect(reports.filter(holds).map(({ scenario }) => scenario.id)).toEqual([]);
  const missed = reports.flatMap(({ scenario, complaints }) =>
    must
      .get(scenario.id)!
      .filter((said) => !complaints.some((complaint) => said.test(complaint)))
      .map((said) => `${scenario.id}: ${said}`),
  );
  expect(missed).toEqual([]);
});
