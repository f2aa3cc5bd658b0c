import { copyFileSync } from "node:fs";
import { build } from "esbuild";

await build({
  entryPoints: ["main.js"],
  outdir: "dist",
  bundle: true,
  format: "esm",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".wasm": "file" },
});
copyFileSync("index.html", "dist/index.html");
