// Runs a module of the tests in Node, which runs no TypeScript by itself. Takes pkg/, dist/ and the server's debug build as they are.
import { createServer } from "vite";
import { root } from "./process.mjs";

/** Calls the module's `main` with `args`; exits with 0 if it returns 0, else with 1. */
export async function runMain(module, args) {
  // Yjs freezes what it holds in development, which bytes do not bear.
  process.env.NODE_ENV = "test";
  // Nothing is served.
  const vite = await createServer({
    root,
    configFile: false,
    logLevel: "warn",
    appType: "custom",
    server: { middlewareMode: true, watch: null, hmr: false, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  let code = 1;
  try {
    const { main } = await vite.ssrLoadModule(module);
    code = (await main(args)) === 0 ? 0 : 1;
  } finally {
    await vite.close();
  }
  process.exit(code);
}
