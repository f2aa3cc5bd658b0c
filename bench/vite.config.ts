import { join } from "node:path";
import { defineConfig } from "vite";

// Cross-origin isolation gives `performance.now()` its full resolution (5 µs instead of 100).
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// Another version of this package beside this one: the folder in which it was built.
const before = process.env.BENCH_BEFORE;
const built = (entry: string) => before && join(before, "dist", `${entry}.js`);

export default defineConfig({
  root: import.meta.dirname,
  resolve: {
    alias: [
      { find: "slate-yrs-before/slate", replacement: built("slate") ?? "slate-yrs/slate" },
      { find: "slate-yrs-before", replacement: built("index") ?? "slate-yrs" },
    ],
  },
  build: { target: "esnext", outDir: "dist", emptyOutDir: true },
  preview: { headers },
});
