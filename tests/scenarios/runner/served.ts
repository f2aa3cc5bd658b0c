// The forms without a server, once with one: the same people as devices, who are offline while they have not heard of each
// other. Deliveries are as they come.
import type { Act } from "../acts.mjs";
import type { Pair, Step, Story, Turn } from "./files.js";

/** The same as a life with this server. */
export function served(scenario: Pair | Story, server: string): Story {
  const { prepare = [], ...rest } = scenario;
  const turns: Turn[] = prepare.every((each) => "who" in each)
    ? (prepare as Turn[])
    : [{ who: "x", acts: prepare as Act[] }];
  const authors = [...new Set(["x", ...turns.map(({ who }) => who)])].sort();
  const people = "steps" in scenario ? (scenario.people ?? ["a", "b"]) : scenario.c ? ["a", "b", "c"] : ["a", "b"];
  const each = (names: readonly string[], step: string): Step[] => names.map((who) => ({ who, do: step }));
  return {
    ...rest,
    people: [...authors, ...people],
    server,
    steps: [
      ...each(authors, "open"),
      { do: "settle" },
      ...turns.flatMap(({ who, acts }) => [
        ...acts.map((act) => done(who, act)),
        { who, do: "saved" },
        { do: "settle" },
      ]),
      ...each(authors, "gone"),
      ...each(people, "open"),
      { do: "settle" },
      { do: "begin" },
      ...each(people, "offline"),
      ...("steps" in scenario ? scenario.steps.flatMap((step) => inTurn(step, people)) : atOnce(scenario)),
      { do: "online" },
    ],
  };
}

const done = (who: string, act: Act): Step =>
  act.do === "undo" || act.do === "redo" ? { who, do: act.do } : { who, do: "act", acts: [act] };

function atOnce({ a, b, c = [] }: Pair): Step[] {
  return [a, b, c].flatMap((acts, index) => acts.map((act) => done("abc"[index]!, act)));
}

/** `sync`, and what comes after one: all are online for a moment. */
function inTurn(step: Step, people: readonly string[]): Step[] {
  const { who, ...act } = step;
  const apart: Step[] = people.map((name) => ({ who: name, do: "offline" }));
  const together: Step[] = [{ do: "online" }, { do: "settle" }];
  switch (step.do) {
    case "sync":
      return [...together, ...apart];
    case "expect":
      return [...together, step, ...apart];
    case "undoAll":
      return [...together, step, { do: "settle" }, ...apart];
    case "undo":
    case "redo":
      return [step];
    default:
      return [done(who!, act)];
  }
}
