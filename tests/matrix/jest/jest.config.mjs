// The package is ES modules only, which Jest runs as they are: `node --experimental-vm-modules node_modules/jest/bin/jest.js`.
// In jsdom a package's browser entry would be taken; React's test tools want Node's.
export default {
  testEnvironment: "./environment.mjs",
  testEnvironmentOptions: { customExportConditions: ["node", "node-addons"] },
  transform: {},
  // Long, for a machine that is busy with other tests.
  testTimeout: 60_000,
};
