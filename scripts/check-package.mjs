// The package as a user gets it: packed, linted, installed into a fresh Vite project and into plain Node.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NOTICES, unnoticed, writePackageNotices } from "./notices.mjs";
import { must, root, say } from "./process.mjs";

const folder = mkdtempSync(join(tmpdir(), "slate-yrs-package-"));
let passed = 0;
let failed = 0;

async function check(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`FAILED  ${name}: ${error.message}`);
  }
}

say("Packing");
writePackageNotices();
await must("npm", ["pack", "--ignore-scripts", "--pack-destination", folder]);
const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const tarball = join(folder, `${name}-${version}.tgz`);

await check("publint", () => must("npx", ["--no-install", "publint", "run", tarball, "--strict"]));
await check("are the types wrong", () =>
  must("npx", ["--no-install", "attw", tarball, "--profile", "esm-only", "--exclude-entrypoints", "slate-yrs.wasm"]),
);

const project = join(folder, "project");
await check("installs", async () => {
  cpSync(join(root, "tests/package/project"), project, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  manifest.dependencies[name] = `file:${tarball}`;
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  await must("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--silent"], { cwd: project });
});
await check("runs in Node", () => must("node", ["node.mjs"], { cwd: project }));
await check("renders on the server", () => must("node", ["server-render.mjs"], { cwd: project }));
await check("is a client's module where the server renders too", () => {
  // Without it, Next's App Router takes the hooks for a server's.
  const first = readFileSync(join(project, "node_modules", name, "dist/react.js"), "utf8").split("\n")[0];
  if (first !== '"use client";') throw new Error(`dist/react.js begins with ${first}`);
});
await check("brings the licences of what is in the module", () => {
  const installed = join(project, "node_modules", name, "pkg");
  const missing = unnoticed(join(installed, "slate_yrs_bg.wasm"), readFileSync(join(installed, NOTICES), "utf8"));
  if (missing.length > 0) throw new Error(missing.join("; "));
});
await check("builds with Vite", () => must("npx", ["--no-install", "vite", "build"], { cwd: project }));

rmSync(folder, { recursive: true, force: true });
console.log(`package: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
