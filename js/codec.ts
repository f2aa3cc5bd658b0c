// Slate nodes, operations and ranges as flat numbers and one string: the JavaScript half of `src/codec`, which
// describes the format. Encoding checks everything, because what an application passes may be anything; decoding
// trusts the engine.
import type { Descendant, Operation, Path, Point, Range } from "slate";
import type { BatchMaxima, OperationTags, ValueTags } from "../pkg/slate_yrs.js";
import { CollabError } from "./errors.js";

/** Structure in `words`, characters in `text`. */
export interface Batch {
  words: Uint32Array;
  text: string;
}

/** A Slate operation that changes the document: all but `set_selection`. */
export type DocumentOperation = Exclude<Operation, { type: "set_selection" }>;

type Properties = Record<string, unknown>;

// The numbers are the engine's: the module declares the types.
const MAX: BatchMaxima = { depth: 200, payload: 0x1fff_ffff };

const VALUES: ValueTags = { null: 0, false: 1, true: 2, string: 3, integer: 4, float: 5, json: 6 };

const TAGS: OperationTags = {
  insert_text: 0,
  remove_text: 1,
  insert_node: 2,
  remove_node: 3,
  set_node: 4,
  split_node: 5,
  merge_node: 6,
  move_node: 7,
};

/** The switches below have a case for each tag: one that is missing does not compile. */
function unknown(tag: never): never {
  throw new CollabError("protocol", `${String(tag)} is no known tag`);
}

const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

/** Throws unless `value` is an index or offset: a whole number from 0 to 2³² - 1. */
export function checkIndex(value: unknown): number {
  if (typeof value === "number" && value >>> 0 === value) return value;
  throw new CollabError("protocol", `${String(value)} is no index`);
}

function checkPath(path: unknown): Path {
  if (!Array.isArray(path) || path.length > MAX.depth) {
    throw new CollabError("protocol", "a path must be an array of indices");
  }
  for (let at = 0; at < path.length; at += 1) checkIndex(path[at]);
  return path;
}

/** Throws unless `value` is a string. */
export function checkString(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new CollabError("protocol", `${what} must be a string`);
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * UTF-8, which updates are made of, has no halves of surrogate pairs: each becomes one U+FFFD, as everywhere on the web.
 */
export function wellFormed(text: string): string {
  const { toWellFormed } = text as { toWellFormed?: () => string };
  // Browsers have it since 2023, and much quicker.
  if (toWellFormed !== undefined) return toWellFormed.call(text);
  return LONE_SURROGATE.test(text) ? text.replace(LONE_SURROGATES, "\ufffd") : text;
}
const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;

class Encoder {
  readonly words: number[] = [];
  #text = "";
  #keys = new Map<string, number>();

  batch(): Batch {
    return { words: Uint32Array.from(this.words), text: this.#text };
  }

  #string(text: string): number {
    const whole = wellFormed(text);
    this.#text += whole;
    return whole.length;
  }

  path(path: unknown): void {
    const checked = checkPath(path);
    this.words.push(checked.length, ...checked);
  }

  point(point: unknown): void {
    if (!isObject(point)) throw new CollabError("protocol", "a point must have a path and an offset");
    this.path(point.path);
    this.words.push(checkIndex(point.offset));
  }

  /** Undefined values do not count: Slate leaves them in nodes now and then, JSON has none. */
  properties(value: unknown): void {
    if (value === undefined || value === null) {
      this.words.push(0);
      return;
    }
    if (!isObject(value)) throw new CollabError("protocol", "properties must be an object");
    const keys = propertyKeys(value);
    this.words.push(keys.length);
    this.#entries(value, keys);
  }

  #entries(value: Properties, keys: string[]): void {
    for (const key of keys) {
      this.#key(key);
      this.#value(value[key]);
    }
  }

  #key(key: string): void {
    const known = this.#keys.get(key);
    if (known !== undefined) {
      this.words.push(known);
      return;
    }
    this.words.push(this.#keys.size, this.#string(key));
    this.#keys.set(key, this.#keys.size);
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.words.push(VALUES.string | (this.#string(value) << 3));
        return;
      case "boolean":
        this.words.push(value ? VALUES.true : VALUES.false);
        return;
      case "number":
        this.#number(value);
        return;
      case "object":
        if (value === null) this.words.push(VALUES.null);
        else this.words.push(VALUES.json | (this.#string(json(value)) << 3));
        return;
      default:
        throw new CollabError("protocol", `a property cannot be a ${typeof value}`);
    }
  }

  #number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value <= MAX.payload && !Object.is(value, -0)) {
      this.words.push(VALUES.integer | (value << 3));
    } else if (Number.isFinite(value)) {
      float[0] = value;
      this.words.push(VALUES.float, floatWords[0]!, floatWords[1]!);
    } else {
      this.words.push(VALUES.null);
    }
  }

  /** `isNew`: it is put into the document, where marks need a name; what is there may have come without. */
  node(node: unknown, isNew: boolean, depth = 0): void {
    if (depth > MAX.depth) throw new CollabError("protocol", `nodes are nested deeper than ${MAX.depth}`);
    if (!isObject(node)) throw new CollabError("protocol", "a node must be an object");
    const keys = propertyKeys(node);
    if (typeof node.text === "string") {
      if (isNew) checkNames(keys);
      this.words.push(keys.length << 1, this.#string(node.text));
      this.#entries(node, keys);
    } else if (Array.isArray(node.children)) {
      this.words.push(1 | (keys.length << 1), node.children.length);
      this.#entries(node, keys);
      for (const child of node.children) this.node(child, isNew, depth + 1);
    } else {
      throw new CollabError("protocol", "a node must have a text or children");
    }
  }

  operation(operation: unknown): void {
    if (!isObject(operation)) throw new CollabError("protocol", "an operation must be an object");
    const type = String(operation.type);
    if (!Object.hasOwn(TAGS, type)) throw new CollabError("protocol", `${type} is no operation`);
    const tag = TAGS[type as keyof OperationTags];
    this.words.push(tag);
    this.path(operation.path);
    switch (tag) {
      case TAGS.insert_text:
      case TAGS.remove_text:
        this.words.push(checkIndex(operation.offset), this.#string(checkString(operation.text, "text")));
        return;
      case TAGS.insert_node:
      case TAGS.remove_node:
        this.node(operation.node, tag === TAGS.insert_node);
        return;
      case TAGS.set_node:
        this.properties(operation.properties);
        if (isObject(operation.newProperties)) checkNames(propertyKeys(operation.newProperties));
        this.properties(operation.newProperties);
        return;
      case TAGS.split_node:
      case TAGS.merge_node:
        this.words.push(checkIndex(operation.position));
        this.properties(operation.properties);
        return;
      case TAGS.move_node:
        this.path(operation.newPath);
        return;
      default:
        unknown(tag);
    }
  }
}

/** `text` and `children` are Slate's own. */
function propertyKeys(value: Properties): string[] {
  return Object.keys(value).filter((key) => key !== "text" && key !== "children" && value[key] !== undefined);
}

function checkNames(keys: readonly string[]): void {
  if (keys.includes("")) throw new CollabError("protocol", "a property must have a name");
}

function json(value: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
    // Halves of surrogate pairs are written as escapes, which strict readers refuse.
    if (text?.includes("\\ud"))
      text = JSON.stringify(value, (_, part) => (typeof part === "string" ? wellFormed(part) : part));
  } catch (error) {
    throw new CollabError("protocol", "a property is not JSON", { cause: error });
  }
  return text ?? "null";
}

/** One operation. Throws a CollabError if it is none. */
export function encodeOperation(operation: Operation): Batch {
  const encoder = new Encoder();
  encoder.operation(operation);
  return encoder.batch();
}

/** Several operations. */
export function encodeOperations(operations: readonly Operation[]): Batch {
  const encoder = new Encoder();
  for (const operation of operations) encoder.operation(operation);
  return encoder.batch();
}

/** A value: the editor's children. `isNew`: it is put into a document. */
export function encodeNodes(nodes: readonly Descendant[], isNew = false): Batch {
  if (!Array.isArray(nodes)) throw new CollabError("protocol", "a value must be an array of nodes");
  const encoder = new Encoder();
  for (const node of nodes) encoder.node(node, isNew);
  return encoder.batch();
}

/** A selection, empty for none. */
export function encodeRange(range: Range | null): Uint32Array {
  if (range === null || range === undefined) return new Uint32Array();
  const encoder = new Encoder();
  encoder.point(range.anchor);
  encoder.point(range.focus);
  return encoder.batch().words;
}

class Decoder {
  #words: Uint32Array | Float64Array;
  #text: string;
  #at = 0;
  #textAt = 0;
  #keys: string[] = [];

  constructor(words: Uint32Array | Float64Array, text: string) {
    this.#words = words;
    this.#text = text;
  }

  get done(): boolean {
    return this.#at >= this.#words.length;
  }

  #word(): number {
    return this.#words[this.#at++]!;
  }

  #string(units: number): string {
    const start = this.#textAt;
    this.#textAt = start + units;
    return this.#text.slice(start, this.#textAt);
  }

  path(): number[] {
    const length = this.#word();
    const path: number[] = [];
    for (let at = 0; at < length; at += 1) path.push(this.#word());
    return path;
  }

  point(): Point {
    const path = this.path();
    return { path, offset: this.#word() };
  }

  #properties(count: number, into: Properties): Properties {
    for (let at = 0; at < count; at += 1) {
      const index = this.#word();
      if (index === this.#keys.length) this.#keys.push(this.#string(this.#word()));
      const key = this.#keys[index]!;
      const value = this.#value();
      // Assigning this one would set the prototype.
      if (key === "__proto__") {
        Object.defineProperty(into, key, { value, configurable: true, enumerable: true, writable: true });
      } else into[key] = value;
    }
    return into;
  }

  #value(): unknown {
    const word = this.#word();
    const payload = word >>> 3;
    const tag = (word & 7) as ValueTags[keyof ValueTags];
    switch (tag) {
      case VALUES.null:
        return null;
      case VALUES.false:
        return false;
      case VALUES.true:
        return true;
      case VALUES.string:
        return this.#string(payload);
      case VALUES.integer:
        return payload;
      case VALUES.float:
        floatWords[0] = this.#word();
        floatWords[1] = this.#word();
        return float[0];
      case VALUES.json:
        return JSON.parse(this.#string(payload));
      default:
        return unknown(tag);
    }
  }

  node(): Descendant {
    const head = this.#word();
    const size = this.#word();
    const count = head >>> 1;
    if ((head & 1) === 0) {
      const leaf = { text: this.#string(size) };
      if (count > 0) this.#properties(count, leaf);
      return leaf;
    }
    const element: Properties = {};
    this.#properties(count, element);
    const children: Descendant[] = [];
    element.children = children;
    for (let at = 0; at < size; at += 1) children.push(this.node());
    return element as unknown as Descendant;
  }

  operation(): DocumentOperation {
    const tag = this.#word() as OperationTags[keyof OperationTags];
    const path = this.path();
    switch (tag) {
      case TAGS.insert_text:
      case TAGS.remove_text: {
        const offset = this.#word();
        const text = this.#string(this.#word());
        return { type: tag === TAGS.insert_text ? "insert_text" : "remove_text", path, offset, text };
      }
      case TAGS.insert_node:
        return { type: "insert_node", path, node: this.node() };
      case TAGS.remove_node:
        return { type: "remove_node", path, node: this.node() };
      case TAGS.set_node: {
        const properties = this.#properties(this.#word(), {});
        return { type: "set_node", path, properties, newProperties: this.#properties(this.#word(), {}) };
      }
      case TAGS.split_node:
      case TAGS.merge_node: {
        const position = this.#word();
        const properties = this.#properties(this.#word(), {});
        return { type: tag === TAGS.split_node ? "split_node" : "merge_node", path, position, properties };
      }
      case TAGS.move_node:
        return { type: "move_node", path, newPath: this.path() };
      default:
        return unknown(tag);
    }
  }
}

/** What `encodeNodes` made. */
export function decodeNodes(words: Uint32Array, text: string): Descendant[] {
  const decoder = new Decoder(words, text);
  const nodes: Descendant[] = [];
  while (!decoder.done) nodes.push(decoder.node());
  return nodes;
}

/** What `encodeOperations` made. */
export function decodeOperations(words: Uint32Array, text: string): DocumentOperation[] {
  const decoder = new Decoder(words, text);
  const operations: DocumentOperation[] = [];
  while (!decoder.done) operations.push(decoder.operation());
  return operations;
}

/** What `encodeRange` made. */
export function decodeRange(words: Uint32Array | Float64Array): Range | null {
  if (words.length === 0) return null;
  const decoder = new Decoder(words, "");
  return { anchor: decoder.point(), focus: decoder.point() };
}
