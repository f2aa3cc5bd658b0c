// Expectations made wrong: a letter, a word or a block that nobody wrote, an order that nobody saw. Nothing may hold then.
import type { Descendant } from "slate";
import type { Expect } from "../expect.mjs";
import type { Pair, Scenario, Story } from "./files.js";

/** In none of the files. */
const LETTER = "§";

const block = { type: "p", children: [{ text: LETTER }] } as Descendant;

/** Makes each of a scenario's expectations wrong that can be; returns what then has to be said, for each. */
export function plant(scenario: Scenario): RegExp[] {
  const { expect } = scenario;
  const must = [/^"§" is there 0 times$/];
  const wrong: Expect = { ...expect, has: [...(expect.has ?? []), LETTER] };
  const plant = (said: RegExp, change: Expect) => {
    must.push(said);
    Object.assign(wrong, change);
  };
  if (expect.value) plant(/^expected (?!one of).*§/, { value: [...expect.value, block] });
  if (expect.oneOf) plant(/^expected one of .*§/, { oneOf: expect.oneOf.map((each) => [...each, block]) });
  if (expect.letters !== undefined) {
    plant(/^§ is lost$/, { letters: expect.letters + LETTER });
    plant(new RegExp(`^${expect.letters[0]} is back$`), { gone: (expect.gone ?? "") + expect.letters[0] });
  }
  if (expect.lines) plant(/^no line "§"$/, { lines: [...expect.lines, LETTER] });
  if (expect.place) plant(/^"§" is not right behind/, { place: [...expect.place, { text: LETTER, after: LETTER }] });
  if (expect.kinds) plant(/^0 § .*not 1$|^0 §, not 1$/, { kinds: [...expect.kinds, { type: LETTER }] });
  if (expect.marks) {
    const { text } = expect.marks[0]!;
    plant(/lacks \{"§":true\}$/, { marks: [...expect.marks, { text, marks: { [LETTER]: true } }] });
  }
  if (expect.apart) {
    const [one] = expect.apart[0]!;
    plant(new RegExp(`^${one} and ${one} are in one block$`), { apart: [...expect.apart, [one, one]] });
  }
  const author = busy(scenario);
  if (author !== null) plant(new RegExp(`^${author}, who did nothing, made`), { silent: [author] });
  scenario.expect = wrong;
  return must;
}

/** Somebody who does something, where that is told apart. */
function busy(scenario: Scenario): string | null {
  const { a, b } = scenario as Pair;
  if (a === undefined) return null;
  return a.length > 0 ? "a" : b.length > 0 ? "b" : null;
}

/** What is expected on the way made wrong as well: what undo says, and what comes of the preparing. */
export function plantOnTheWay(scenario: Scenario): RegExp[] {
  const must: RegExp[] = [];
  if (scenario.prepared !== undefined) {
    scenario.prepared = [...scenario.prepared, block];
    must.push(/^prepared as /, /^opened as /);
  }
  for (const step of (scenario as Story).steps ?? []) {
    if (step.returns === undefined) continue;
    step.returns = !step.returns;
    must.push(new RegExp(`\\b${step.do}\\(\\) returned ${!step.returns}$`));
  }
  return must;
}
