// After every flush, who has the updates alone reads what the editor has.
import { createEditor, type Descendant, Editor, type Element, type Operation } from "slate";
import { open } from "slate-yrs";
import * as Y from "yjs";
import { handleOf } from "../../dist/engine.js";
import { type Schema, withSchema } from "../scenarios/acts.mjs";
import { identical, same, show } from "../scenarios/expect.mjs";
import { document, Fresh, type Random, random, SHAPES } from "../scenarios/random/shapes.js";
import { written } from "../scenarios/random/written.js";
import { engineOf } from "../scenarios/runner/engines.js";
import { exchange, type Order, type Replica, seed } from "../scenarios/runner/replica.js";
import { edits, SCHEMAS } from "./edits.js";

export const ENGINE = engineOf("format1");
const LOWEST = 1_000;
const WRITER = 2;
const ROUNDS = 5;
/** Flushes of one person in a round, at most. */
const FLUSHES = 4;
/** Of one person alone who then takes everything back. */
const ALONE = 12;
const ORDERS: Order[] = ["first", "last", "all"];
/** So many operations are many. */
const MANY = 5;

export interface Counts {
  runs: number;
  operations: number;
  flushes: number;
  /** Of five operations or more. */
  many: number;
  /** On a state that several have made at once. */
  merged: number;
  /** After which what is read is not what the editor has. */
  differing: number;
  /** The same after an exchange. */
  exchanges: number;
  exchangesDiffering: number;
  divergences: number;
  undoRuns: number;
  /** Calls of undo and redo. */
  steps: number;
  stepsWrong: number;
}

export const nothing = (): Counts => ({
  ...{ runs: 0, operations: 0, flushes: 0, many: 0, merged: 0, differing: 0, exchanges: 0, exchangesDiffering: 0 },
  ...{ divergences: 0, undoRuns: 0, steps: 0, stepsWrong: 0 },
});

/** What was wrong, with what is needed to see it again. */
export interface Wrong {
  seed: number;
  schema: Schema;
  what: string;
  before: Descendant[];
  /** The document before it. */
  state: Uint8Array;
  did: string;
  operations: Operation[];
  editor: Descendant[];
  read: Descendant[];
  /** What the author's own document shows. */
  own: Descendant[];
  /** Of one alone: the document in the beginning, and what was done in each flush. */
  start: Uint8Array;
  history: Operation[][];
}

/** In every fourth seed one is alone, who takes everything back and does it again. */
export const isAlone = (number: number): boolean => number % 4 === 0;

/** One document's life. `harm`: done after every flush, before its updates are told. */
export async function life(number: number, counts: Counts, harm: Harm = () => {}): Promise<Wrong[]> {
  const it = new Life(number, counts, harm);
  try {
    if (isAlone(number)) await it.backAndForth();
    else await it.rounds();
  } catch (error) {
    it.say("threw", error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await it.close();
  }
  counts.runs++;
  return it.wrong;
}

export type Harm = (replica: Replica) => void;

/** Somebody with an editor, and somebody who is told the updates alone. */
class Person {
  #told: Uint8Array[] = [];
  operations: Operation[] = [];
  #acts = false;

  constructor(readonly replica: Replica) {
    const { editor } = replica;
    const { apply } = editor;
    editor.apply = (operation) => {
      if (this.#acts && operation.type !== "set_selection") this.operations.push(structuredClone(operation));
      apply(operation);
    };
  }

  /** What it made goes to who is told, and stays to be sent. */
  readonly out: Uint8Array[] = [];

  async does(what: () => string): Promise<string> {
    this.operations = [];
    this.#acts = true;
    const did = what();
    await this.replica.settle();
    this.#acts = false;
    return did;
  }

  tell(): void {
    for (const update of this.replica.take()) {
      this.out.push(update);
      this.hears(update);
    }
  }

  hears(update: Uint8Array): void {
    this.#told.push(update);
  }

  /** All updates as one: merged as bytes, for a document of Yjs would tidy marks. */
  get told(): Uint8Array {
    const merged = Y.mergeUpdates(this.#told);
    this.#told = [merged];
    return merged;
  }

  get value(): Descendant[] {
    return structuredClone(this.replica.editor.children);
  }
}

class Life {
  readonly wrong: Wrong[] = [];
  readonly #next: Random;
  readonly #fresh = new Fresh();
  readonly #schema: Schema;
  readonly #open: Replica[] = [];
  #people: Person[] = [];
  readonly #alone: Pick<Wrong, "start" | "history"> = { start: new Uint8Array(), history: [] };
  #last: Omit<Wrong, "seed" | "schema" | "what" | "editor" | "read" | "own" | "start" | "history"> = {
    ...{ before: [], state: new Uint8Array(), did: "", operations: [] },
  };

  constructor(
    readonly number: number,
    readonly counts: Counts,
    readonly harm: Harm,
  ) {
    this.#next = random(number);
    this.#schema = SCHEMAS[this.#next(SCHEMAS.length)]!;
  }

  say(what: string, more = "", editor: Descendant[] = [], read: Descendant[] = [], own = read): void {
    const { number: seed, wrong } = this;
    wrong.push({
      seed,
      schema: this.#schema,
      what: `${what} ${more}`,
      editor,
      read,
      own,
      ...this.#last,
      ...this.#alone,
    });
  }

  async close(): Promise<void> {
    for (const replica of this.#open) await replica.close();
  }

  /** Two or three people, who exchange now and then. */
  async rounds(): Promise<void> {
    await this.#begin(2 + this.#next(2));
    for (let round = 0; round < ROUNDS; round++) {
      for (const person of this.#people) {
        for (let flushes = 1 + this.#next(FLUSHES); flushes > 0; flushes--) {
          await this.#flush(person, round > 0);
          if (this.wrong.length > 0) return;
        }
      }
      await this.#exchange();
      if (this.wrong.length > 0) return;
    }
  }

  /** One alone: everything is taken back, and done again. */
  async backAndForth(): Promise<void> {
    await this.#begin(1);
    const person = this.#people[0]!;
    const values = [person.value];
    this.#alone.start = person.replica.state();
    for (let flushes = 1 + this.#next(ALONE); flushes > 0; flushes--) {
      await this.#flush(person, false);
      if (this.wrong.length > 0) return;
      // A mark of a leaf without text is in no document: there is nothing to take back.
      if (!alike(person.value, values.at(-1)!)) values.push(person.value);
    }
    this.counts.undoRuns++;
    const some = values.slice(1 + this.#next(values.length));
    await this.#walk(person, "undo", values.slice(0, -1).reverse(), true);
    await this.#walk(person, "redo", values.slice(1), true);
    await this.#walk(person, "undo", values.slice(0, -1).reverse().slice(0, some.length), false);
    await this.#walk(person, "redo", values.slice(values.length - some.length), true);
  }

  async #begin(people: number): Promise<void> {
    const shapes = Object.keys(SHAPES);
    const value = document(shapes[this.#next(shapes.length)]!, this.#fresh, this.#next);
    const state = this.#next(2) === 0 ? await this.#write(value) : seed(value, ENGINE.format);
    const ids = Array.from({ length: people }, (_, index) => LOWEST + index);
    this.#people = await this.#join(state, this.#next(2) === 0 ? ids : ids.reverse());
  }

  async #join(state: Uint8Array, ids: readonly number[]): Promise<Person[]> {
    const joined = await ENGINE.open(state, this.#schema, ids);
    this.#open.push(...joined);
    return Promise.all(
      joined.map(async (replica) => {
        await replica.settle();
        const person = new Person(replica);
        person.hears(state);
        person.tell();
        return person;
      }),
    );
  }

  async #write(value: Descendant[]): Promise<Uint8Array> {
    const { start, divisions } = written(value);
    const [writer] = await this.#join(seed(start, ENGINE.format), [WRITER]);
    const { editor } = writer!.replica;
    for (const division of divisions) {
      Editor.withoutNormalizing(editor, () => division.forEach(editor.apply));
      await writer!.replica.settle();
    }
    const state = writer!.replica.state();
    await this.#open.pop()!.close();
    return state;
  }

  async #flush(person: Person, merged: boolean): Promise<void> {
    const { counts } = this;
    this.#last = { before: person.value, state: person.replica.state(), did: "", operations: [] };
    const did = await person.does(() => edits(person.replica.editor, this.#next, this.#fresh));
    const { operations } = person;
    this.#last = { ...this.#last, did, operations };
    this.harm(person.replica);
    person.tell();
    if (operations.length === 0) return;
    this.#alone.history.push(operations);
    counts.operations += operations.length;
    counts.flushes++;
    if (operations.length >= MANY) counts.many++;
    if (merged) counts.merged++;
    if (!(await this.#look(person, "after a flush"))) counts.differing++;
  }

  async #exchange(): Promise<void> {
    const { counts } = this;
    this.#last = { ...this.#last, did: "exchange", operations: [] };
    const sent = this.#people.map((person) => person.out.splice(0));
    const replicas = this.#people.map((person, index) => ({
      ...person.replica,
      editor: person.replica.editor,
      take: () => {
        person.tell();
        return [...sent[index]!.splice(0), ...person.out.splice(0)];
      },
      hear: (update: Uint8Array) => {
        person.hears(update);
        person.replica.hear(update);
      },
    }));
    await exchange(replicas, ORDERS[this.#next(ORDERS.length)]!);
    for (const person of this.#people) {
      counts.exchanges++;
      if (!(await this.#look(person, "after an exchange"))) counts.exchangesDiffering++;
    }
    const [first, ...others] = this.#people;
    for (const other of others)
      if (!same(first!.value, other.value)) this.say("they differ", "", first!.value, other.value);
  }

  /** `values`: what each step has to show. `all`: then there is nothing left. */
  async #walk(person: Person, way: "undo" | "redo", values: readonly Descendant[][], all: boolean): Promise<void> {
    if (this.wrong.length > 0) return;
    for (const [index, value] of [...values, ...(all ? [null] : [])].entries()) {
      const which = `${way} ${index + 1} of ${values.length}`;
      this.#last = { before: person.value, state: person.replica.state(), did: which, operations: [] };
      let said = false;
      await person.does(() => {
        said = person.replica[way]();
        return which;
      });
      person.tell();
      this.counts.steps++;
      const wrong = this.wrong.length;
      if (said !== (value !== null)) this.say(`${which} says ${said}`);
      const wanted = value ?? this.#last.before;
      if (!alike(person.value, wanted)) this.say(`${which} shows something else`, "", wanted, person.value);
      await this.#look(person, `after ${which}`);
      if (this.wrong.length === wrong) continue;
      this.counts.stepsWrong++;
      return;
    }
  }

  /** Reads what somebody shows who is told the updates alone. */
  async #look(person: Person, when: string): Promise<boolean> {
    const before = this.wrong.length;
    const read = await readAnew(person.told, person.replica.editor);
    const { value } = person;
    const own = person.replica.value();
    if (!same(read, value)) this.say(when, "", value, read, own);
    else if (!isSameToTheLeaf(value, read, this.#schema)) this.say(`${when}, to the leaf`, "", value, read);
    for (const problem of person.replica.problems()) {
      if (/divergence/.test(problem)) this.counts.divergences++;
      this.say(when, problem, value, read);
    }
    return this.wrong.length === before;
  }
}

/** What a document shows to who has nothing else of it, and knows which types are inline and void. */
export async function readAnew(state: Uint8Array, { isInline, isVoid }: Editor): Promise<Descendant[]> {
  const onlooker = await open({ id: "onlooker", offline: false, format: 1 });
  const element = (type: string) => ({ type, children: [] }) as unknown as Element;
  handleOf(onlooker).schema((type) => (isInline(element(type)) ? 1 : 0) + (isVoid(element(type)) ? 2 : 0));
  onlooker.applyUpdate(state);
  const read = onlooker.value();
  await onlooker.close();
  return read;
}

/** A leaf without text has no marks: there is nothing in the document that could have them. */
function withoutMarksOfNothing(nodes: readonly Descendant[]): Descendant[] {
  return nodes.map((node) => {
    if ("children" in node) return { ...node, children: withoutMarksOfNothing(node.children) };
    return node.text === "" ? { text: "" } : node;
  });
}

/** `same` leaves `data` out: here it is told under another name. */
function withData(nodes: readonly Descendant[]): Descendant[] {
  return nodes.map((node) => {
    const { data } = node as { data?: unknown };
    const told = data === undefined ? node : { ...node, told: data };
    return "children" in told ? { ...told, children: withData(told.children) } : told;
  });
}

/** Up to empty leaves and equal neighbours. */
export const alike = (a: readonly Descendant[], b: readonly Descendant[]): boolean => same(withData(a), withData(b));

/** Where the editor is normal, what is read becomes what it has once it is normalized, too. */
function isSameToTheLeaf(value: Descendant[], read: Descendant[], schema: Schema): boolean {
  const normal = (nodes: Descendant[]) => {
    const editor = withSchema(createEditor(), schema);
    editor.children = withoutMarksOfNothing(nodes);
    Editor.normalize(editor, { force: true });
    return editor.children;
  };
  const bare = withoutMarksOfNothing(value);
  return !identical(normal(value), bare) || identical(normal(read), bare);
}

export const shown = (value: Descendant[]): string => show(value, SCHEMAS[0]);
