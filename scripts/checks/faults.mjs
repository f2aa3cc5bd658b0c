// `docs/FAULTS.md` tells the truth about the tests: each that it names exists and is run, every fault names one or says
// that none shows it, and every number that a test's name begins with is a fault there.
//
// A test is named as `file` › `name`. In Rust that is a function with a test's attribute, or one of a conformance suite,
// which is called for each store; in TypeScript the text given to `test` or `it`; of the scenarios, the id of one that holds in format 1.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../process.mjs";
import { close, files, rustCode } from "./sources.mjs";

const DOCUMENT = "docs/FAULTS.md";
const NONE = /\*\*No test\*\*/;
const TESTS = ["src", "server", "js", "tests", "examples"];

/** What is wrong with the document, in words. */
export function faults(document, read, listed) {
  const wrong = [];
  const known = new Set();
  for (const section of document.split(/^(?=### F\d)/m).filter((piece) => piece.startsWith("### F"))) {
    const title = section.slice(4, section.indexOf("\n"));
    const number = Number(/^F(\d+)/.exec(title)[1]);
    if (known.has(number)) wrong.push(`F${number} stands there twice`);
    known.add(number);
    const named = [...section.matchAll(/`([^`\n]+)`\s+›\s+`([^`\n]+)`/g)];
    if (named.length === 0 && !NONE.test(section)) wrong.push(`F${number} names no test, and does not say **No test**`);
    for (const [, file, name] of named) {
      const problem = missing(read(file), file, name, read);
      if (problem) wrong.push(`F${number}: ${file} › ${name}: ${problem}`);
    }
  }
  for (let number = 1; number <= Math.max(...known); number += 1) {
    if (!known.has(number)) wrong.push(`F${number} is missing`);
  }
  for (const file of listed) {
    for (const [hit, digits] of read(file).matchAll(
      /(?:fn f(?=\d+_)|(?:test|it|describe)[^"\n]*"[fF](?=\d+\b))(\d+)/g,
    )) {
      if (!known.has(Number(digits))) wrong.push(`${file} has a test of F${digits}, which is no fault: ${hit}`);
    }
  }
  return wrong;
}

/** Why a test is not there, or null if it is. */
export function missing(text, file, name, read = () => null) {
  if (text === null) return "no such file";
  if (file.endsWith(".rs")) return missingRust(text, file, name);
  if (file.endsWith(".json")) return missingScenario(text, name, read("tests/scenarios/scenarios.failing.json"));
  // The text stands for itself, or with places to fill in where cases are listed.
  const quoted = ['"', "'", "`"].map((quote) => text.indexOf(`${quote}${name}${quote}`)).find((at) => at >= 0);
  if (quoted === undefined) return "no such test";
  const before = text.slice(0, quoted).trimEnd();
  if (/\b(test|it)(\.(skip|todo|fixme))\($/.test(before)) return "is skipped";
  // A case of a list that a test goes through.
  if (/\[$/.test(before) && /\bit\(`[^`]*\$\{name\}|\bit\(name,/.test(text)) return null;
  const call = /\b(test|it)\($/.test(before) || (/\)\($/.test(before) && /\b(test|it)\.each\(/.test(before));
  return call ? null : "is a text, but no test's name";
}

/** A scenario counts where it holds in format 1; those that fail in format 0 are listed for it. */
function missingScenario(text, id, failing) {
  if (!JSON.parse(text).scenarios.some((scenario) => scenario.id === id)) return "no such scenario";
  const { always, sometimes } = JSON.parse(failing).format1;
  return always.includes(id) || id in sometimes ? "does not hold in format 1" : null;
}

function missingRust(text, file, name) {
  const code = rustCode(text, { tests: true });
  const defined = new RegExp(
    `((?:#\\[[^\\]]*\\]\\s*)*)(?:pub(?:\\([^)]*\\))?\\s+)?(?:async\\s+)?fn\\s+${name}\\b`,
  ).exec(code);
  if (!defined) return "no such function";
  if (/#\[ignore/.test(defined[1])) return "is ignored";
  if (/#\[(?:\w+::)*(?:test|wasm_bindgen_test)\b/.test(defined[1])) return null;
  if (file.endsWith("/conformance.rs")) {
    return code.split(new RegExp(`\\b${name}\\b`)).length > 2 ? null : "no suite calls it";
  }
  return "has no test's attribute";
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const read = (file) => {
    try {
      return readFileSync(join(root, file), "utf8");
    } catch {
      return null;
    }
  };
  const listed = TESTS.flatMap(files).filter((file) => /\.(rs|tsx?)$/.test(file));
  close("faults", faults(read(DOCUMENT), read, listed));
}
