import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { offline } from "./offline/plugin.ts";

// Where the sync server listens while the page comes from Vite.
const server = process.env.SYNC_SERVER ?? "http://localhost:8787";
const proxy = { "/ws": { target: server, ws: true }, "/api": { target: server } };

export default defineConfig({
  base: "./",
  plugins: [react(), offline()],
  // The package is linked into the workspace: one React and one Slate for it and the page.
  resolve: { dedupe: ["react", "react-dom", "slate", "slate-dom", "slate-react"] },
  // The engine finds its wasm beside itself, which a pre-bundled copy would not.
  optimizeDeps: { exclude: ["slate-yrs"] },
  server: { proxy, fs: { allow: ["../.."] } },
  preview: { proxy },
  build: { target: "es2022", chunkSizeWarningLimit: 900 },
});
