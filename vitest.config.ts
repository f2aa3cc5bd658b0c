import { defineConfig } from "vitest/config";

export default defineConfig({
  // The tests use the package as its users do: `slate-yrs` resolves to this folder and its built `dist`.
  test: {
    include: [
      "js/**/*.test.{ts,tsx}",
      "tests/{unit,wire,interop,package,scenarios,exactness}/**/*.test.{ts,tsx}",
      "examples/screenplay/src/**/*.test.{ts,tsx}",
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
