// From one Slate value to another by few operations: the smallest subtrees that differ are changed, the rest keeps its
// identity (and with it React's nodes and the caret). Used to mend an editor that differs from its document. Pure.
import type { Descendant, Operation, Path } from "slate";
import { equal } from "../json.js";
import { isElement, isText, properties } from "./neutral.js";

/** Operations that turn `from` into `to`, to be applied in sequence. Empty if the two are deeply equal. */
export function diff(from: readonly Descendant[], to: readonly Descendant[]): Operation[] {
  const operations: Operation[] = [];
  children([], from, to, operations);
  return operations;
}

/** Keeps the equal head and tail; of the middle, pairs what can be changed in place and replaces the rest. */
function children(path: Path, from: readonly Descendant[], to: readonly Descendant[], out: Operation[]): void {
  let head = 0;
  while (head < from.length && head < to.length && equal(from[head], to[head])) head++;
  let tail = 0;
  while (
    tail < from.length - head &&
    tail < to.length - head &&
    equal(from[from.length - 1 - tail], to[to.length - 1 - tail])
  ) {
    tail++;
  }
  const removed = from.length - head - tail;
  const inserted = to.length - head - tail;
  const paired = Math.min(removed, inserted);
  for (let i = 0; i < paired; i++) replace([...path, head + i], from[head + i]!, to[head + i]!, out);
  for (let i = removed - 1; i >= paired; i--) {
    out.push({ type: "remove_node", path: [...path, head + i], node: from[head + i]! });
  }
  for (let i = paired; i < inserted; i++) {
    out.push({ type: "insert_node", path: [...path, head + i], node: to[head + i]! });
  }
}

function replace(path: Path, from: Descendant, to: Descendant, out: Operation[]): void {
  if (isText(from) && isText(to)) {
    changeProperties(path, from, to, out);
    text(path, from.text, to.text, out);
  } else if (isElement(from) && isElement(to)) {
    changeProperties(path, from, to, out);
    children(path, from.children, to.children, out);
  } else {
    out.push({ type: "remove_node", path, node: from }, { type: "insert_node", path, node: to });
  }
}

function changeProperties(path: Path, from: Descendant, to: Descendant, out: Operation[]): void {
  const before = properties(from);
  const after = properties(to);
  const old: Record<string, unknown> = {};
  const next: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (equal(before[key], after[key])) continue;
    if (before[key] !== undefined) old[key] = before[key];
    if (after[key] !== undefined) next[key] = after[key];
  }
  if (Object.keys(old).length > 0 || Object.keys(next).length > 0) {
    out.push({ type: "set_node", path, properties: old, newProperties: next } as Operation);
  }
}

/** Replaces the differing middle; never cuts a surrogate pair. */
function text(path: Path, from: string, to: string, out: Operation[]): void {
  if (from === to) return;
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && from[head] === to[head]) head++;
  if (head > 0 && isHigh(from.charCodeAt(head - 1))) head--;
  let tail = 0;
  while (tail < shorter - head && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail++;
  if (tail > 0 && isLow(from.charCodeAt(from.length - tail))) tail--;
  const removed = from.slice(head, from.length - tail);
  const inserted = to.slice(head, to.length - tail);
  if (removed !== "") out.push({ type: "remove_text", path, offset: head, text: removed });
  if (inserted !== "") out.push({ type: "insert_text", path, offset: head, text: inserted });
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;
