// `node scripts/api.mjs` writes docs/API.md: each name that the package exports, with its declaration and what its source
// says of it. `--check` fails where the document is not what it would write. Reads the built `dist`.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./process.mjs";

const DOCUMENT = "docs/API.md";
const ENTRIES = [
  ["slate-yrs", "index.d.ts"],
  ["slate-yrs/slate", "slate.d.ts"],
  ["slate-yrs/react", "react.d.ts"],
  ["slate-yrs/comments", "comments.d.ts"],
  ["slate-yrs/testing", "testing.d.ts"],
];
const HEAD = `# The interface

Every name that the package exports, as its declarations have it. Written by \`node scripts/api.mjs\`; [INTEGRATION.md](INTEGRATION.md) is the way in. The server's HTTP interface is in
[SERVER.md](SERVER.md#history-over-http), what goes over the wire in [PROTOCOL.md](PROTOCOL.md); the engine in Rust has \`cargo doc --open\`.
`;

const read = (file) => readFileSync(join(root, "dist", file), "utf8");

/** Names that a declaration file exports, and in which file each is declared. */
export function exportsOf(file, text) {
  const found = [];
  for (const [, , list, from] of text.matchAll(/^export (type )?\{([^}]*)\}(?: from "([^"]+)")?;/gm)) {
    for (const item of list.split(",")) {
      const name = item.trim().replace(/^type /, "");
      if (name && from) found.push([name, join(dirname(file), from.replace(/\.js$/, ".d.ts"))]);
    }
  }
  for (const [, name] of text.matchAll(/^export (?:declare )?(?:function|const|class|interface|type) (\w+)/gm)) {
    found.push([name, file]);
  }
  return found;
}

/** The file that declares a name, which another one may only hand on. */
function declaring(name, file) {
  const [, from] = exportsOf(file, read(file)).find(([exported]) => exported === name) ?? [];
  return from === undefined || from === file ? file : declaring(name, from);
}

/** The declarations of a name, overloads among them: each with the comment before it. */
export function declarations(name, text) {
  const start = new RegExp(`^export (?:declare )?(?:function|const|class|interface|type) ${name}\\b`, "gm");
  return [...text.matchAll(start)].map(({ index }) => {
    const before = text.slice(0, index);
    const comment = before.match(/\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/)?.[0] ?? "";
    return { comment, code: text.slice(index, endOf(text, index)).trim() };
  });
}

/** Where the declaration ends that begins here: at the semicolon or brace that belongs to no inner one. */
function endOf(text, from) {
  const isBlock = /^export (?:declare )?(?:class|interface)/.test(text.slice(from));
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith("/*", at)) at = text.indexOf("*/", at) + 1;
    else if (text.startsWith("//", at)) at = text.indexOf("\n", at);
    else if ("{([".includes(text[at])) depth += 1;
    else if ("})]".includes(text[at])) {
      depth -= 1;
      if (depth === 0 && isBlock && text[at] === "}") return at + 1;
    } else if (text[at] === ";" && depth === 0) return at + 1;
  }
  return text.length;
}

/** A comment as Markdown. */
export function prose(comment) {
  const lines = comment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/\s*$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  const [said, ...examples] = lines.join("\n").split(/^@example\n?/m);
  const words = said
    .replace(/\{@link ([^}]+)\}/g, "`$1`")
    .replace(/^@param (\w+) /gm, "- `$1`: ")
    .replace(/^@throws /gm, "Throws ")
    .trim();
  return [words, ...examples.map((code) => `\`\`\`tsx\n${code.trim()}\n\`\`\``)]
    .filter((part) => part !== "")
    .join("\n\n");
}

function section([entry, file]) {
  const parts = [`## ${entry}`];
  for (const [name, from] of exportsOf(file, read(file)).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = declarations(name, read(declaring(name, from)));
    if (found.length === 0) throw new Error(`${from} does not declare ${name}`);
    const comment = found.map(({ comment }) => comment).find((comment) => comment !== "") ?? "";
    const code = found.map(({ code }) => code.replace(/^export (declare )?/, "")).join("\n");
    parts.push([`### ${name}`, prose(comment), `\`\`\`ts\n${code}\n\`\`\``].filter((part) => part !== "").join("\n\n"));
  }
  return parts.join("\n\n");
}

if (import.meta.url === `file://${process.argv[1]}`) {
  if (!existsSync(join(root, "dist/index.d.ts"))) throw new Error("dist is missing: npm run build:js");
  const text = `${[HEAD, ...ENTRIES.map(section)].join("\n")}\n`
    .replace(/\n(## )/g, "\n\n$1")
    .replace(/\n{3,}/g, "\n\n");
  if (!process.argv.includes("--check")) writeFileSync(join(root, DOCUMENT), text);
  else if (readFileSync(join(root, DOCUMENT), "utf8") !== text) {
    console.error(`${DOCUMENT} is not what the sources say: node scripts/api.mjs`);
    process.exit(1);
  }
}
