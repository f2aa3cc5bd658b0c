// `npm run scenarios`: runs scenarios on an engine and prints what came out. See tests/scenarios/README.md.
import { engineOf } from "./engines.js";
import { FAMILIES, failing } from "./files.js";
import { startLives } from "./lives.js";
import { describe, holds, type Report, runFamily } from "./report.js";
import { setUp } from "./yrs.js";

const USAGE =
  "npm run scenarios -- [--engine format0] [--family lists,undo] [--only lists-001] [--server y-websocket] [--verbose]";

/** Returns how many scenarios fail that are not known to, or hold that are not known to. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === null) {
    console.error(USAGE);
    return 2;
  }
  const engine = engineOf(options.engine);
  const known = failing(engine.name);
  const undo = setUp();
  const { only, server } = options;
  const needsServer = server !== undefined || options.families.includes("lives");
  const lives = engine.options !== null && needsServer ? await startLives() : undefined;
  let surprises = 0;
  try {
    for (const name of options.families) {
      const began = Date.now();
      const reports = await runFamily(engine, name, { only, server, ...(lives === undefined ? {} : { lives }) });
      if (reports.length === 0) continue;
      for (const report of reports) surprises += say(report, known.always, known.sometimes, options.verbose);
      const good = reports.filter(holds).length;
      const took = ((Date.now() - began) / 1000).toFixed(1);
      console.log(`${name} on ${engine.name}: ${good} of ${reports.length} hold, after ${took} s\n`);
    }
  } finally {
    await lives?.stop();
    undo();
  }
  return surprises;
}

function say(report: Report, always: readonly string[], sometimes: object, verbose: boolean): number {
  const { id } = report.scenario;
  const known = always.includes(id);
  if (!holds(report) || verbose) console.log(describe(report, verbose));
  if (holds(report) !== known || id in sometimes) return 0;
  console.log(`       ${known ? "this is listed as failing: take it off the list" : "this is not listed as failing"}`);
  return 1;
}

interface Options {
  engine: string;
  families: readonly string[];
  only: string | undefined;
  server: string | undefined;
  verbose: boolean;
}

function parse(args: readonly string[]): Options | null {
  const options: Options = {
    engine: "format0",
    families: FAMILIES,
    only: undefined,
    server: undefined,
    verbose: false,
  };
  for (let at = 0; at < args.length; at++) {
    const name = args[at];
    if (name === "--verbose") options.verbose = true;
    else {
      const value = args[++at];
      if (value === undefined) return null;
      if (name === "--engine") options.engine = value;
      else if (name === "--family") options.families = value.split(",");
      else if (name === "--only") options.only = value;
      else if (name === "--server") options.server = value;
      else return null;
    }
  }
  return options.families.every((each) => FAMILIES.includes(each)) ? options : null;
}
