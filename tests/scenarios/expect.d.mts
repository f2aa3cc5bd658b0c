import type { Descendant } from "slate";
import type { Schema } from "./acts.mjs";

/** What has to come out; each key is a check of its own. See README.md. */
export interface Expect {
  value?: Descendant[];
  exact?: boolean;
  oneOf?: Descendant[][];
  letters?: string;
  gone?: string;
  has?: string[];
  hasNot?: string[];
  order?: string[];
  place?: { text: string; after?: string; before?: string }[];
  together?: [string, string][];
  apart?: [string, string][];
  lines?: string[];
  kinds?: { type: string; text?: string; in?: string; count?: number; props?: object }[];
  marks?: { text: string; marks?: object; without?: string[]; among?: object }[];
  silent?: string[];
  noShape?: boolean;
}

/** Up to empty leaves, neighbouring leaves with equal marks, and `data`. */
export function same(a: readonly Descendant[], b: readonly Descendant[]): boolean;
/** To the leaf. */
export function identical(a: readonly Descendant[], b: readonly Descendant[]): boolean;
/** A value in one line. */
export function show(value: readonly Descendant[], schema?: Schema): string;
/** All text, without what stands between. */
export function string(value: readonly Descendant[]): string;
/** The lowest blocks with their text. */
export function lines(value: readonly Descendant[], schema?: Schema): { node: Descendant | null; text: string }[];
/** What is wrong with a value. `had`: the start, and what each person had before hearing of the others. */
export function complaints(
  value: readonly Descendant[],
  expect: Expect,
  had: readonly (readonly Descendant[])[],
  schema?: Schema,
): string[];
