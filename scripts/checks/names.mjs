// One word for one thing: a type's name stands for one type in engine, server and package.
//
// Two types of one name are allowed where `names.allowed.json` says why: they are one thing at two ends, or a word that
// every module needs. `names.known.json` has the homonyms that are left, with how many types bear each; it only shrinks.
// Whoever gives a type a name that is taken chooses another. `docs/GLOSSARY.md` has the words.
import { close, lineOf, rustCode, rustSources, text, typescriptSources } from "./sources.mjs";

const ALLOWED = "scripts/checks/names.allowed.json";
const KNOWN = "scripts/checks/names.known.json";
const RUST = /\b(?:struct|enum|trait|union|type)\s+([A-Z]\w*)/g;
const TYPESCRIPT = /^(?:export\s+)?(?:declare\s+)?(?:abstract\s+)?(?:interface|class|enum|type)\s+([A-Z]\w*)/gm;

/** Each type's name with the places where it is defined. */
export function definitions(rust, typescript, read = text) {
  const found = new Map();
  const add = (name, place) => found.set(name, [...(found.get(name) ?? []), place]);
  for (const file of rust) {
    const code = rustCode(read(file));
    for (const hit of code.matchAll(RUST)) {
      // What a trait calls a type of its own is no name in the module.
      if (!associated(code, hit.index)) add(hit[1], `${file}:${lineOf(code, hit.index)}`);
    }
  }
  for (const file of typescript) {
    const code = read(file);
    for (const hit of code.matchAll(TYPESCRIPT)) add(hit[1], `${file}:${lineOf(code, hit.index)}`);
  }
  return found;
}

/** Whether a `type` stands within a block: an associated type of an impl or a trait. */
function associated(code, at) {
  if (!code.startsWith("type", at)) return false;
  const before = code.slice(0, at);
  return before.split("{").length > before.split("}").length;
}

/** What is wrong, in words: `allowed` has reasons, `known` how many types still bear a name. */
export function homonyms(found, allowed, known) {
  const wrong = [];
  for (const [name, places] of found) {
    const may = name in allowed ? Number.POSITIVE_INFINITY : (known[name] ?? 1);
    if (places.length > may) wrong.push(`${name} names ${places.length} types: ${places.join(", ")}`);
    if (places.length < (known[name] ?? 0)) wrong.push(`${name} names ${places.length} by now: put that into ${KNOWN}`);
  }
  for (const name of Object.keys(allowed)) {
    if ((found.get(name)?.length ?? 0) < 2) wrong.push(`${name} names no two types: take it off ${ALLOWED}`);
    if (name in known) wrong.push(`${name} is on both lists`);
  }
  for (const name of Object.keys(known)) {
    if ((found.get(name)?.length ?? 0) < 2) wrong.push(`${name} names no two types any more: take it off ${KNOWN}`);
  }
  return wrong;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const found = definitions([...rustSources("src"), ...rustSources("server/src")], typescriptSources("js"));
  const [allowed, known] = [JSON.parse(text(ALLOWED)), JSON.parse(text(KNOWN))];
  close("names", homonyms(found, allowed, known));
}
