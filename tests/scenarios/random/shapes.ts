// Random documents: each letter is in one place only, each void has a number of its own.
import type { Descendant } from "slate";
import { type Random, random } from "../../interop/random.js";
import type { Schema } from "../acts.mjs";

export { type Random, random };

export const SCHEMA: Schema = { inline: ["a", "comment", "mention"], void: ["image", "mention"] };

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
  const line = (kind = "p") => make(kind, [{ text: fresh.text(1 + next(4)) }]);
  switch (type) {
    case "li":
    case "td":
    case "column":
      return make(type, [line()]);
    case "tr":
      return make(type, [make("td", [line()]), make("td", [line()])]);
    case "speech":
      return make(type, [line("character"), line("dialogue")]);
    case "image":
    case "mention":
      return make(type, [{ text: "" }], { n: fresh.number() });
    default:
      return line(type);
  }
}

type Shape = (fresh: Fresh, next: Random) => Descendant[];

const several = (count: number, one: () => Descendant): Descendant[] => Array.from({ length: count }, one);

function list(fresh: Fresh, next: Random, depth: number): Descendant {
  return make(
    "ul",
    several(2 + next(2), () => {
      const item = like("li", fresh, next) as { children: Descendant[] };
      if (depth > 0 && next(3) === 0) item.children.push(list(fresh, next, depth - 1));
      return item as Descendant;
    }),
  );
}

/** By name: what a document is made of, between two plain lines. */
export const SHAPES: Record<string, Shape> = {
  flat: (fresh, next) => several(2 + next(3), () => like("p", fresh, next)),
  lists: (fresh, next) => [list(fresh, next, 2)],
  tables: (fresh, next) => [
    make(
      "table",
      several(2 + next(2), () => like("tr", fresh, next)),
    ),
  ],
  columns: (fresh, next) => [
    make(
      "columns",
      several(2, () =>
        make(
          "column",
          several(1 + next(2), () => like("p", fresh, next)),
        ),
      ),
    ),
  ],
  quotes: (fresh, next) => [
    make("q", [like("p", fresh, next), make("q", [like("p", fresh, next)]), like("p", fresh, next)]),
  ],
  inlines: (fresh, next) =>
    several(2, () => {
      const text = () => ({ text: fresh.text(1 + next(3)) });
      return make("p", [text(), make("a", [text(), make("comment", [text()]), text()]), text()]);
    }),
  voids: (fresh, next) => [
    like("image", fresh, next),
    make("p", [{ text: fresh.text(2) }, like("mention", fresh, next), { text: fresh.text(2) }]),
    like("image", fresh, next),
  ],
  screenplay: (fresh, next) => [
    like("heading", fresh, next),
    like("action", fresh, next),
    make("dual", [like("speech", fresh, next), like("speech", fresh, next)]),
  ],
};

export function document(shape: string, fresh: Fresh, next: Random): Descendant[] {
  return [like("p", fresh, next), ...SHAPES[shape]!(fresh, next), like("p", fresh, next)];
}
