// Every crate and npm package that the lock files name has a licence that this project may be built and shipped with.
//
// Crates: what `cargo metadata --locked` says of each. npm: what `package-lock.json` says, and where it says nothing, the
// package.json in `node_modules`. An expression holds if a choice of it is allowed: of `A OR B` one, of `A AND B` both.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../process.mjs";
import { close } from "./sources.mjs";

// What is linked into the module and the server: asks for its text to be passed on, at most.
const ALLOWED = [
  ...["MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "Zlib", "BSL-1.0", "Unlicense"],
  ...["BlueOak-1.0.0", "CC0-1.0", "Unicode-3.0", "CDLA-Permissive-2.0", "Apache-2.0 WITH LLVM-exception"],
];
// What only builds, tests or stands beside it: tools whose own files stay under their licence, and the example's fonts.
const ALLOWED_BESIDE = [...ALLOWED, "MPL-2.0", "NCSA", "OFL-1.1"];
/** What names its licence in a file only, read by a person: npm package and version. */
const READ = { "png-js 2.0.0": "MIT" };

/** Whether an SPDX expression can be met by allowed licences. `/` is how crates used to write OR. */
export function allowed(expression, licences) {
  const tokens = expression.replaceAll("/", " OR ").match(/\(|\)|[^\s()]+/g) ?? [];
  let at = 0;
  const either = () => {
    let holds = both();
    while (tokens[at] === "OR") {
      at += 1;
      holds = both() || holds;
    }
    return holds;
  };
  const both = () => {
    let holds = one();
    while (tokens[at] === "AND") {
      at += 1;
      holds = one() && holds;
    }
    return holds;
  };
  const one = () => {
    if (tokens[at] === "(") {
      at += 1;
      const holds = either();
      at += 1;
      return holds;
    }
    const name = tokens[at + 1] === "WITH" ? tokens.slice(at, at + 3).join(" ") : tokens[at];
    at += name?.includes(" ") ? 3 : 1;
    return licences.includes(name);
  };
  return either() && at === tokens.length;
}

function crates(manifest, licences) {
  const args = ["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest];
  const told = spawnSync("cargo", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  if (told.status !== 0) throw new Error(`cargo metadata says nothing of ${manifest}: ${told.stderr}`);
  // What has no source is of this repository.
  return JSON.parse(told.stdout)
    .packages.filter(({ source }) => source !== null)
    .map(({ name, version, license }) => ({ what: `crate ${name} ${version}`, license, licences }));
}

function npm(lock) {
  const { packages } = JSON.parse(readFileSync(join(root, lock), "utf8"));
  return Object.entries(packages)
    .filter(([path, { link }]) => path.startsWith("node_modules/") && !link)
    .map(([path, { version, license }]) => {
      const what = `${path.replace(/^.*node_modules\//, "")} ${version}`;
      const own = license ?? manifestLicense(join(root, dirname(lock), path, "package.json"));
      return { what: `npm ${what}`, license: own ?? READ[what], licences: ALLOWED_BESIDE };
    });
}

function manifestLicense(path) {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")).license ?? null) : null;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const all = [
    ...crates("Cargo.toml", ALLOWED),
    ...crates("fuzz/Cargo.toml", ALLOWED_BESIDE),
    ...npm("package-lock.json"),
    ...npm("bench/servers/package-lock.json"),
  ];
  const wrong = all
    .filter(({ license, licences }) => typeof license !== "string" || !allowed(license, licences))
    .map(({ what, license }) => `${what}: ${license ?? "names no licence"}`);
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (dependencies) wrong.push("the package has dependencies of its own: what they bring is held to the stricter list");
  console.log(`licences: ${all.length} crates and packages`);
  close("licences", [...new Set(wrong)]);
}
