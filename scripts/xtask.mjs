// `npm run build:wasm`: the build tool, built first if it is not there.
import { must } from "./process.mjs";
import { rust, xtask } from "./setup.mjs";

try {
  await rust();
  await xtask();
  await must("target/xtask/xtask/xtask", process.argv.slice(2));
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}
