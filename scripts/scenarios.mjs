// `npm run scenarios -- --engine format0 --family lists --only lists-001 --verbose`, or `-- --engine format0 --random 1000`:
// see tests/scenarios/README.md.
// Takes pkg/, dist/ and the server's debug build as they are.
import { createServer } from "vite";
import { root } from "./process.mjs";

// Yjs freezes what it holds in development, which bytes do not bear.
process.env.NODE_ENV = "test";

// Node runs no TypeScript; nothing is served.
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
  const args = process.argv.slice(2);
  const folder = args.includes("--random") ? "random" : "runner";
  const { main } = await vite.ssrLoadModule(`/tests/scenarios/${folder}/main.ts`);
  code = (await main(args)) === 0 ? 0 : 1;
} finally {
  await vite.close();
}
process.exit(code);
