// Revision sets: what is changed in a script after it was given out, on paper of one colour for each set. Pure.
import { REVISION_COLORS, type RevisionColor, type RevisionSet } from "./types.ts";

/** What `color` looks like: as paper, and as a mark on the page. */
export const PAPERS: Record<RevisionColor, { paper: string; mark: string }> = {
  white: { paper: "#ffffff", mark: "#595959" },
  blue: { paper: "#cfe2f8", mark: "#1d4ed8" },
  pink: { paper: "#fbd3e4", mark: "#be185d" },
  yellow: { paper: "#fdf6b2", mark: "#8a6100" },
  green: { paper: "#cdeecf", mark: "#15803d" },
  goldenrod: { paper: "#f6d98a", mark: "#92590a" },
  buff: { paper: "#f3e2c3", mark: "#7c5a2b" },
  salmon: { paper: "#fcc9b6", mark: "#b3391b" },
  cherry: { paper: "#f4a9b0", mark: "#9f1239" },
};

const LONGEST = 80;

export function isRevisionSet(value: unknown): value is RevisionSet {
  if (typeof value !== "object" || value === null) return false;
  const { id, color, name, date, mark, open } = value as Record<keyof RevisionSet, unknown>;
  return (
    typeof id === "number" &&
    Number.isInteger(id) &&
    id > 0 &&
    (REVISION_COLORS as readonly unknown[]).includes(color) &&
    [name, date, mark].every((text) => typeof text === "string" && text.length <= LONGEST) &&
    typeof open === "boolean"
  );
}

/** Those of a map of values, in their order; what is none is passed over. */
export function setsOf(values: ReadonlyMap<string, unknown>): RevisionSet[] {
  return [...values]
    .filter((entry): entry is [string, RevisionSet] => isRevisionSet(entry[1]) && keyOf(entry[1]) === entry[0])
    .map(([, set]) => set)
    .sort((a, b) => a.id - b.id);
}

/** The same for all who begin the same set. */
export const keyOf = ({ id }: { id: number }): string => `set ${id}`;

/** The last one, if it is open: what is written now belongs to it. `null`: to none. */
export function openSet(sets: readonly RevisionSet[]): RevisionSet | null {
  const last = sets.at(-1);
  return last?.open ? last : null;
}

/** White is the script as it was given out first; behind cherry white comes again. */
export function nextSet(sets: readonly RevisionSet[], today: Date): RevisionSet {
  const id = (sets.at(-1)?.id ?? 0) + 1;
  const color = REVISION_COLORS[id % REVISION_COLORS.length] as RevisionColor;
  return {
    id,
    color,
    name: nameOf(color, Math.floor(id / REVISION_COLORS.length)),
    date: dateOf(today),
    mark: "*",
    open: true,
  };
}

const nameOf = (color: RevisionColor, round: number): string => {
  const name = color.charAt(0).toUpperCase() + color.slice(1);
  return round === 0 ? `${name} Rev.` : `${round + 1}${["nd", "rd"][round - 1] ?? "th"} ${name} Rev.`;
};

/** As American productions write it: 5/12/26. */
const dateOf = (day: Date): string => `${day.getMonth() + 1}/${day.getDate()}/${String(day.getFullYear()).slice(-2)}`;

/** What stands at the top of a page on which this set was the last to change something. */
export function headerOf(sets: readonly RevisionSet[], revision: number | undefined): string {
  const set = revision === undefined ? undefined : sets.find(({ id }) => id === revision);
  return set ? `${set.name} ${set.date}`.trim() : "";
}

/** Which sets are marked: the newest, or all. */
export type MarksOf = "newest" | "all";

/** What stands beside a line that was changed in a set; `null`: nothing. */
export function markOf(sets: readonly RevisionSet[], revision: number, marks: MarksOf): RevisionSet | null {
  const set = sets.find(({ id }) => id === revision);
  return set && (marks === "all" || set === sets.at(-1)) ? set : null;
}
