// `npm run model [COUNT] [SEED]`: draws documents and histories, and compares what the engine shows of them with what the
// specification in tests/model shows. The seed is printed; without one it is that of the day's clock.
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { must, root } from "./process.mjs";

const count = Number(process.argv[2] ?? 5000);
const seed = Number(process.argv[3] ?? Math.floor(Date.now() / 1000));
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
await must("cargo", ["test", "--package", "slate-yrs", "--lib", "view::tests::drawn", "--", "--nocapture"], {
  env: { SLATE_DRAWN: files.join(delimiter) },
});
