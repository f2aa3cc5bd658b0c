// Reads all scripts of the corpus, writes them and reads them again, and counts what is kept:
//   node examples/screenplay/scripts/corpus.mjs [--code FOLDER] [--corpus FOLDER] [--files]
// `--code` is the folder `src/script` of another version of the editor, to compare with; `--files` lists what fails.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { JSDOM } from "jsdom";
import { createServer } from "vite";

const example = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    code: { type: "string", default: join(example, "src/script") },
    corpus: { type: "string", default: join(example, "corpus") },
    files: { type: "boolean", default: false },
  },
});
const code = resolve(values.code);
globalThis.DOMParser = new JSDOM().window.DOMParser;

const vite = await createServer({
  configFile: false,
  root: code,
  logLevel: "error",
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
try {
  const load = (file) => vite.ssrLoadModule(file);
  const { countCorpus, tableOf } = await load(join(example, "corpus/count.ts"));
  const formats = {
    ...(await load(join(code, "formats/fountain.ts"))),
    ...(await load(join(code, "formats/fdx.ts"))),
  };
  const decode = existsSync(join(code, "formats/decode.ts")) ? await load(join(code, "formats/decode.ts")) : null;
  const text = (bytes) => (decode ? decode.decodeText(bytes).text : new TextDecoder().decode(bytes));
  const expected = JSON.parse(await readFile(join(example, "corpus/fixtures/expected.json"), "utf8"));
  const results = countCorpus(resolve(values.corpus), { ...formats, text }, expected);
  process.stdout.write(tableOf(results, values.files));
} finally {
  await vite.close();
}
