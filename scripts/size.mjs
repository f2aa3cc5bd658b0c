// `npm run size`: what a page loads, and what a document takes of its memory. Fails where a budget is passed, so that
// nothing grows unseen. `--built` takes pkg/ as it is: built for size, as `npm test` builds it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";
import { must, root, say } from "./process.mjs";
import { js, packages, rust, xtask } from "./setup.mjs";

const kB = (bytes) => (bytes / 1000).toFixed(1);
const MB = 1_000_000;

/** Brotli kB, and MB. Each is a little above what it is now: lower it when something has become smaller. */
const BUDGET = { wasm: 389, everything: 416, memory: 6 };
/** As `generateScript` makes them: a little over 3,000 blocks. */
const SCENES = 135;
const DOCUMENTS = 8;

const built = process.argv.includes("--built");
const out = join(root, built ? "pkg" : "target/size-pkg");
if (!built) {
  await rust();
  await packages();
  await xtask();
  say("Building the module that ships");
  await must("target/xtask/xtask/xtask", ["build", "--size", "--out", "target/size-pkg"]);
  await js();
}

/** All of the package's JavaScript that is loaded with a page, as a bundler makes it: not what is loaded on demand. */
async function script() {
  const folder = join(root, "target/size-js");
  mkdirSync(folder, { recursive: true });
  const entry = join(folder, "entry.js");
  const from = (name) => JSON.stringify(join(root, "dist", name));
  writeFileSync(entry, `export * from ${from("index.js")};\nexport * from ${from("slate.js")};\n`);
  const external = ["slate", "slate-react", "react", "react-dom", "react/jsx-runtime"];
  const result = await build({
    root: folder,
    logLevel: "error",
    build: {
      write: false,
      target: "esnext",
      minify: true,
      assetsInlineLimit: 0,
      rolldownOptions: { input: entry, external, preserveEntrySignatures: "strict" },
    },
  });
  const chunks = [result].flat().flatMap(({ output }) => output);
  const loaded = chunks.filter(({ type, isDynamicEntry }) => type === "chunk" && !isDynamicEntry);
  return Buffer.concat(loaded.map(({ code }) => Buffer.from(code)));
}

/** Bytes of the engine's memory that a document of so many blocks takes. */
async function memory() {
  const { default: instantiate, Engine } = await import(pathToFileURL(join(out, "slate_yrs.js")));
  const { memory: pages } = await instantiate({ module_or_path: readFileSync(join(out, "slate_yrs_bg.wasm")) });
  const { encodeNodes } = await import(pathToFileURL(join(root, "dist/codec.js")));
  const { generateScript } = await import(await bundled("examples/screenplay/src/script/generator.ts"));
  const value = generateScript({ scenes: SCENES });
  const { words, text } = encodeNodes(value);
  const config = {
    ...{ document: "size", session: "size", clientId: 1, seed: 1, root: "content", blockId: "id" },
    ...{ captureTimeout: 500, remote: "none", store: null, presence: null },
  };
  const listener = new Proxy({}, { get: () => () => Promise.resolve([]) });
  const open = async () => {
    const engine = new Engine(JSON.stringify(config), words, text, listener);
    await new Promise((wake) => setTimeout(wake, 50));
    const [, , count] = engine.block(0);
    if (count !== value.length) throw new Error(`the document has ${count} blocks instead of ${value.length}`);
  };
  // What opening needs for a moment stays with the module, and serves the next one.
  await open();
  const before = pages.buffer.byteLength;
  for (let more = 0; more < DOCUMENTS; more += 1) await open();
  return { blocks: value.length, bytes: (pages.buffer.byteLength - before) / DOCUMENTS, first: before };
}

/** TypeScript of the example, for Node. */
async function bundled(path) {
  const outDir = join(root, "target/size-js/generator");
  rmSync(outDir, { recursive: true, force: true });
  const lib = { entry: join(root, path), formats: ["es"], fileName: "generator" };
  await build({ root, logLevel: "error", build: { outDir, target: "esnext", minify: false, lib } });
  return pathToFileURL(join(outDir, "generator.js"));
}

const parts = {
  "wasm module": readFileSync(join(out, "slate_yrs_bg.wasm")),
  "JavaScript (`slate-yrs`, `slate-yrs/slate`)": await script(),
};
const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const rows = Object.entries(parts).map(([name, bytes]) => [
  name,
  bytes.length,
  gzipSync(bytes, { level: 9 }).length,
  brotli(bytes),
]);
const sum = (column) => rows.reduce((total, row) => total + row[column], 0);
const all = ["together", sum(1), sum(2), sum(3)];
const { blocks, bytes, first } = await memory();

console.log("\n| part | kB | gzip | brotli |\n|---|--:|--:|--:|");
for (const [name, ...sizes] of [...rows, all]) console.log(`| ${name} | ${sizes.map(kB).join(" | ")} |`);
console.log(
  `\nA document of ${blocks.toLocaleString("en")} blocks takes ${(bytes / MB).toFixed(1)} MB; with the first one open, the engine has ${(first / MB).toFixed(1)} MB.\n`,
);

const checks = [
  ["wasm module, kB brotli", rows[0][3] / 1000, BUDGET.wasm],
  ["everything, kB brotli", all[3] / 1000, BUDGET.everything],
  ["document, MB", bytes / MB, BUDGET.memory],
];
let failed = 0;
for (const [name, is, most] of checks) {
  if (is > most) failed += 1;
  console.log(`${is > most ? "OVER" : "ok  "} ${name}: ${is.toFixed(1)} of at most ${most}`);
}
console.log(`size: ${checks.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
