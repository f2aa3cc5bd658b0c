// Each bug that `npm run plant` plants still has its place in the code: the text is in the file once. And each folder of the
// engine and of the server has one.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { PLANTS } from "../planted-bugs.mjs";
import { root } from "../process.mjs";
import { close, rustSources, text } from "./sources.mjs";

/** What is wrong, in words. */
export function uprooted(plants, read) {
  const wrong = [];
  for (const { name, file, from, to } of plants) {
    const times = (read(file) ?? "").split(from).length - 1;
    if (times !== 1) wrong.push(`"${name}": its place stands ${times} times in ${file}`);
    if (from === to) wrong.push(`"${name}" plants nothing`);
  }
  return wrong;
}

/** No bug is planted there yet: the tests of all but the last are written in JavaScript, for a browser. This only shrinks. */
const WITHOUT = ["src/browser", "src/browser/store", "src/js", "server/src/mcp"];

/** Folders in which none is planted. */
export function bare(plants, sources) {
  const planted = new Set(plants.map(({ file }) => dirname(file)));
  const folders = new Set(sources.filter((file) => !/(^|\/)tests?(\/|\.rs$)/.test(file)).map((file) => dirname(file)));
  const missing = [...folders].filter((folder) => !planted.has(folder) && !WITHOUT.includes(folder));
  const grown = WITHOUT.filter((folder) => planted.has(folder));
  return [
    ...missing.map((folder) => `no bug is planted in ${folder}`),
    ...grown.map((folder) => `${folder} has one now: take it off the list`),
  ];
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const read = (file) => (existsSync(join(root, file)) ? text(file) : null);
  // A file that only names others has no place for one.
  const sources = ["src", "server/src"]
    .flatMap((folder) => rustSources(folder))
    .filter((file) => /\bfn /.test(text(file)));
  close("plants", [...uprooted(PLANTS, read), ...bare(PLANTS, sources)]);
}
