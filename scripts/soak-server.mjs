// `npm run soak:server -- --seconds N --seed S`: the real server under load, its disk and its database failing in turn,
// killed now and then (server/tests/soak.rs). With `--servers 3` three of them on PostgreSQL and Redis, all of which are killed
// in turn (server/tests/cluster.rs).
import { run } from "./process.mjs";

const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const env = { SERVER_SOAK_SECONDS: option("--seconds", "600") };
const seed = option("--seed", null);
if (seed !== null) env.SERVER_SOAK_SEED = seed;
const test = option("--servers", "1") === "3" ? ["cluster", "--", "soaked"] : ["soak", "--"];
const { code } = await run(
  "cargo",
  ["test", "--quiet", "--package", "slate-yrs-server", "--test", ...test, "--nocapture"],
  { env },
);
process.exit(code);
