// No part takes everything: a type with methods has at most 15 fields, and its methods stand in at most three files.
//
// It holds of each struct of `src/session/` and of each class of `js/`. A part that has outgrown this is divided; the parts
// own what they decide about, and are given what they need besides.
import { close, rustCode, rustSources, text, typescriptSources } from "./sources.mjs";

const FIELDS = 15;
const FILES = 3;

/** Where a block that is opened at `at` ends. */
function blockOf(code, at) {
  let depth = 0;
  for (let i = at; i < code.length; i += 1) {
    if (code[i] === "{") depth += 1;
    if (code[i] === "}" && --depth === 0) return code.slice(at + 1, i);
  }
  return code.slice(at + 1);
}

/** A text without what stands in brackets of any kind. */
function shallow(code) {
  let out = "";
  let depth = 0;
  for (const [i, letter] of [...code].entries()) {
    if ("({[<".includes(letter)) depth += 1;
    if (depth === 0) out += letter;
    if (")}]".includes(letter) || (letter === ">" && !"-=".includes(code[i - 1]))) depth -= 1;
  }
  return out;
}

/** Of Rust files: each struct with methods, how many fields it has and in which files its methods are. */
export function rustParts(sources, read = text) {
  const parts = new Map();
  const codes = sources.map((file) => [file, rustCode(read(file))]);
  for (const [file, code] of codes) {
    for (const hit of code.matchAll(/\bstruct\s+(\w+)[^;{(]*\{/g)) {
      const body = shallow(blockOf(code, hit.index + hit[0].length - 1).replace(/#\[[^\]]*\]/g, ""));
      parts.set(hit[1], { file, fields: (body.match(/(?<!:):(?!:)/g) ?? []).length, files: new Set() });
    }
  }
  for (const [file, code] of codes) {
    for (const [, name] of code.matchAll(/^impl(?:<[^>]*>)?\s+(\w+)(?:<[^>]*>)?\s*\{/gm))
      parts.get(name)?.files.add(file);
  }
  return [...parts].filter(([, { files }]) => files.size > 0).map(([name, part]) => ({ name, ...part }));
}

/** Of TypeScript files: each class, and how many fields it has. */
export function classes(sources, read = text) {
  const found = [];
  for (const file of sources) {
    const code = read(file);
    for (const hit of code.matchAll(/^(?:export\s+)?(?:abstract\s+)?class\s+(\w+)[^{]*\{/gm)) {
      const body = code.slice(hit.index, code.indexOf("\n}", hit.index));
      const members =
        body.match(
          /^ {2}(?:declare |static |readonly |protected |private |public )*#?\w+[?!]?(?::[^(\n]*|\s=[^\n]*|;)/gm,
        ) ?? [];
      // A function that is bound to its object is a method.
      const fields = members.filter((member) => !/=\s*(?:async\s*)?\([^\n]*=>/.test(member));
      const parameters = body.match(/^ {4}(?:readonly|private|protected|public) \w+/gm) ?? [];
      found.push({ name: hit[1], file, fields: fields.length + parameters.length, files: new Set([file]) });
    }
  }
  return found;
}

/** What is wrong, in words. */
export function overgrown(parts) {
  const wrong = [];
  for (const { name, file, fields, files } of parts) {
    if (fields > FIELDS) wrong.push(`${name} (${file}) has ${fields} fields, of ${FIELDS} at most`);
    if (files.size > FILES) wrong.push(`${name} has methods in ${files.size} files: ${[...files].sort().join(", ")}`);
  }
  return wrong;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const parts = [...rustParts(rustSources("src/session")), ...classes(typescriptSources("js"))];
  if (process.argv.includes("--list")) {
    for (const { name, fields, files } of parts) console.log(`${name}: ${fields} fields, ${files.size} files`);
  }
  close("parts", overgrown(parts));
}
