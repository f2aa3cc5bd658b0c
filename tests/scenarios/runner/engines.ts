// The engines that the scenarios are run on. One more is one more line.
import { model } from "./model.js";
import type { Engine } from "./replica.js";
import { slateYrs } from "./yrs.js";

export const ENGINES: readonly Engine[] = [
  slateYrs("format0", 0, { format: 0 }),
  slateYrs("format1", 1, { format: 1 }),
  model,
];

export function engineOf(name: string): Engine {
  const found = ENGINES.find((engine) => engine.name === name);
  if (found === undefined)
    throw new Error(`there is no engine ${name}, only ${ENGINES.map((each) => each.name).join(", ")}`);
  return found;
}
