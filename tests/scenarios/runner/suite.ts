// The tests of one engine: what holds, holds; what is listed as failing, fails. Each engine has a file of its own, so that
// they run beside each other.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineOf } from "./engines.js";
import { FAMILIES, failing, family } from "./files.js";
import { startLives } from "./lives.js";
import { describe as describeReport, holds, type Report, runFamily } from "./report.js";
import { setUp } from "./yrs.js";

/** For a family: far more than it takes. */
const TIME = 300_000;

const isLives = (name: string) => family(name).form === "lives";

/** All families but those with a server. */
export function holdsWithoutServer(name: string): void {
  prepare(`scenarios on ${name}`);
  describe(`scenarios on ${name}`, () => {
    it.each(FAMILIES.filter((each) => !isLives(each)))("%s", { timeout: TIME }, async (each) => {
      judge(name, each, await runFamily(engineOf(name), each));
    });
  });
}

/** The families of devices with servers. */
export function holdsWithServers(name: string): void {
  prepare(`lives on ${name}`);
  describe(`lives on ${name}`, () => {
    it.each(FAMILIES.filter(isLives))("%s", { timeout: TIME }, async (each) => {
      const lives = await startLives();
      try {
        judge(name, each, await runFamily(engineOf(name), each, { lives }));
      } finally {
        await lives.stop();
      }
    });
  });
}

function prepare(name: string): void {
  let undo: () => void = () => {};
  beforeAll(() => {
    undo = setUp();
  });
  afterAll(() => {
    undo();
    console.log(`${name}: ${count.held} of ${count.all} hold`);
  });
}

const count = { held: 0, all: 0 };

function judge(engine: string, name: string, reports: readonly Report[]): void {
  const { always, sometimes } = failing(engine);
  const failed = reports.filter((report) => !holds(report));
  count.all += reports.length;
  count.held += reports.length - failed.length;
  console.log(`${name} on ${engine}: ${reports.length - failed.length} of ${reports.length} hold`);
  const certain = (report: Report) => !(report.scenario.id in sometimes);
  const unlisted = failed.filter(certain).filter(({ scenario }) => !always.includes(scenario.id));
  const unneeded = reports.filter(holds).filter(({ scenario }) => always.includes(scenario.id));
  expect({
    "fail, and are not listed": unlisted.map((report) => describeReport(report, false)),
    "hold: take them off the list": unneeded.map(({ scenario }) => scenario.id),
  }).toEqual({ "fail, and are not listed": [], "hold: take them off the list": [] });
}
