// What holds of the repository as a whole, read off its files: each check on its own, all of them whatever fails.
import { join } from "node:path";
import { root, run } from "../process.mjs";

let failed = 0;
const CHECKS = ["planted", "cycles", "names", "faults", "parts", "paths", "plants", "exports", "licences"];
for (const check of CHECKS) {
  const { code } = await run("node", [join(root, "scripts/checks", `${check}.mjs`)]);
  if (code !== 0) failed += 1;
}
console.log(`house: ${CHECKS.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
