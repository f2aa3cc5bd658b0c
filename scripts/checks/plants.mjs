// Each bug that `npm run plant` plants still has its place in the code: the text is in the file once.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PLANTS } from "../planted-bugs.mjs";
import { root } from "../process.mjs";
import { close, text } from "./sources.mjs";

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

if (import.meta.url === `file://${process.argv[1]}`) {
  const read = (file) => (existsSync(join(root, file)) ? text(file) : null);
  close("plants", uprooted(PLANTS, read));
}
