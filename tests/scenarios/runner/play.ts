// One run of a scenario without a server: what people do, who hears whom when, and whether what comes of it is right.
import type { Descendant } from "slate";
import { type Act, perform, type Schema } from "../acts.mjs";
import { complaints, same, show } from "../expect.mjs";
import type { Family, Pair, Scenario, Step, Story, Turn } from "./files.js";
import { type Engine, exchange, type Order, type Replica, seed } from "./replica.js";

export interface Run {
  /** Whether client ids rise from the first person to the last. */
  rising: boolean;
  order: Order;
}

export interface Outcome {
  /** What is wrong; nothing: it holds. */
  complaints: string[];
  /** What everybody has in the end, as far as it came. */
  value: Descendant[] | null;
}

/** In which ways a family is run. */
export function runsOf(form: Family["form"]): Run[] {
  const orders: Order[] = form === "pair" ? ["first", "last", "all"] : ["first", "last"];
  return [true, false].flatMap((rising) => orders.map((order) => ({ rising, order })));
}

/** `a`'s client id, or the highest one's. */
const LOWEST = 1_000;
/** Those who prepare a document. */
const PREPARE = 2;
/** Who opens it in the end. */
const LAST = 9;

/** How often `undoAll` asks at most. */
const UNDOS = 20;

/** One run, from opening to closing. */
export async function play(engine: Engine, scenario: Pair | Story, schema: Schema, run: Run): Promise<Outcome> {
  const play = new Play(engine, scenario, schema, run);
  const { error } = console;
  console.error = (...words: unknown[]) => play.say(`on the console: ${words.map(String).join(" ").slice(0, 200)}`);
  try {
    await play.whole();
  } catch (error) {
    play.say(`threw: ${String(error instanceof Error ? error.message : error).slice(0, 200)}`);
  } finally {
    await play.close();
    console.error = error;
  }
  return { complaints: [...play.found], value: play.value };
}

class Play {
  readonly found = new Set<string>();
  value: Descendant[] | null = null;
  readonly #open: Replica[] = [];
  #people: Replica[] = [];
  /** The start, and what each had alone. */
  readonly #had: Descendant[][] = [];

  constructor(
    readonly engine: Engine,
    readonly scenario: Pair | Story,
    readonly schema: Schema,
    readonly run: Run,
  ) {}

  readonly say = (complaint: string): void => void this.found.add(complaint);

  async whole(): Promise<void> {
    const { scenario } = this;
    const names = "steps" in scenario ? (scenario.people ?? ["a", "b"]) : scenario.c ? ["a", "b", "c"] : ["a", "b"];
    const state = await this.#prepare();
    const ids = names.map((_, index) => LOWEST + index);
    this.#people = await this.#join(state, this.run.rising ? ids : ids.reverse());
    // Opening is no edit: what normalizers write is not the user's.
    for (const each of this.#people) each.take();
    if (!("initial" in scenario)) this.#expectAll(this.#people, scenario.prepared ?? scenario.value, "opened as");
    this.#remember(this.#people[0]!);
    if ("steps" in scenario) await this.#steps(scenario.steps, names);
    else await this.#atOnce(scenario);
    await this.#end();
  }

  async close(): Promise<void> {
    for (const each of this.#open) await each.close().catch((error) => this.say(`closing threw: ${error}`));
  }

  async #join(state: Uint8Array, clientIds: readonly number[]): Promise<Replica[]> {
    const joined = await this.engine.open(state, this.schema, clientIds);
    this.#open.push(...joined);
    for (const each of joined) await each.settle();
    return joined;
  }

  /** The state that is opened: with the history that the scenario gives it. */
  async #prepare(): Promise<Uint8Array> {
    const { value, prepare, prepared } = this.scenario;
    const start = seed(value, this.engine.format);
    if (prepare === undefined) return start;
    const turns = prepare.every(isTurn) ? prepare : [{ who: "x", acts: prepare as Act[] }];
    const names = [...new Set(["x", ...turns.map(({ who }) => who)])].sort();
    const authors = await this.#join(
      start,
      names.map((_, index) => PREPARE + index),
    );
    for (const each of authors) each.take();
    this.#expectAll(authors, value, "opened as");
    for (const { who, acts } of turns) {
      const author = authors[names.indexOf(who)]!;
      for (const act of acts) {
        if (act.do !== "undo" && act.do !== "redo") perform(author.editor, act);
        else if (!author[act.do]()) this.say(`prepare: ${act.do}() of ${who} returned false`);
        await author.settle();
      }
      await exchange(authors, "first");
    }
    this.#expectAll(authors, prepared!, "prepared as");
    for (const each of authors) for (const problem of each.problems()) this.say(`prepare: ${problem}`);
    const state = authors[0]!.state();
    for (const each of this.#open.splice(0)) await each.close();
    return state;
  }

  async #atOnce({ a, b, c, expect }: Pair): Promise<void> {
    for (const [index, acts] of [a, b, c ?? []].entries()) {
      const person = this.#people[index];
      for (const act of acts) await this.#act(person!, act);
      if (person !== undefined) this.#remember(person);
    }
    const made = await exchange(this.#people, this.run.order);
    for (const name of expect.silent ?? []) {
      const count = made["abc".indexOf(name)]!;
      if (count > 0) this.say(`${name}, who did nothing, made ${count} updates`);
    }
  }

  async #act(person: Replica, act: Act): Promise<void> {
    perform(person.editor, act);
    await person.settle();
  }

  async #steps(steps: readonly Step[], names: readonly string[]): Promise<void> {
    for (const [index, step] of steps.entries()) {
      const say = (complaint: string) => this.say(`step ${index + 1}: ${complaint}`);
      const person = this.#people[names.indexOf(step.who ?? "")]!;
      switch (step.do) {
        case "sync":
          await exchange(this.#people, this.run.order);
          break;
        case "expect": {
          await exchange(this.#people, this.run.order);
          const shown = this.#people[0]!.editor.children;
          const bad = complaints(shown, step.expect!, this.#had, this.schema);
          for (const complaint of bad) say(`${complaint}: it was ${show(shown, this.schema)}`);
          break;
        }
        case "undo":
        case "redo": {
          const said = await this.#turnBack(person, step.do, say);
          if (step.returns !== undefined && said !== step.returns) say(`${step.do}() returned ${said}`);
          break;
        }
        case "undoAll":
          for (let times = 0; await this.#turnBack(person, "undo", say); times++) {
            if (times === UNDOS) return say(`undo() returned true ${UNDOS} times`);
            await exchange(this.#people, this.run.order);
          }
          break;
        default:
          await this.#act(person, step);
          this.#remember(person);
      }
    }
  }

  /** It says true exactly if the value changes. */
  async #turnBack(person: Replica, how: "undo" | "redo", say: (complaint: string) => void): Promise<boolean> {
    const before = structuredClone(person.editor.children);
    const said = person[how]();
    await person.settle();
    const changed = !same(before, person.editor.children);
    if (said !== changed) say(`${how}() returned ${said}, but ${changed ? "something" : "nothing"} changed`);
    return said;
  }

  async #end(): Promise<void> {
    await exchange(this.#people, this.run.order);
    const { schema } = this;
    const values = this.#people.map(({ editor }) => structuredClone(editor.children));
    const value = values[0]!;
    this.value = value;
    for (const [index, person] of this.#people.entries()) {
      const own = values[index]!;
      if (!same(own, value)) this.say(`they differ: ${show(value, schema)} | ${show(own, schema)}`);
      if (!same(person.value(), own))
        this.say(`an editor has ${show(own)}, its document ${show(person.value(), schema)}`);
      for (const problem of person.problems()) this.say(problem);
    }
    for (const complaint of complaints(value, this.scenario.expect, this.#had, schema)) this.say(complaint);
    const [fresh] = await this.#join(this.#people[0]!.state(), [LAST]);
    const anew = fresh!.editor.children;
    if (!same(anew, value)) this.say(`who opens it anew has ${show(anew, schema)}`);
    for (const problem of fresh!.problems()) this.say(`who opens it anew: ${problem}`);
  }

  #remember(person: Replica): void {
    this.#had.push(structuredClone(person.editor.children));
  }

  #expectAll(replicas: readonly Replica[], value: Descendant[], how: string): void {
    for (const { editor } of replicas) {
      if (!same(editor.children, value)) this.say(`${how} ${show(editor.children, this.schema)}`);
    }
  }
}

const isTurn = (act: Act | Turn): act is Turn => "who" in act;

/** The schema of a scenario: its family's, and its own. */
export const schemaOf = (family: { schema: Schema }, scenario: Scenario): Schema => ({
  ...family.schema,
  ...scenario.schema,
});
