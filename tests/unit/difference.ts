// The engine's way from one value to another, without a document.
import { readFileSync } from "node:fs";
import type { Descendant, Operation } from "slate";
import * as wasm from "../../dist/wasm.js";
import { decodeOperations, encodeNodes } from "../../js/codec.js";

// In jsdom there is nothing to fetch it from.
await wasm.init(readFileSync("pkg/slate_yrs_bg.wasm"));

/** As `EngineHandle.difference`. */
export function difference(from: readonly Descendant[], to: readonly Descendant[]): Operation[] {
  const [before, after] = [encodeNodes(from), encodeNodes(to)];
  const [words, text] = wasm.difference(before.words, before.text, after.words, after.text);
  return decodeOperations(words, text);
}
