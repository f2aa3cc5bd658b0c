// The rows of the matrix: with what a small application is built, and what it needs for that. The applications are in
// `tests/matrix`: `app` is what all of them have in common.

const REACT = { 19: "^19.2.0", 18: "^18.3.1" };
const SLATE = {
  newest: { slate: "^0.146.0", "slate-dom": "^0.146.1", "slate-react": "^0.146.1" },
  middle: { slate: "^0.120.0", "slate-dom": "^0.119.0", "slate-react": "^0.120.0" },
  oldest: { slate: "^0.110.2", "slate-react": "^0.110.3" },
};

/**
 * `folders`: what is copied, the later over the earlier. `build`: commands. `out`: what is served then, under `path` and
 * with `headers`; or `serve`: a command that serves by itself at the port that it gets in the place of PORT. `needs`: for
 * docs/SETUP.md.
 */
const ROWS = [
  row("vite", "Vite", 19, "newest", { vite: "^8.0.0" }, ["app", "vite"], {
    build: [["vite", "build"]],
    out: "dist",
    needs: "nothing",
  }),
  row("vite-dev", "Vite, `vite dev`", 19, "newest", { vite: "^8.0.0" }, ["app", "vite-dev"], {
    serve: ["vite", "--port", "PORT", "--strictPort", "--host", "127.0.0.1"],
    needs:
      '`optimizeDeps: { exclude: ["slate-yrs"], include: ["react/jsx-runtime"] }`, the latter unless `@vitejs/plugin-react` is used',
  }),
  row("vite-react18", "Vite", 18, "oldest", { vite: "^8.0.0" }, ["app", "vite"], {
    build: [["vite", "build"]],
    out: "dist",
    needs: "nothing",
  }),
  row("webpack", "webpack", 19, "newest", { webpack: "^5.0.0", "webpack-cli": "^6.0.0" }, ["app", "webpack"], {
    build: [["webpack"]],
    out: "dist",
    pages: [["page.html", "dist/index.html"]],
    needs: "nothing",
  }),
  row("webpack-react18", "webpack", 18, "middle", { webpack: "^5.0.0", "webpack-cli": "^6.0.0" }, ["app", "webpack"], {
    build: [["webpack"]],
    out: "dist",
    pages: [["page.html", "dist/index.html"]],
    needs: "nothing",
  }),
  row("next", "Next, App Router", 19, "newest", { next: "^16.0.0" }, ["app", "next"], {
    build: [["next", "build"]],
    serve: ["next", "start", "--port", "PORT", "--hostname", "127.0.0.1"],
    drop: ["index.html", "main.js"],
    needs: 'a client component (`"use client"`)',
  }),
  row("esbuild", "esbuild", 19, "newest", { esbuild: "^0.28.0" }, ["app", "esbuild"], {
    build: [["node", "build.mjs"]],
    out: "dist",
    needs:
      '`loader: { ".wasm": "file" }`, and `init(new URL(wasm, import.meta.url))` with `import wasm from "slate-yrs/slate-yrs.wasm"`',
  }),
  row(
    "rollup",
    "Rollup",
    19,
    "newest",
    {
      rollup: "^4.0.0",
      "@rollup/plugin-node-resolve": "^16.0.0",
      "@rollup/plugin-commonjs": "^29.0.0",
      "@rollup/plugin-replace": "^6.0.0",
    },
    ["app", "rollup"],
    {
      build: [["rollup", "--config", "rollup.config.mjs"]],
      out: "dist",
      needs:
        'the file `slate-yrs/slate-yrs.wasm` copied beside the bundle, and `init(new URL("./slate_yrs_bg.wasm", import.meta.url))`',
    },
  ),
  row("parcel", "Parcel", 19, "newest", { parcel: "^2.16.0" }, ["app", "parcel"], {
    build: [["parcel", "build", "index.html", "--no-source-maps", "--public-url", "./", "--no-cache"]],
    out: "dist",
    manifest: { "@parcel/resolver-default": { packageExports: true } },
    needs: '`"@parcel/resolver-default": { "packageExports": true }` in package.json',
  }),
  row("no-bundler", "none: an import map", null, "newest", {}, ["app", "no-bundler"], {
    build: [],
    out: ".",
    drop: ["editor.js"],
    needs: "an import map of `slate`, `slate-yrs` and `slate-yrs/slate`",
  }),
  row("sub-path", "Vite, page under `/some/where/`", 19, "newest", { vite: "^8.0.0" }, ["app", "vite"], {
    build: [["vite", "build"]],
    out: "dist",
    path: "/some/where/",
    needs: '`base: "./"`, or the path',
  }),
  row("csp", "Vite, strict Content-Security-Policy", 19, "newest", { vite: "^8.0.0" }, ["app", "vite"], {
    build: [["vite", "build"]],
    out: "dist",
    headers: (server) => ({
      "content-security-policy": `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; connect-src 'self' ${server}`,
    }),
    needs: "`script-src 'wasm-unsafe-eval'`; `connect-src` with the page's own address (for the wasm) and the server's",
  }),
  row("worker", "Vite, the document in a worker", null, "newest", { vite: "^8.0.0" }, ["app", "vite", "worker"], {
    build: [["vite", "build"]],
    out: "dist",
    drop: ["editor.js"],
    needs: '`new Worker(…, { type: "module" })`',
  }),
  row(
    "vitest",
    "Vitest with jsdom",
    19,
    "newest",
    { vitest: "^4.0.0", jsdom: "^27.0.0", "@testing-library/react": "^16.3.0", "@testing-library/dom": "^10.4.0" },
    ["jsdom", "vitest"],
    { test: ["vitest", "run"], needs: "nothing" },
  ),
  row(
    "jest",
    "Jest with jsdom",
    19,
    "newest",
    {
      jest: "^30.0.0",
      "jest-environment-jsdom": "^30.0.0",
      "@testing-library/react": "^16.3.0",
      "@testing-library/dom": "^10.4.0",
    },
    ["jsdom", "jest"],
    {
      test: ["node", "--experimental-vm-modules", "node_modules/jest/bin/jest.js"],
      needs:
        "`node --experimental-vm-modules`, and a jsdom environment that hands on what Node has: `tests/matrix/jest`",
    },
  ),
];

function row(name, title, react, slate, tools, folders, more) {
  const frame = react === null ? {} : { react: REACT[react], "react-dom": REACT[react] };
  const versions = react === null ? { slate: SLATE[slate].slate } : SLATE[slate];
  const main = Object.keys(tools)[0] ?? null;
  return { name, title, react, slate, tool: main, dependencies: { ...frame, ...versions, ...tools }, folders, ...more };
}

export { ROWS };
