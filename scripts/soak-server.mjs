// `npm run soak:server -- --seconds N --seed S`: the real server under load, its disk and its database failing in turn,
// killed now and then. See server/tests/soak.rs.
import { run } from "./process.mjs";

const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const env = { SERVER_SOAK_SECONDS: option("--seconds", "600") };
const seed = option("--seed", null);
if (seed !== null) env.SERVER_SOAK_SEED = seed;
const test = ["test", "--quiet", "--package", "slate-yrs-server", "--test", "soak", "--", "--nocapture"];
const { code } = await run("cargo", test, { env });
process.exit(code);
