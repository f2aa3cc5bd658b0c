// `npm run model [COUNT] [SEED]`: draws documents and histories, and compares what the engine shows of them with what the
// specification in tests/model shows. The seed is printed; without one it is that of the day's clock. `--whole` builds the
// engine as the other steps of `npm test` do, which takes no time after them, and a long one before.
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { must, root } from "./process.mjs";
import { WORKSPACE } from "./setup.mjs";

const [first, second] = process.argv.slice(2).filter((word) => word !== "--whole");
const count = Number(first ?? 5000);
const seed = Number(second ?? Math.floor(Date.now() / 1000));
const folder = join(root, "target", "drawn");
mkdirSync(folder, { recursive: true });

const files = [];
for (const [name, n, flags] of [
  ["documents", count, []],
  ["histories", Math.ceil(count / 50), ["--steps"]],
]) {
  const file = join(folder, `${name}.jsonl`);
  await must(process.execPath, ["tests/model/draw.mjs", ...flags, String(n), String(seed), file]);
  files.push(file);
}
const chosen = process.argv.includes("--whole") ? WORKSPACE : ["--package", "slate-yrs"];
await must("cargo", ["test", ...chosen, "--lib", "view::tests::drawn", "--", "--nocapture"], {
  env: { SLATE_DRAWN: files.join(delimiter) },
});
