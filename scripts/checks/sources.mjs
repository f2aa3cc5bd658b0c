// The source files of engine, server and package, and a Rust text without what is no code.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "../process.mjs";

/** All files under a folder of the repository, as paths from its root, sorted. */
export function files(folder) {
  const found = [];
  const visit = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.name === "node_modules" || entry.name === "target" || entry.name === "dist") continue;
      const inner = join(path, entry.name);
      if (entry.isDirectory()) visit(inner);
      else found.push(relative(root, inner));
    }
  };
  visit(join(root, folder));
  return found.sort();
}

/** The text of a file of the repository. */
export const text = (file) => readFileSync(join(root, file), "utf8");

/** Rust files of a folder that are built into what ships: no tests. */
export const rustSources = (folder) =>
  files(folder).filter((file) => file.endsWith(".rs") && !/(^|\/)tests(\.rs$|\/)/.test(file));

/** TypeScript files of the package that ship: no tests. */
export const typescriptSources = (folder) =>
  files(folder).filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$|\.d\.ts$/.test(file));

/**
 * Rust with comments and the contents of texts blanked, line breaks kept, so that what is found stands in the line where
 * it was. With `tests: false` the items under `#[cfg(test)]` go as well.
 */
export function rustCode(source, { tests = false } = {}) {
  let out = "";
  for (let at = 0; at < source.length; ) {
    const rest = source.slice(at, at + 2);
    if (rest === "//") {
      const end = source.indexOf("\n", at);
      at = end < 0 ? source.length : end;
    } else if (rest === "/*") {
      const end = blockEnd(source, at);
      out += blank(source.slice(at, end));
      at = end;
    } else if (/[rb]/.test(source[at]) && !/\w/.test(source[at - 1] ?? "") && rawText(source, at)) {
      const end = rawText(source, at);
      out += `""${blank(source.slice(at, end))}`;
      at = end;
    } else if (source[at] === '"') {
      const end = textEnd(source, at);
      out += `""${blank(source.slice(at, end))}`;
      at = end;
    } else if (source[at] === "'") {
      const char = /^'(\\(x..|u\{[0-9a-fA-F]+\}|.)|[^\\'])'/u.exec(source.slice(at, at + 16));
      out += char ? "' '" : "'";
      at += char ? char[0].length : 1;
    } else {
      out += source[at];
      at += 1;
    }
  }
  return tests ? out : withoutTests(out);
}

const blank = (piece) => piece.replace(/[^\n]/g, "");

function blockEnd(source, at) {
  let depth = 0;
  for (let i = at; i < source.length; i += 1) {
    if (source.startsWith("/*", i)) depth += 1;
    if (source.startsWith("*/", i) && --depth === 0) return i + 2;
  }
  return source.length;
}

/** Where a raw text that begins here ends; null if none does. */
function rawText(source, at) {
  const begin = /^b?r(#*)"/.exec(source.slice(at, at + 12));
  if (!begin) return null;
  const end = source.indexOf(`"${begin[1]}`, at + begin[0].length);
  return end < 0 ? source.length : end + 1 + begin[1].length;
}

function textEnd(source, at) {
  for (let i = at + 1; i < source.length; i += 1) {
    if (source[i] === "\\") i += 1;
    else if (source[i] === '"') return i + 1;
  }
  return source.length;
}

/** Code without its `#[cfg(test)]` items: up to the end of their block, or the first semicolon before one. */
function withoutTests(code) {
  const marker = /#\[cfg\((test|all\(test\b[^\]]*|any\(test\b[^\]]*)\)\]/g;
  let out = "";
  let from = 0;
  for (let hit = marker.exec(code); hit; hit = marker.exec(code)) {
    if (hit.index < from) continue;
    const end = itemEnd(code, marker.lastIndex);
    out += code.slice(from, hit.index) + blank(code.slice(hit.index, end));
    from = end;
  }
  return out + code.slice(from);
}

function itemEnd(code, at) {
  let depth = 0;
  for (let i = at; i < code.length; i += 1) {
    if ("{([".includes(code[i])) depth += 1;
    if (")]}".includes(code[i])) depth -= 1;
    if (depth === 0 && (code[i] === ";" || code[i] === "}")) return i + 1;
  }
  return code.length;
}

/** The line, counted from 1, in which an index of a text stands. */
export const lineOf = (source, index) => source.slice(0, index).split("\n").length;

/** Prints what is wrong and the closing line of a check; true if nothing is. */
export function close(name, wrong) {
  for (const line of wrong) console.error(`${name}: ${line}`);
  console.log(wrong.length === 0 ? `${name}: 1 passed, 0 failed` : `${name}: 0 passed, 1 failed`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
