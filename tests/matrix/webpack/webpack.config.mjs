// Nothing is said of wasm: webpack takes `new URL(…, import.meta.url)` for a file to copy.
export default {
  mode: "production",
  entry: "./main.js",
  output: { path: `${import.meta.dirname ?? process.cwd()}/dist`, filename: "main.js", clean: true },
  performance: { hints: false },
};
