// The licences of what others have written and this project ships: in the wasm module and the JavaScript around it, and in
// the server's binary. `node scripts/notices.mjs` writes that of the package into `pkg/`.
//
// Which crates are linked is what cargo resolves from the lock file for the target, without what only builds or tests. The
// texts are the files that each crate brings; one that brings none gets the standard text of its licence.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { root } from "./process.mjs";

/** The file's name, wherever it goes. */
export const NOTICES = "THIRD_PARTY_LICENCES.txt";

export const SHIPPED = {
  module: { crate: "slate-yrs", target: "wasm32-unknown-unknown", what: "pkg/slate_yrs_bg.wasm and pkg/slate_yrs.js" },
  server: { crate: "slate-yrs-server", target: "x86_64-unknown-linux-musl", what: "slate-yrs-server" },
};

// Linked by the compiler, and so in no lock file.
const RUST = {
  name: "Rust's standard library",
  license: "MIT OR Apache-2.0",
  repository: "https://github.com/rust-lang/rust",
};
const MUSL = {
  name: "musl",
  license: "MIT",
  repository: "https://musl.libc.org",
  holder: "2005-2020 Rich Felker, et al.",
};

const MIT = (holder) => `Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** The crates that are linked into what is shipped: name, version, licence, texts. Sorted. */
export function linked({ crate, target }) {
  const args = ["metadata", "--format-version", "1", "--locked", "--filter-platform", target];
  const told = spawnSync("cargo", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  if (told.status !== 0) throw new Error(`cargo metadata: ${told.stderr}`);
  const { packages, resolve } = JSON.parse(told.stdout);
  const packageOf = new Map(packages.map((found) => [found.id, found]));
  const nodeOf = new Map(resolve.nodes.map((node) => [node.id, node]));
  const seen = new Set();
  const visit = (id) => {
    // A macro runs in the compiler: neither it nor what it needs is linked.
    const macro = packageOf.get(id).targets.some(({ kind }) => kind.includes("proc-macro"));
    if (seen.has(id) || macro) return;
    seen.add(id);
    const uses = nodeOf.get(id).deps.filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => kind === null));
    for (const { pkg } of uses) visit(pkg);
  };
  visit(packages.find(({ name, source }) => name === crate && source === null).id);
  return [...seen]
    .map((id) => packageOf.get(id))
    .filter(({ source }) => source !== null)
    .map(({ name, version, license, authors, repository, manifest_path }) => ({
      name: `${name} ${version}`,
      license,
      repository,
      texts: texts(dirname(manifest_path)),
      holder: authors.length > 0 ? authors.join(", ").replaceAll(/ <[^>]*>/g, "") : `the authors of ${name}`,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a crate says of its licence, in files of its own: at its top, or in folders for it. */
function texts(folder) {
  const told = (name) => /^(licen[cs]e|copying|copyright|notice|unlicense)/i.test(name);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => told(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      const files = entry.isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
      return files.map((file) => readFileSync(file, "utf8").replaceAll("\r\n", "\n").trim());
    });
}

/** All notices of what is shipped, each text once, below those whom it concerns. */
export function notices(shipped) {
  const parts = [...linked(shipped), { ...RUST, texts: [] }];
  if (shipped.target.endsWith("musl")) parts.push({ ...MUSL, texts: [MIT(MUSL.holder)] });
  const apache = parts.flatMap((part) => part.texts).find((text) => /^\s*Apache License\s+Version 2\.0/.test(text));
  const whom = new Map();
  for (const { name, license, texts: own, holder, repository } of parts) {
    const found = own.length > 0 ? own : [standard(name, license, holder ?? `the developers of ${name}`, apache)];
    for (const text of found) {
      const heading = `${name} (${license})${repository ? `, ${repository}` : ""}`;
      whom.set(text, [...(whom.get(text) ?? []), heading]);
    }
  }
  const head = `What others have written is part of ${shipped.what}. slate-yrs itself is under the MIT licence, in LICENSE.`;
  const sections = [...whom].map(([text, names]) => `${"=".repeat(80)}\n${names.join("\n")}\n\n${text}\n`);
  return `${head}\n\n${sections.join("\n")}`;
}

/** For a crate without a file: of its licences the one whose text is at hand. */
function standard(name, license, holder, apache) {
  if (/\bMIT\b/.test(license)) return MIT(holder);
  if (/\bApache-2\.0\b/.test(license) && apache) return apache;
  throw new Error(`${name} brings no text of its licence, ${license}`);
}

/** The crates of which a binary itself says that they are in it: where a panic is, there is the path of its source. */
export function namedIn(bytes) {
  const found = bytes.toString("latin1").matchAll(/registry\/src\/[^/]+\/([A-Za-z0-9_-]+?)-(\d+\.\d+\.\d+[^/]*)\//g);
  return [...new Set([...found].map(([, name, version]) => `${name} ${version}`))].sort();
}

/** Crates that a binary names and the notices do not, in words. */
export const unnoticed = (binary, text) =>
  namedIn(readFileSync(binary))
    .filter((crate) => !text.includes(`\n${crate} (`))
    .map((crate) => `${basename(binary)} has ${crate} in it, of which the notices say nothing`);

/** Into `pkg/`, which goes with the package. */
export function writePackageNotices() {
  const text = notices(SHIPPED.module);
  writeFileSync(join(root, "pkg", NOTICES), text);
  return text;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  if (!existsSync(join(root, "pkg"))) throw new Error("pkg/ is missing: build the module first");
  writePackageNotices();
}
