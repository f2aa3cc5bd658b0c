// Random documents, of the shapes that `tests/shapes.json` describes: each letter is in one place only, each void has a
// number of its own. How a description is read: `tests/oracle/src/shapes.rs`.
import { readFileSync } from "node:fs";
import type { Descendant } from "slate";
import { type Random, random } from "../../interop/random.js";
import type { Schema } from "../acts.mjs";

export { type Random, random };

type Form =
  | string
  | { kind: string; children: Form[] }
  | { kind: string; behind: Form }
  | { letters: [number, number] }
  | { from: number; to: number; of: Form }
  | { part: string; oneIn?: number; deep?: number };

type Described = Schema & {
  /** What a block of a kind has in it where it is no line of text. */
  kinds: Record<string, string[]>;
  parts: Record<string, Form>;
  shapes: Record<string, Form[]>;
};

const DESCRIBED: Described = JSON.parse(readFileSync(new URL("../../shapes.json", import.meta.url), "utf8"));

export const SCHEMA: Schema = { inline: DESCRIBED.inline, void: DESCRIBED.void };

/** By name: what a document is made of, between two plain lines. */
export const SHAPES = DESCRIBED.shapes;

/** Letters and numbers that were not there before. */
export class Fresh {
  #letters = 0x4e00;
  #numbers = 0;

  letter(): string {
    return String.fromCodePoint(this.#letters++);
  }

  text(length: number): string {
    return Array.from({ length }, () => this.letter()).join("");
  }

  number(): number {
    return ++this.#numbers;
  }
}

const make = (type: string, children: unknown[], props: object = {}): Descendant =>
  ({ type, ...props, children }) as unknown as Descendant;

/** What every act can put in: a block of the same kind as a neighbour. */
export function like(type: string, fresh: Fresh, next: Random): Descendant {
  const kinds = DESCRIBED.kinds[type];
  if (kinds === undefined) return make(type, [{ text: fresh.text(1 + next(4)) }]);
  if (kinds.length === 0) return make(type, [{ text: "" }], { n: fresh.number() });
  return make(
    type,
    kinds.map((kind) => like(kind, fresh, next)),
  );
}

/** `deep`: in how many parts it stands. */
function draw(form: Form, fresh: Fresh, next: Random, deep = 0): Descendant[] {
  const between = (from: number, to: number) => (from === to ? from : from + next(to - from + 1));
  if (typeof form === "string") return [like(form, fresh, next)];
  if ("letters" in form) return [{ text: fresh.text(between(...form.letters)) } as Descendant];
  if ("of" in form) {
    return Array.from({ length: between(form.from, form.to) }, () => draw(form.of, fresh, next, deep)).flat();
  }
  if ("part" in form) {
    const { part, oneIn, deep: most } = form;
    if ((most !== undefined && deep >= most) || (oneIn !== undefined && next(oneIn) !== 0)) return [];
    return draw(DESCRIBED.parts[part]!, fresh, next, deep + (oneIn === undefined ? 0 : 1));
  }
  if ("behind" in form) {
    const node = like(form.kind, fresh, next) as { children: Descendant[] };
    node.children.push(...draw(form.behind, fresh, next, deep));
    return [node as Descendant];
  }
  const children = form.children.flatMap((child) => draw(child, fresh, next, deep));
  return [make(form.kind, children)];
}

export function document(shape: string, fresh: Fresh, next: Random): Descendant[] {
  const forms = SHAPES[shape]!;
  return [like("p", fresh, next), ...forms.flatMap((form) => draw(form, fresh, next)), like("p", fresh, next)];
}
