// The pure modules stay pure: no browser, no clock, no randomness of their own.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./process.mjs";

const PURE = [
  "slate",
  "protocol",
  "session",
  "awareness",
  "undo",
  "store",
  "update",
  "codec",
  "format.rs",
  "json.rs",
  "quick.rs",
];
const IMPURE =
  /\b(js_sys|web_sys|wasm_bindgen|gloo_\w+|rexie|idb|futures(_\w+)?|tokio|getrandom|Instant::now|SystemTime|thread_rng|std::(time|thread|net|fs|env)|fastrand::(Rng::new\(\)|seed|u8|u16|u32|u64|usize|f64|bool|shuffle|alphanumeric)\b|ClientID::random)/;

/** Lines of the pure modules that reach for the outside world: `file:line: text`. Their tests may read the environment. */
export function impurities() {
  const found = [];
  for (const module of PURE) {
    for (const file of rustFiles(join(root, "src", module))) {
      if (/\/tests(\.rs|\/)/.test(file)) continue;
      readFileSync(file, "utf8")
        .split("\n")
        .forEach((line, index) => {
          const code = line.replace(/\/\/.*$/, "");
          if (IMPURE.test(code)) found.push(`${relative(root, file)}:${index + 1}: ${line.trim()}`);
        });
    }
  }
  return found;
}

function rustFiles(folder) {
  if (folder.endsWith(".rs")) return [folder];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return rustFiles(path);
    return name.endsWith(".rs") ? [path] : [];
  });
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const found = impurities();
  for (const line of found) console.error(line);
  console.log(found.length === 0 ? "purity: 1 passed, 0 failed" : "purity: 0 passed, 1 failed");
  process.exit(found.length === 0 ? 0 : 1);
}
