// Cycles between files of `src/`, `server/src/` and `js/`: which files need each other, in a circle.
//
// A Rust file needs the file that defines what it names by `use crate::…`, `use super::…`, `use self::…`, by the name of a
// module of its own, or by such a path within its code. A name that a module only passes on (`pub use`) belongs to the
// file that defines it; who passes it on does not need it. A TypeScript file needs what it imports, types too.
//
// None is allowed; a circle is shown by its arrows.
import { dirname, join } from "node:path";
import { close, rustCode, rustSources, text, typescriptSources } from "./sources.mjs";

/** The arrows of one crate: file → the files that it needs. */
export function rustArrows(folder, read = text, sources = rustSources(folder)) {
  const modules = new Map();
  for (const file of sources) {
    const path = file
      .slice(folder.length + 1)
      .replace(/(^|\/)mod\.rs$/, "")
      .replace(/\.rs$/, "")
      .replace(/^lib$/, "");
    modules.set(path.split("/").filter(Boolean).join("::"), file);
  }
  const facts = new Map([...modules].map(([path, file]) => [path, factsOf(rustCode(read(file)))]));
  const arrows = new Map();
  for (const [path, file] of modules) {
    const to = new Set();
    for (const used of facts.get(path).used) {
      const target = resolveRust(modules, facts, path, used);
      if (target !== null && modules.get(target) !== file) to.add(modules.get(target));
    }
    arrows.set(file, to);
  }
  return arrows;
}

const DEFINED = /\b(?:struct|enum|trait|union|type|fn|const|static|mod)\s+(\w+)/g;

/** What a file uses, as paths, and what it passes on: its name there → its path. */
function factsOf(code) {
  const used = [];
  const passed = new Map();
  const all = [];
  const rest = code.replace(/(pub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);/g, (_, visible, tree) => {
    for (const [path, name] of pathsOf(tree)) {
      if (visible) {
        if (name === "*") all.push(path.slice(0, -1));
        else passed.set(name, path);
      } else used.push(path);
    }
    return "";
  });
  for (const [path] of rest.matchAll(/\b(?:[A-Za-z_]\w*::)+[A-Za-z_]\w*/g)) used.push(path.split("::"));
  // Who passes a name on and uses it as well needs it.
  const said = rest.replace(/\bmod\s+\w+;/g, "");
  for (const [name, path] of passed) if (new RegExp(`\\b${name}\\b`).test(said)) used.push(path);
  const defined = new Set([...rest.matchAll(DEFINED)].map(([, name]) => name));
  return { used, passed, all, defined };
}

/** `a::{b, c as d}` as its paths, each with the name that it has here. */
export function pathsOf(tree, before = []) {
  const text = tree.trim();
  const open = text.indexOf("{");
  if (open < 0) {
    const [path, alias] = text.split(/\s+as\s+/);
    const parts = [...before, ...path.split("::").map((part) => part.trim())].filter(Boolean);
    if (parts.at(-1) === "self" && parts.length > 1) parts.pop();
    return [[parts, alias ?? parts.at(-1)]];
  }
  const head = text
    .slice(0, open)
    .split("::")
    .map((part) => part.trim())
    .filter(Boolean);
  const inner = text.slice(open + 1, text.lastIndexOf("}"));
  const paths = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= inner.length; i += 1) {
    if (inner[i] === "{") depth += 1;
    if (inner[i] === "}") depth -= 1;
    if ((inner[i] === "," && depth === 0) || i === inner.length) {
      const part = inner.slice(from, i);
      if (part.trim()) paths.push(...pathsOf(part, [...before, ...head]));
      from = i + 1;
    }
  }
  return paths;
}

/** The module in which what a path names is defined; null if it is none of this crate. */
function resolveRust(modules, facts, from, path, depth = 0) {
  if (depth > 16) return null;
  const here = from.split("::").filter(Boolean);
  let parts = [...path];
  let base;
  if (parts[0] === "crate") [base, parts] = [[], parts.slice(1)];
  else if (parts[0] === "self") [base, parts] = [here, parts.slice(1)];
  else if (parts[0] === "super") {
    base = [...here];
    while (parts[0] === "super") {
      base.pop();
      parts = parts.slice(1);
    }
  } else if (modules.has([...here, parts[0]].join("::"))) base = here;
  else return null;
  while (parts.length > 0 && modules.has([...base, parts[0]].join("::"))) {
    base = [...base, parts[0]];
    parts = parts.slice(1);
  }
  const module = base.join("::");
  if (!modules.has(module)) return null;
  if (parts.length === 0) return module;
  const { passed, all, defined } = facts.get(module);
  if (passed.has(parts[0])) {
    const further = [...passed.get(parts[0]), ...parts.slice(1)];
    return resolveRust(modules, facts, module, further, depth + 1) ?? module;
  }
  for (const whole of defined.has(parts[0]) ? [] : all) {
    const further = resolveRust(modules, facts, module, [...whole, ...parts], depth + 1);
    if (further !== null && facts.get(further).defined.has(parts[0])) return further;
  }
  return module;
}

/** The arrows of the package: file → the files that it imports. */
export function typescriptArrows(folder, read = text, sources = typescriptSources(folder)) {
  const known = new Set(sources);
  const arrows = new Map();
  for (const file of sources) {
    const to = new Set();
    for (const [, path] of read(file).matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const target = join(dirname(file), path).replace(/\.js$/, "");
      const hit = [target, `${target}.ts`, `${target}.tsx`].find((name) => known.has(name));
      if (hit && hit !== file) to.add(hit);
    }
    arrows.set(file, to);
  }
  return arrows;
}

/** The circles of a graph: sets of two files and more that all reach each other, each sorted. */
export function circles(arrows) {
  const order = new Map();
  const low = new Map();
  const stack = [];
  const found = [];
  const visit = (file) => {
    order.set(file, order.size);
    low.set(file, order.get(file));
    stack.push(file);
    for (const next of arrows.get(file) ?? []) {
      if (!order.has(next)) {
        visit(next);
        low.set(file, Math.min(low.get(file), low.get(next)));
      } else if (stack.includes(next)) low.set(file, Math.min(low.get(file), order.get(next)));
    }
    if (low.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const file of arrows.keys()) if (!order.has(file)) visit(file);
  return found.sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

/** The arrows within a circle, `a → b`, sorted. */
const within = (arrows, circle) =>
  circle.flatMap((file) =>
    [...arrows.get(file)]
      .filter((to) => circle.includes(to))
      .sort()
      .map((to) => `${file} → ${to}`),
  );

if (import.meta.url === `file://${process.argv[1]}`) {
  const found = [rustArrows("src"), rustArrows("server/src"), typescriptArrows("js")].flatMap((graph) =>
    circles(graph).map((circle) => `${circle.length} files need each other:\n  ${within(graph, circle).join("\n  ")}`),
  );
  close("cycles", found);
}
