// `npm run exactness -- 100000 --seed 7`: so many random operations from that seed on; after every flush the document, read by
// somebody who has the updates alone, is compared with the editor. `--dump FOLDER`: what differed, one file for each seed;
// `--shrink FILE…`: the fewest operations that show what is in such a file. `--verbose`: each seed as it begins. `--alone`: only
// documents of one person, who takes everything back and does it again.
import { runMain } from "./typescript.mjs";

const args = process.argv.slice(2);
const shrinks = args[0] === "--shrink";
await runMain(`/tests/exactness/${shrinks ? "shrink" : "main"}.ts`, shrinks ? args.slice(1) : args);
