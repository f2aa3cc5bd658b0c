// What must hold when people who had not heard of each other have exchanged what they did: judged by what each had alone.
//
// `start` is what all had, `alone` what each made of it, `merged` what came of it. A letter, and the number of a void, is
// in one place only; so it is known who typed, removed, moved, divided, joined, marked.
import type { Descendant } from "slate";
import { complaints, lines, show } from "../expect.mjs";
import { SCHEMA } from "./shapes.js";

export const KINDS = [
  ...["lost", "doubled", "back", "order", "place", "breaks", "joins", "kind", "shape", "marks"],
  ...["undo", "calm", "flush", "differ", "threw"],
] as const;
export type Kind = (typeof KINDS)[number];
export interface Fault {
  kind: Kind;
  what: string;
}

interface Letter {
  /** Which of the lowest blocks it is in. */
  block: number;
  /** How many letters are before it. */
  at: number;
  type: string;
  /** The types of what it is in, from the outside. */
  within: string;
  bold: boolean;
}

/** What one person made of the start. */
export interface Alone {
  /** After each act. */
  steps: readonly Seen[];
  end: Seen;
}

type Element = { type?: string; n?: number; text?: string; bold?: boolean; children?: Element[] };

/** A value, letter by letter. */
export class Seen {
  readonly letters = new Map<string, Letter>();
  readonly doubled = new Set<string>();
  /** The letters of each of the lowest blocks. */
  readonly blocks: string[];
  readonly elements: { type: string; letters: string; isVoid: boolean }[] = [];
  /** Of each number the types that have it. */
  readonly voids = new Map<number, string[]>();

  constructor(readonly value: readonly Descendant[]) {
    const found = new Map<string, { within: string; bold: boolean }>();
    const walk = (nodes: readonly Element[], within: string) => {
      for (const { type, n, text, bold, children } of nodes) {
        for (const letter of text ?? "") found.set(letter, { within, bold: bold === true });
        if (n !== undefined) this.voids.set(n, [...(this.voids.get(n) ?? []), type ?? ""]);
        if (children === undefined) continue;
        walk(children, SCHEMA.inline!.includes(type!) ? within : `${within}>${type}`);
        this.elements.push({ type: type!, letters: lettersOf(children), isVoid: n !== undefined });
      }
    };
    walk(value as readonly Element[], "");
    const rows = lines(value, SCHEMA);
    this.blocks = rows.map(({ text }) => text);
    let at = 0;
    rows.forEach(({ node, text }, block) => {
      for (const letter of text) {
        if (this.letters.has(letter)) this.doubled.add(letter);
        const type = (node as Element | null)?.type ?? "";
        this.letters.set(letter, { block, at: at++, type, ...found.get(letter)! });
      }
    });
  }

  has(letter: string): boolean {
    return this.letters.has(letter);
  }

  /** Whether these come in this order, as far as they are there. */
  inOrder(letters: string): boolean {
    const places = [...letters].flatMap((letter) => this.letters.get(letter)?.at ?? []);
    return places.every((place, index) => index === 0 || places[index - 1]! < place);
  }
}

const lettersOf = (nodes: readonly Element[]): string =>
  nodes.map(({ text, children, n }) => (n === undefined ? (text ?? lettersOf(children ?? [])) : "\uFFFC")).join("");

export class Judge {
  readonly #faults: Fault[] = [];
  readonly alone: readonly Seen[];
  readonly #views: Seen[];

  constructor(
    readonly start: Seen,
    readonly people: readonly Alone[],
    readonly merged: Seen,
    /** Letters that were removed in earlier rounds. */
    readonly dead: ReadonlySet<string>,
  ) {
    this.alone = people.map(({ end }) => end);
    this.#views = [start, ...this.alone];
  }

  faults(): Fault[] {
    this.#letters();
    this.#voids();
    this.#order();
    this.#place();
    this.#blocks();
    this.#each();
    this.#shape();
    return this.#faults;
  }

  #say(kind: Kind, what: string): void {
    this.#faults.push({ kind, what });
  }

  /** Whether somebody who had it in the beginning has it no more. */
  removed(letter: string): boolean {
    return this.start.has(letter) && this.alone.some((view) => !view.has(letter));
  }

  #letters(): void {
    const { merged, dead } = this;
    for (const letter of merged.doubled) this.#say("doubled", letter);
    for (const letter of new Set(this.#views.flatMap(({ letters }) => [...letters.keys()]))) {
      const removed = this.removed(letter);
      if (merged.has(letter) && removed) this.#say("back", letter);
      if (!merged.has(letter) && !removed) this.#say("lost", letter);
    }
    for (const letter of merged.letters.keys()) if (dead.has(letter)) this.#say("back", letter);
  }

  #voids(): void {
    const { start, alone, merged } = this;
    for (const n of new Set(this.#views.flatMap(({ voids }) => [...voids.keys()]))) {
      const removed = start.voids.has(n) && alone.some(({ voids }) => !voids.has(n));
      const types = merged.voids.get(n) ?? [];
      if (removed ? types.length > 0 : types.length !== 1) {
        this.#say("kind", `void ${n} is there ${types.length} times${removed ? ", though removed" : ""}`);
      }
    }
  }

  /** The letters of one element keep their order, unless somebody gave them another. */
  #order(): void {
    for (const view of this.#views) {
      for (const block of view.blocks) {
        const settled = this.#views.every((other) => other.inOrder(block) && this.#isWhole(other, block));
        if (settled && this.#isUndisputed(view, block) && !this.merged.inOrder(block)) this.#say("order", block);
      }
    }
  }

  /** Nobody has put a part of it into another container: then its parts have places of their own. */
  #isWhole(view: Seen, block: string): boolean {
    return new Set([...block].flatMap((letter) => view.letters.get(letter)?.within ?? [])).size <= 1;
  }

  /** What was joined here, nobody has joined to something else: only one of both can be. */
  #isUndisputed(view: Seen, block: string): boolean {
    const origins = (letters: string) => [...letters].flatMap((letter) => this.start.letters.get(letter)?.block ?? []);
    const own = new Set(origins(block));
    return this.#views.every((other) =>
      other === view
        ? true
        : [...block].every((letter) => {
            const there = other.letters.get(letter);
            return (
              there === undefined || own.size < 2 || origins(other.blocks[there.block]!).every((each) => own.has(each))
            );
          }),
    );
  }

  /** How often one divided where another did: two breaks have an empty line between them, also where a letter beside them is removed later. */
  #dividedTwice(): number {
    let twice = 0;
    for (const block of this.start.blocks) {
      [...block].slice(1).forEach((letter, index) => {
        const pair = [[...block][index]!, letter] as const;
        const divided = (view: Seen) => pair.every((each) => view.has(each)) && isApart(view, pair);
        const times = this.people.filter(({ steps }) => steps.some(divided)).length;
        twice += Math.max(0, times - 1);
      });
    }
    return twice;
  }

  /** Letters beside each other in one block, as far as nobody removed one of both. */
  #pairs(): [string, string][] {
    const { start, merged } = this;
    const isThere = (letter: string) => merged.has(letter) && !this.removed(letter);
    return start.blocks.flatMap((block) =>
      [...block].flatMap((letter, index): [string, string][] => {
        const next = block[index + 1];
        return next !== undefined && isThere(letter) && isThere(next) ? [[letter, next]] : [];
      }),
    );
  }

  /** No shape that nobody had. What one has put around letters, or divided off, another may have emptied. */
  #shape(): void {
    const { start, alone, merged, people } = this;
    const had = [start, ...people.flatMap(({ steps }) => steps)].map(({ value }) => value);
    for (const what of complaints(merged.value, {}, had, SCHEMA)) {
      if (!what.startsWith("an empty ")) this.#say("shape", what);
    }
    const twice = this.#dividedTwice();
    const empty = (view: Seen, type: string) =>
      view.elements.filter((each) => each.type === type && each.letters === "");
    for (const type of new Set(merged.elements.filter(({ isVoid }) => !isVoid).map((each) => each.type))) {
      const before = empty(start, type).length;
      let allowed = before + twice;
      for (const view of alone) {
        const own = view.elements.filter((each) => each.type === type && each.letters !== "");
        const emptied = own.filter(({ letters }) => ![...letters].some((letter) => merged.has(letter)));
        allowed += Math.max(0, empty(view, type).length - before) + emptied.length;
      }
      const count = empty(merged, type).length;
      if (count > allowed) this.#say("shape", `${count} empty ${type}, of which ${allowed} are somebody's`);
    }
  }

  /** What was typed stands beside what it was typed beside, but for what others typed there. */
  #place(): void {
    const { start, merged } = this;
    const text = (view: Seen) => [...view.letters.keys()];
    const old = text(merged).filter((letter) => start.has(letter) && !this.removed(letter));
    const rank = new Map(old.map((letter, index) => [letter, index]));
    const behind = new Map<string, number>();
    let count = 0;
    for (const letter of text(merged)) {
      behind.set(letter, count);
      if (rank.has(letter)) count++;
    }
    for (const view of this.alone) {
      for (const block of view.blocks) {
        [...block].forEach((letter, index) => {
          if (start.has(letter) || !merged.has(letter)) return;
          const left = [...block.slice(0, index)].reverse().find((other) => start.has(other));
          const right = [...block.slice(index + 1)].find((other) => start.has(other));
          const [before, after] = [rank.get(left ?? ""), rank.get(right ?? "")];
          if (before === undefined && after === undefined) return;
          const place = behind.get(letter)!;
          if (before !== place - 1 && after !== place) this.#say("place", `${letter} in ${block}`);
        });
      }
    }
  }

  /** Two letters beside each other are divided exactly if somebody has divided them. */
  #blocks(): void {
    for (const pair of this.#pairs()) {
      const wanted = this.alone.some((view) => isApart(view, pair));
      if (wanted && !isApart(this.merged, pair)) this.#say("breaks", `between ${pair.join("|")}`);
      if (!wanted && isApart(this.merged, pair)) this.#say("joins", `${pair.join("|")} divided by nobody`);
    }
  }

  /** The kind of block, and bold: what all agree on, or what one of those has made of it who changed it. */
  #each(): void {
    const { start, people, merged } = this;
    for (const [letter, { type, bold }] of merged.letters) {
      const was = start.letters.get(letter);
      const changed = <K extends "type" | "bold">(key: K) => {
        const made = people.flatMap(({ steps, end }) => {
          const touched = steps.some((step) => step.has(letter) && step.letters.get(letter)![key] !== was?.[key]);
          return touched && end.has(letter) ? [end.letters.get(letter)![key]] : [];
        });
        return made.length > 0 ? made : was === undefined ? [] : [was[key]];
      };
      const types = changed("type");
      if (types.length > 0 && !types.includes(type)) this.#say("kind", `${letter} is in a ${type}, not ${types}`);
      // Whether what is typed into a range becomes what another makes of the range, is not said.
      if (was !== undefined && !changed("bold").includes(bold))
        this.#say("marks", `${letter} is ${bold ? "" : "not "}bold`);
    }
  }
}

const isApart = (view: Seen, [one, two]: readonly [string, string]): boolean =>
  view.letters.get(one)!.block !== view.letters.get(two)!.block;

/** In one line. */
export const shown = (value: readonly Descendant[]): string => show(value, SCHEMA);
