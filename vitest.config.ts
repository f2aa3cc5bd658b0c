import { defineConfig } from "vitest/config";

/** Another version of Slate in the place of ours, in our code and in slate-react's. */
const versions = (name: string, withDom: boolean) => ({
  extends: true as const,
  // What is not an ES module would `require` ours.
  resolve: { mainFields: ["module", "main"] },
  test: {
    name,
    include: ["tests/unit/{scene,mounting,selection,slate,bound}.test.{ts,tsx}"],
    alias: [
      { find: /^slate$/, replacement: `slate-${name}` },
      { find: /^slate-react$/, replacement: `slate-react-${name}` },
      ...(withDom ? [{ find: /^slate-dom$/, replacement: `slate-dom-${name}` }] : []),
    ],
    server: { deps: { inline: [/slate/] } },
  },
});

export default defineConfig({
  // The tests use the package as its users do: `slate-yrs` resolves to this folder and its built `dist`.
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "newest",
          include: [
            "js/**/*.test.{ts,tsx}",
            "tests/{unit,wire,interop,package,scenarios,exactness}/**/*.test.{ts,tsx}",
            "examples/screenplay/src/**/*.test.{ts,tsx}",
          ],
        },
      },
      // The ends and the middle of the range that package.json declares.
      versions("middle", true),
      versions("oldest", false),
    ],
  },
});
