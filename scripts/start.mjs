// `npm start`: builds what is missing, runs the server on SQLite with the example editor, prints the address.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { must, root, say } from "./process.mjs";
import { js, packages, rust, wasm } from "./setup.mjs";

const port = process.env.PORT ?? "8787";
const data = process.env.DATA ?? join(root, "data");

async function build() {
  await rust();
  await packages();
  say("Building the engine (Rust → WebAssembly); minutes the first time, seconds later");
  // The one that ships.
  await wasm("--size");
  await js();
  say("Building the example editor");
  await must("npm", ["run", "build", "--workspace", "screenplay"]);
  say("Building the server");
  await must("cargo", ["build", "--release", "--package", "slate-yrs-server"]);
}

try {
  await build();
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}

mkdirSync(data, { recursive: true });
const server = spawn(
  join(root, "target/release/slate-yrs-server"),
  [
    ...["--listen", `127.0.0.1:${port}`],
    ...["--database", `sqlite://${join(data, "slate-yrs.sqlite")}`],
    ...["--static", join(root, "examples/screenplay/dist")],
    ...["--auth", "none"],
  ],
  { cwd: root, stdio: "inherit" },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill(signal));
server.on("exit", (code, signal) => process.exit(signal ? 0 : (code ?? 1)));

for (let tries = 0; tries < 100; tries += 1) {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    if (answer.ok) {
      say(`The editor is at http://localhost:${port}/  (open it in two windows; Ctrl+C stops the server)`);
      break;
    }
  } catch {
    // Not up yet.
  }
  await new Promise((wake) => setTimeout(wake, 100));
}
