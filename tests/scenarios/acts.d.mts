import type { Editor } from "slate";

/** One call of Slate, as the files have it: `do` names it, the rest are its arguments. */
export interface Act {
  do: string;
  acts?: Act[];
  [argument: string]: unknown;
}

/** What an editor says of element types. */
export interface Schema {
  inline?: string[];
  void?: string[];
  /** Types in which a normalizer wraps bare text in `{ type: "p" }`. */
  blocksOnly?: string[];
}

export function perform(editor: Editor, act: Act): unknown;
export function withSchema<T extends Editor>(editor: T, schema?: Schema): T;
