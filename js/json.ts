// JSON values: written, compared, and frozen.
import { CollabError } from "./errors.js";

/** As JSON, or a CollabError. `replacer`: as `JSON.stringify` takes one. */
export function toJson(value: unknown, what: string, replacer?: (key: string, part: unknown) => unknown): string {
  try {
    const json = JSON.stringify(value, replacer);
    if (typeof json === "string") return json;
  } catch (error) {
    throw new CollabError("protocol", `${what} is not JSON`, { cause: error });
  }
  throw new CollabError("protocol", `${what} is not JSON`);
}

/** Deep equality of JSON values. A missing key and `undefined` are one thing, as JSON has it. */
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => equal(item, b[index]));
  }
  return equalObjects(a as Record<string, unknown>, b as Record<string, unknown>);
}

function equalObjects(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  for (const key of Object.keys(a)) if (!equal(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}

/** The same value, which nobody can change any more. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
