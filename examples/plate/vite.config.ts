import { createRequire } from "node:module";
import { dirname } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Where the sync server listens while the page comes from Vite.
const server = process.env.SYNC_SERVER ?? "http://localhost:8787";
const proxy = { "/ws": { target: server, ws: true }, "/api": { target: server } };

// Plate names its own versions of Slate. The page must have one of each, for what slate-react knows of an editor it keeps
// by its own copy. An application of its own says so in package.json ("overrides"); in this workspace others have newer ones.
const plate = createRequire(createRequire(import.meta.url).resolve("platejs"));
const core = createRequire(plate.resolve("@platejs/core"));
const alias = ["slate", "slate-dom", "slate-react"].map((name) => ({
  find: new RegExp(`^${name}$`),
  replacement: dirname(core.resolve(`${name}/package.json`)),
}));

export default defineConfig({
  base: "./",
  plugins: [react()],
  resolve: { alias, dedupe: ["react", "react-dom"] },
  // The engine finds its wasm beside itself, which a pre-bundled copy would not.
  optimizeDeps: { exclude: ["slate-yrs"] },
  server: { port: 5175, proxy, fs: { allow: ["../.."] } },
  preview: { proxy },
  build: { target: "es2022", chunkSizeWarningLimit: 1200 },
});
