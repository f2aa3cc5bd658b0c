// `npm run advisories`: asks the public databases what is known to be unsafe among the crates and npm packages of the lock
// files. Not part of `npm test`, which must come out the same tomorrow and without a network.
//
// Exit 0: every database was asked and knows nothing. 1: it knows something. 2: one could not be asked, which is said
// loudly, for then nothing is known.
import { spawnSync } from "node:child_process";
import { root } from "../process.mjs";

const LOCKS = ["Cargo.lock", "fuzz/Cargo.lock"];
const FOLDERS = [".", "bench/servers"];

/** What one question came to: nothing known, something known, or not asked. */
const outcome = (name, state, detail) => ({ name, state, detail });

function runs(command, args, cwd = root) {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1 << 28 });
  return { code: result.error ? null : result.status, out: result.stdout ?? "", err: result.stderr ?? "" };
}

function crates(lock) {
  const name = `crates of ${lock}`;
  const result = runs("cargo", ["audit", "--json", "--file", lock]);
  if (/no such command/.test(result.err)) {
    return outcome(name, "not asked", "cargo-audit is not installed: cargo install cargo-audit --locked");
  }
  const told = parsed(result.out);
  if (told?.vulnerabilities === undefined) return outcome(name, "not asked", lastLine(result.err));
  const { list } = told.vulnerabilities;
  const lines = list.map(({ advisory, package: of }) => `${of.name} ${of.version}: ${advisory.id}, ${advisory.title}`);
  return outcome(name, list.length > 0 ? "known" : "nothing known", lines.join("\n"));
}

function npm(folder) {
  const name = `npm packages of ${folder === "." ? "package-lock.json" : `${folder}/package-lock.json`}`;
  const result = runs("npm", ["audit", "--json", "--package-lock-only"], `${root}/${folder}`);
  const told = parsed(result.out);
  if (told?.vulnerabilities === undefined) return outcome(name, "not asked", told?.message ?? lastLine(result.err));
  const lines = Object.values(told.vulnerabilities).map(({ name, range, via }) => {
    const why = via.map((reason) => (typeof reason === "string" ? reason : `${reason.title} (${reason.url})`));
    return `${name} ${range}: ${why.join("; ")}`;
  });
  return outcome(name, lines.length > 0 ? "known" : "nothing known", lines.join("\n"));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const lastLine = (text) => text.trim().split("\n").at(-1) || "no answer";

const outcomes = [...LOCKS.map(crates), ...FOLDERS.map(npm)];
for (const { name, state, detail } of outcomes) {
  const label = { "nothing known": "ok      ", known: "UNSAFE  ", "not asked": "NOT ASKED" }[state];
  console.log(`${label} ${name}${detail ? `\n          ${detail.replaceAll("\n", "\n          ")}` : ""}`);
}
const unasked = outcomes.filter(({ state }) => state === "not asked").length;
const unsafe = outcomes.filter(({ state }) => state === "known").length;
if (unasked > 0)
  console.error(`\n!!! ${unasked} of ${outcomes.length} NOT ASKED: whether these are safe is NOT KNOWN from here.`);
console.log(`advisories: ${outcomes.length - unasked - unsafe} passed, ${unsafe} failed, ${unasked} not asked`);
process.exit(unsafe > 0 ? 1 : unasked > 0 ? 2 : 0);
