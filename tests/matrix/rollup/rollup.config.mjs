import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import commonjs from "@rollup/plugin-commonjs";
import resolve from "@rollup/plugin-node-resolve";
import replace from "@rollup/plugin-replace";

const wasm = createRequire(import.meta.url).resolve("slate-yrs/slate-yrs.wasm");
const copied = {
  name: "copied",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "slate_yrs_bg.wasm", source: readFileSync(wasm) });
    this.emitFile({ type: "asset", fileName: "index.html", source: readFileSync("index.html") });
  },
};

export default {
  input: "main.js",
  output: { dir: "dist", format: "es" },
  plugins: [
    replace({ preventAssignment: true, values: { "process.env.NODE_ENV": '"production"' } }),
    resolve({ browser: true }),
    commonjs(),
    copied,
  ],
  onwarn(warning, warn) {
    // "use client" means nothing to Rollup.
    if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
  },
};
