export default { test: { environment: "jsdom", globals: true, testTimeout: 60_000 } };
