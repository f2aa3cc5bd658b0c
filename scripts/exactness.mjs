// `npm run exactness -- 100000 --seed 7`: so many random operations from that seed on; after every flush the document, read by
// somebody who has the updates alone, is compared with the editor. `--dump FOLDER`: what differed, to be looked at.
import { runMain } from "./typescript.mjs";

await runMain("/tests/exactness/main.ts", process.argv.slice(2));
