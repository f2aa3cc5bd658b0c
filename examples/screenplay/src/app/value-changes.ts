// What has changed beside the text, in words for the writer: the name, the title page, revision sets.
import type { ValueChange } from "slate-yrs";
import { isRevisionSet } from "../script/revisions.ts";

export interface SaidChange {
  what: string;
  before: string | null;
  after: string | null;
}

/** What is no value of this editor (other programs may keep some) is told by its map and key. */
export function saidChanges(changes: readonly ValueChange[]): SaidChange[] {
  return changes.map(({ map, key, before, after }) => ({
    what: nameOf(map, key, after ?? before),
    before: textOf(before),
    after: textOf(after),
  }));
}

function nameOf(map: string, key: string, value: unknown): string {
  if (map === "settings" && key === "title") return "Name of the script";
  if (map === "title") return `Title page, ${fieldOf(value, "name") ?? key}`;
  if (map === "revisions" && isRevisionSet(value)) return `Revision set ${value.id}`;
  return `${map}, ${key}`;
}

function textOf(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === "string") return value;
  if (isRevisionSet(value)) {
    const { name, date, color, mark, open } = value;
    return [name, date, color, mark, open ? "open" : "closed"].filter((part) => part !== "").join(", ");
  }
  return fieldOf(value, "text") ?? JSON.stringify(value);
}

function fieldOf(value: unknown, name: string): string | null {
  if (typeof value !== "object" || value === null || !(name in value)) return null;
  const text = (value as Record<string, unknown>)[name];
  return typeof text === "string" ? text : null;
}
