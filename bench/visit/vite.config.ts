import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  resolve: { dedupe: ["react", "react-dom", "slate", "slate-dom", "slate-react"] },
  build: {
    target: "es2022",
    emptyOutDir: true,
    chunkSizeWarningLimit: 900,
    // Each page with everything in a script of its own, as an application has it.
    rolldownOptions: { input: ["slate-yrs.html", "slate-yjs.html"].map((page) => `${import.meta.dirname}/${page}`) },
  },
});
