// Which lines of the page are marked as revised, and how: the sets of the script, and whether all are marked.
import { createContext } from "react";
import type { MarksOf } from "../script/revisions.ts";
import type { RevisionSet } from "../script/types.ts";

export interface RevisionLook {
  sets: readonly RevisionSet[];
  marks: MarksOf;
}

export const RevisionContext = createContext<RevisionLook>({ sets: [], marks: "newest" });
