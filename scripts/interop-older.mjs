// `npm run interop:older`: an older version of this package beside this one. Builds the last commit that does not know
// format 1, once, into `target/older`, then runs the tests that need it; `npm test` passes over them where it is not built.
import { join } from "node:path";
import { buildCommit } from "./commit.mjs";
import { must, root } from "./process.mjs";

/** The last commit that knows format 0 only. */
const BEFORE_FORMAT_1 = "37dfca3";
try {
  await buildCommit(BEFORE_FORMAT_1, join(root, "target/older"), "--dev");
  await must("cargo", ["build", "--package", "slate-yrs-server"]);
  await must("npx", ["--no-install", "vitest", "run", "tests/interop/formats"]);
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}
