// `npm run scenarios -- --engine format0 --family lists --only lists-001 --verbose`, or `-- --engine format0 --random 1000`:
// see tests/scenarios/README.md.
import { runMain } from "./typescript.mjs";

const args = process.argv.slice(2);
const folder = args.includes("--random") ? "random" : "runner";
await runMain(`/tests/scenarios/${folder}/main.ts`, args);
