// Values beside the text: what a map has is kept here as it was told, so that reading it asks nobody.
import { checkString, wellFormed } from "./codec.js";
import { CollabError } from "./errors.js";
import { Emitter } from "./events.js";
import { deepFreeze, equal, toJson } from "./json.js";
import type { Json, Origin, SharedMap, SharedMapChange } from "./types.js";

const MAX_NAME = 200;
const MAX_KEY = 1_000;
const MAX_VALUE_BYTES = 256 * 1024;

/** Roots of the engine's own have names that begin so. */
const OWN = "slate-yrs:";

/** The map that holds comments. */
export const COMMENTS = `${OWN}comments`;

/** What a map uses of the document it is in. Throws a CollabError where that is closed, or may only be read. */
export interface MapHome {
  follow(name: string): void;
  set(name: string, key: string, json: string | undefined, undo: boolean): void;
}

/** As the engine tells it: `[key]` is gone. */
type ToldEntry = [key: string, value?: Json];

export class SharedValues<T> implements SharedMap<T> {
  readonly #name: string;
  readonly #home: MapHome;
  readonly #events = new Emitter<{ change: SharedMapChange }>();
  readonly #values = new Map<string, T>();
  #snapshot: ReadonlyMap<string, T> | null = null;

  constructor(name: string, home: MapHome) {
    this.#name = name;
    this.#home = home;
  }

  get(key: string): T | undefined {
    return this.#values.get(wellFormed(checkString(key, "a key")));
  }

  set(key: string, value: T, { undo = true }: { undo?: boolean } = {}): void {
    const own = keyOf(key);
    this.#home.set(this.#name, own, jsonOf(value), undo);
  }

  delete(key: string): void {
    this.#home.set(this.#name, keyOf(key), undefined, true);
  }

  entries(): ReadonlyMap<string, T> {
    this.#snapshot ??= new Map(this.#values);
    return this.#snapshot;
  }

  on(listener: (change: SharedMapChange) => void): () => void {
    if (typeof listener !== "function") throw new CollabError("protocol", "a listener must be a function");
    return this.#events.on("change", listener);
  }

  /** Asks the engine for all, and for what changes. */
  follow(): void {
    this.#home.follow(this.#name);
  }

  /** What the engine tells. `whole`: these are all the keys there are. */
  receive(json: string, whole: boolean, origin: Origin): void {
    const entries = JSON.parse(json) as ToldEntry[];
    if (whole) {
      const there = new Set(entries.map(([key]) => key));
      for (const key of this.#values.keys()) if (!there.has(key)) entries.push([key]);
    }
    const keys = entries.filter((entry) => this.#take(entry)).map(([key]) => key);
    if (keys.length === 0) return;
    this.#snapshot = null;
    this.#events.emit("change", { keys: Object.freeze(keys), origin });
  }

  /** Whether that is something else than before. */
  #take(entry: ToldEntry): boolean {
    const [key, value] = entry;
    if (entry.length === 1) return this.#values.delete(key);
    if (this.#values.has(key) && equal(this.#values.get(key), value)) return false;
    // Shared by all who read it.
    this.#values.set(key, deepFreeze(value) as T);
    return true;
  }
}

/** The name of a map of the application's. `root`: where the text is. */
export function mapName(name: unknown, root: string): string {
  const text = wellFormed(checkString(name, "the name of a map"));
  if (text.length === 0 || text.length > MAX_NAME) {
    throw new CollabError("protocol", `the name of a map has 1 to ${MAX_NAME} characters`);
  }
  if (text === root) throw new CollabError("protocol", `${text} is where the document's text is`);
  if (text.startsWith(OWN)) throw new CollabError("protocol", `names that begin with ${OWN} are the engine's`);
  return text;
}

function keyOf(key: unknown): string {
  const text = wellFormed(checkString(key, "a key"));
  if (text.length <= MAX_KEY) return text;
  throw new CollabError("too-large", `a key has at most ${MAX_KEY} characters`);
}

function jsonOf(value: unknown): string {
  const json = toJson(value, "the value", (_, part) => (typeof part === "string" ? wellFormed(part) : part));
  const isLarge = json.length * 3 > MAX_VALUE_BYTES && new TextEncoder().encode(json).length > MAX_VALUE_BYTES;
  if (isLarge) throw new CollabError("too-large", `a value has at most ${MAX_VALUE_BYTES} bytes as JSON`);
  return json;
}
