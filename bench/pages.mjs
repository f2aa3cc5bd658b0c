// What the benches have in common whose pages run in a browser: the script that is written in, and the server behind it.
import { join } from "node:path";
import { createServer } from "vite";
import { must, root, say } from "../scripts/process.mjs";
import { js, packages, rust, wasm } from "../scripts/setup.mjs";

/** What stands behind `--name` on the command line, as text. */
export function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
}

/** Builds what ships, and the server, unless `--built` says that they are there. */
export async function everythingBuilt() {
  if (process.argv.includes("--built")) return;
  await rust();
  await packages();
  say("Building");
  await wasm("--size");
  await js();
  await must("cargo", ["build", "--release", "--package", "slate-yrs-server"]);
}

/** A feature film, as the example makes it. `configFile`: Vite's, of the bench. */
export async function featureScript(configFile) {
  const vite = await createServer({
    configFile,
    logLevel: "warn",
    server: { middlewareMode: true },
    appType: "custom",
  });
  const { generateScript } = await vite.ssrLoadModule(join(root, "examples/screenplay/src/script/generator.ts"));
  await vite.close();
  return generateScript();
}

/** Waits until the server at a port of this machine answers. */
export async function up(port) {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error("the server did not come up: build it (without --built this command does)");
}
