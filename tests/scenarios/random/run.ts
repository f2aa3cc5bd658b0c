// One random run: a document, three people, rounds in which nobody hears of the others, an exchange after each.
import { type Descendant, Editor } from "slate";
import * as Y from "yjs";
import { same } from "../expect.mjs";
import { type Engine, exchange, type Order, type Replica, seed } from "../runner/replica.js";
import { act } from "./acts.js";
import { type Alone, type Fault, Judge, Seen, shown } from "./checks.js";
import { document, Fresh, type Random, random, SCHEMA, SHAPES } from "./shapes.js";
import { written } from "./written.js";

export interface Ran {
  shape: string;
  /** Whether the document was made by dividing. */
  written: boolean;
  /** Whether two were at one element, or at neighbours, in any round. */
  met: boolean;
  faults: Fault[];
  /** What was done, for people. */
  log: string[];
}

const ROUNDS = 3;
/** Acts of one person in a round, at most. */
const ACTS = 3;
const UNDOS = 60;
const ORDERS: Order[] = ["first", "last", "all"];
const WRITER = 2;
const LOWEST = 1_000;
const LAST = 9;

export async function run(engine: Engine, number: number, shapes = Object.keys(SHAPES)): Promise<Ran> {
  const ran = new Run(engine, number, shapes);
  try {
    await ran.whole();
  } catch (error) {
    ran.say("threw", error instanceof Error ? error.message.slice(0, 200) : String(error));
  } finally {
    await ran.close();
  }
  return ran;
}

class Run implements Ran {
  readonly shape: string;
  readonly written: boolean;
  met = false;
  readonly faults: Fault[] = [];
  readonly log: string[] = [];
  readonly #next: Random;
  readonly #fresh = new Fresh();
  readonly #order: Order;
  readonly #open: Replica[] = [];
  #people: Person[] = [];
  #start: Uint8Array = new Uint8Array();
  /** What was made since, and is known to all. */
  readonly #known: Uint8Array[] = [];
  readonly #dead = new Set<string>();
  /** Who typed a letter, and who removed it. */
  readonly #typed = new Map<string, number>();
  readonly #removed = new Map<string, number[]>();

  constructor(
    readonly engine: Engine,
    number: number,
    shapes: readonly string[],
  ) {
    this.#next = random(number);
    this.shape = shapes[this.#next(shapes.length)]!;
    this.written = this.#next(2) === 0;
    this.#order = ORDERS[this.#next(ORDERS.length)]!;
  }

  readonly say = (kind: Fault["kind"], what: string): void => void this.faults.push({ kind, what });

  async whole(): Promise<void> {
    const value = document(this.shape, this.#fresh, this.#next);
    this.#start = this.written ? await this.#write(value) : seed(value, this.engine.format);
    const ids = [0, 1, 2].map((index) => LOWEST + index);
    this.#people = await this.#join(this.#start, this.#next(2) === 0 ? ids : ids.reverse());
    for (const person of this.#people) if (!same(person.editor.children, value)) this.say("threw", "opened as another");
    this.log.push(shown(value));
    for (let round = 0; round < ROUNDS && this.faults.length === 0; round++) await this.#round();
    if (this.faults.length === 0) await this.#undo();
  }

  async close(): Promise<void> {
    for (const replica of this.#open) await replica.close();
  }

  async #join(state: Uint8Array, clientIds: readonly number[]): Promise<Person[]> {
    const joined = await this.engine.open(state, SCHEMA, clientIds);
    this.#open.push(...joined);
    for (const replica of joined) await replica.settle();
    for (const replica of joined) replica.take();
    return joined.map((replica) => new Person(replica));
  }

  async #leave(): Promise<void> {
    await this.#open.pop()!.close();
  }

  async #write(value: Descendant[]): Promise<Uint8Array> {
    const { start, divisions } = written(value);
    const [writer] = await this.#join(seed(start, this.engine.format), [WRITER]);
    const { editor } = writer!;
    for (const division of divisions) {
      Editor.withoutNormalizing(editor, () => division.forEach(editor.apply));
      await writer!.settle();
    }
    if (!same(editor.children, value)) throw new Error(`written as ${shown(editor.children)}`);
    const state = writer!.state();
    await this.#leave();
    return state;
  }

  async #round(): Promise<void> {
    const people = this.#people;
    const start = this.#see(people[0]!);
    const hot = start.blocks[this.#next(start.blocks.length)] ?? "";
    const made: Alone[] = [];
    for (const [index, person] of people.entries()) {
      const steps: Seen[] = [];
      for (let acts = 1 + this.#next(ACTS); acts > 0; acts--) {
        await this.#act(person, "abc"[index]!, hot);
        steps.push(this.#see(person));
      }
      await this.#onlooker(person);
      made.push({ steps, end: steps.at(-1)! });
    }
    const alone = made.map(({ end }) => end);
    this.met ||= meet(start, alone);
    await this.#exchange();
    const merged = this.#see(people[0]!);
    this.#agree(people[0]!.editor.children, "differ");
    const judge = new Judge(start, made, merged, this.#dead);
    this.faults.push(...judge.faults());
    this.#remember(start, alone);
    if (this.faults.length === 0) await this.#calm();
  }

  #see({ editor }: Replica): Seen {
    return new Seen(structuredClone(editor.children));
  }

  async #act(person: Person, name: string, hot: string): Promise<void> {
    const did = act(person.editor, this.#next, this.#fresh, hot);
    await person.settle();
    this.log.push(`${name} ${did}: ${shown(person.editor.children)}`);
    if (!same(person.value(), person.editor.children)) this.say("flush", `after ${did}: ${shown(person.value())}`);
  }

  /** Who has only the updates sees what their author sees. */
  async #onlooker(author: Person): Promise<void> {
    const [onlooker] = await this.#join(this.#start, [LAST]);
    // At once: what an onlooker's normalizers make of less is not the author's.
    onlooker!.hear(Y.mergeUpdates([...this.#known, ...author.made()]));
    await onlooker!.settle();
    const value = onlooker!.value();
    if (!same(value, author.editor.children)) this.say("flush", `an onlooker sees ${shown(value)}`);
    await this.#leave();
  }

  async #exchange(): Promise<void> {
    await exchange(this.#people, this.#order);
    for (const person of this.#people) this.#known.push(...person.told.splice(0));
    this.log.push(`all: ${shown(this.#people[0]!.editor.children)}`);
  }

  /** Everybody has this value, in the editor and in the document. */
  #agree(value: Descendant[], kind: Fault["kind"]): void {
    for (const person of this.#people) {
      if (!same(person.editor.children, value)) this.say(kind, `one has ${shown(person.editor.children)}`);
      if (!same(person.value(), person.editor.children)) this.say(kind, `a document has ${shown(person.value())}`);
      for (const problem of person.problems()) this.say("threw", problem);
    }
  }

  #remember(start: Seen, alone: readonly Seen[]): void {
    alone.forEach((view, person) => {
      for (const letter of view.letters.keys()) if (!start.has(letter)) this.#typed.set(letter, person);
      for (const letter of start.letters.keys()) {
        if (view.has(letter)) continue;
        this.#dead.add(letter);
        this.#removed.set(letter, [...(this.#removed.get(letter) ?? []), person]);
      }
    });
  }

  /** After a merge, what one does changes what they do, and nothing wakes up. */
  async #calm(): Promise<void> {
    const index = this.#next(this.#people.length);
    const person = this.#people[index]!;
    const before = this.#see(person);
    await this.#act(person, `${"abc"[index]}, calmly`, "");
    const value = structuredClone(person.editor.children);
    await this.#exchange();
    this.#agree(value, "calm");
    this.#remember(
      before,
      this.#people.map((each) => (each === person ? new Seen(value) : before)),
    );
  }

  /** One takes back everything: what the others did stays. */
  async #undo(): Promise<void> {
    const index = this.#next(this.#people.length);
    const person = this.#people[index]!;
    for (let times = 0; ; times++) {
      const before = structuredClone(person.editor.children);
      const said = person.undo();
      await person.settle();
      const changed = !same(before, person.editor.children);
      if (said !== changed)
        return this.say("undo", `returned ${said}, but ${changed ? "something" : "nothing"} changed`);
      if (!said) break;
      if (times === UNDOS) return this.say("undo", `returned true ${UNDOS} times`);
      this.log.push(`${"abc"[index]} undo: ${shown(person.editor.children)}`);
    }
    await this.#exchange();
    this.#agree(person.editor.children, "differ");
    const now = this.#see(person);
    for (const letter of now.doubled) this.say("undo", `${letter} is there twice`);
    for (const letter of new Set([...now.letters.keys(), ...this.#typed.keys(), ...this.#removed.keys()])) {
      const removers = this.#removed.get(letter) ?? [];
      // Removed by both: whether it comes back, is not said.
      if (removers.includes(index) && removers.some((remover) => remover !== index)) continue;
      const wanted = this.#typed.get(letter) !== index && removers.every((remover) => remover === index);
      if (now.has(letter) !== wanted) this.say("undo", `${letter} is ${wanted ? "lost" : "there"}`);
    }
  }
}

/** A replica that remembers what it has told. */
class Person implements Replica {
  readonly told: Uint8Array[] = [];
  #made: Uint8Array[] = [];

  constructor(readonly inner: Replica) {}

  get editor(): Editor {
    return this.inner.editor;
  }
  /** What it has made and not told yet. */
  made(): readonly Uint8Array[] {
    this.#made.push(...this.inner.take());
    return this.#made;
  }
  take(): Uint8Array[] {
    this.made();
    const made = this.#made;
    this.#made = [];
    this.told.push(...made);
    return made;
  }
  hear = (update: Uint8Array): void => this.inner.hear(update);
  settle = (): Promise<void> => this.inner.settle();
  value = (): Descendant[] => this.inner.value();
  state = (): Uint8Array => this.inner.state();
  problems = (): string[] => this.inner.problems();
  undo = (): boolean => this.inner.undo();
  redo = (): boolean => this.inner.redo();
  close = (): Promise<void> => this.inner.close();
}

/** Whether two changed one block of the start, or blocks beside each other. */
function meet(start: Seen, alone: readonly Seen[]): boolean {
  const touched = alone.map((view) =>
    start.blocks.flatMap((block, index) => (view.blocks.includes(block) ? [] : [index])),
  );
  return touched.some((mine, person) =>
    touched.some((theirs, other) => other > person && mine.some((at) => theirs.some((it) => Math.abs(at - it) <= 1))),
  );
}
