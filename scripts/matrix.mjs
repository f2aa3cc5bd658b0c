// `npm run matrix`: the packed package in a small application for each bundler, framework and version of Slate that
// docs/SETUP.md names. Each is installed, built, and driven by two people in two browsers; the tests' tools run a test.
// `node scripts/matrix.mjs vite esbuild` takes some; `--docs` writes the result into docs/SETUP.md.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { ROWS } from "./matrix/rows.mjs";
import { serve } from "./matrix/serve.mjs";
import { freePort, must, root, say } from "./process.mjs";

/** Long, for a machine that is busy with other tests. */
const PATIENCE = 90_000;
const DOCS = "docs/SETUP.md";
const QUIET = { NEXT_TELEMETRY_DISABLED: "1" };

const wanted = process.argv.slice(2).filter((name) => !name.startsWith("--"));
const rows = wanted.length === 0 ? ROWS : ROWS.filter(({ name }) => wanted.includes(name));
const unknown = wanted.filter((name) => !ROWS.some((row) => row.name === name));
if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "slate-yrs-matrix-"));
const running = [];
const manifestOf = (path) => JSON.parse(readFileSync(join(path, "package.json"), "utf8"));

async function until(there, what) {
  const end = Date.now() + PATIENCE;
  while (!(await there())) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

const answers = (address) =>
  fetch(address).then(
    ({ ok }) => ok,
    () => false,
  );

function start(command, args, cwd) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...QUIET },
    stdio: ["ignore", "ignore", "inherit"],
    detached: true,
  });
  // What was started by npx stands in the same group.
  const stop = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  running.push(stop);
  return stop;
}

async function syncServer() {
  const binary = process.env.SLATE_YRS_SERVER ?? join(root, "target/debug/slate-yrs-server");
  if (!existsSync(binary)) await must("cargo", ["build", "--quiet", "--package", "slate-yrs-server"]);
  const port = await freePort();
  const database = `sqlite://${join(folder, "scenes.sqlite")}`;
  start(binary, ["--listen", `127.0.0.1:${port}`, "--database", database, "--auth", "none"], folder);
  await until(() => answers(`http://127.0.0.1:${port}/healthz`), "the server answers");
  return `ws://127.0.0.1:${port}`;
}

async function pack() {
  say("Packing");
  await must("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder]);
  const { name, version } = manifestOf(root);
  return join(folder, `${name}-${version}.tgz`);
}

/** Installs and builds an application. */
async function make(row, tarball) {
  const project = join(folder, row.name);
  mkdirSync(project);
  for (const part of row.folders) {
    const from = join(root, "tests/matrix", part);
    if (existsSync(from)) cpSync(from, project, { recursive: true });
  }
  for (const file of row.drop ?? []) rmSync(join(project, file), { force: true });
  const dependencies = { ...row.dependencies, "slate-yrs": `file:${tarball}` };
  const manifest = { name: row.name, private: true, type: "module", dependencies, ...row.manifest };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest, null, 2));
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--silent"];
  await must("npm", ["install", ...flags], { cwd: project });
  for (const [command, ...args] of row.build ?? []) await must(...within(command, args), { cwd: project, env: QUIET });
  for (const [from, to] of row.pages ?? []) cpSync(join(project, from), join(project, to));
  return project;
}

const within = (command, args) => (command === "node" ? [command, args] : ["npx", ["--no-install", command, ...args]]);

async function site(row, project, server) {
  if (row.serve === undefined) return serve(join(project, row.out), { path: row.path, headers: row.headers?.(server) });
  const port = String(await freePort());
  const [command, args] = within(row.serve[0], row.serve.slice(1));
  const given = args.map((arg) => (arg === "PORT" ? port : arg));
  const close = start(command, given, project);
  const address = `http://127.0.0.1:${port}/`;
  await until(() => answers(address), `${row.name} answers`);
  return { address, close };
}

/** Two people, each in a browser of their own, write one document; one reloads. */
async function drive(browser, row, address, server) {
  const errors = [];
  const enter = async (name) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => errors.push(`${name}: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(`${name}: ${message.text()}`);
    });
    const query = new URLSearchParams({ id: row.name, server: `${server}/ws/scenes`, name });
    await page.goto(`${address}?${query}`);
    const scene = page.getByRole("textbox", { name: "Scene" });
    const text = async () => {
      const found = await scene.evaluate((box) => ("value" in box ? box.value : box.innerText));
      return found.replaceAll("\uFEFF", "").trim();
    };
    const shows = (expected) => until(async () => (await text()) === expected, `${name} sees “${expected}”`);
    const saved = () =>
      until(
        async () => (await page.locator(".slate-yrs-status").textContent())?.startsWith("Saved"),
        `${name}: “Saved”`,
      );
    const type = async (more) => {
      await scene.click();
      await page.keyboard.press("Control+End");
      await page.keyboard.type(more, { delay: 10 });
    };
    await saved();
    return { page, type, shows, saved };
  };
  try {
    await together(enter);
  } catch (error) {
    const pages = browser.contexts().flatMap((context) => context.pages());
    const shown = await Promise.all(pages.map((page) => page.locator("body").innerText()));
    throw new Error([error.message, ...shown, ...errors].join("; "));
  } finally {
    await Promise.all(browser.contexts().map((context) => context.close()));
  }
  if (errors.length > 0) throw new Error(errors.slice(0, 3).join("; "));
}

async function together(enter) {
  const [ada, ben] = [await enter("Ada"), await enter("Ben")];
  await ada.type("Ada writes.");
  await ben.shows("Ada writes.");
  await ben.type(" So does Ben.");
  await ada.shows("Ada writes. So does Ben.");
  await Promise.all([ada.saved(), ben.saved()]);
  await ada.page.reload();
  await ada.shows("Ada writes. So does Ben.");
  await ada.type(" Again.");
  await ben.shows("Ada writes. So does Ben. Again.");
}

async function check(row, tarball, browser, server) {
  const project = await make(row, tarball);
  if (row.test !== undefined) await must(...within(row.test[0], row.test.slice(1)), { cwd: project });
  else {
    const { address, close } = await site(row, project, server);
    try {
      await drive(browser, row, address, server);
    } finally {
      await close();
    }
  }
  const version = (name) => (name === null ? "" : manifestOf(join(project, "node_modules", name)).version);
  const found = {
    tool: version(row.tool),
    react: row.react === null ? "–" : version("react"),
    slate: version("slate"),
  };
  rmSync(project, { recursive: true, force: true });
  return found;
}

function write(results) {
  const head = ["| | version | React | Slate | needs |", "|---|---|---|---|---|"];
  const lines = results.map(
    ({ row, found }) => `| ${row.title} | ${found.tool} | ${found.react} | ${found.slate} | ${row.needs} |`,
  );
  const [begin, end] = ["<!-- npm run matrix -->", "<!-- end -->"];
  const text = readFileSync(join(root, DOCS), "utf8");
  const [before, after] = [text.slice(0, text.indexOf(begin)), text.slice(text.indexOf(end))];
  writeFileSync(join(root, DOCS), `${before}${begin}\n${[...head, ...lines].join("\n")}\n${after}`);
}

const results = [];
let failed = 0;
try {
  const [tarball, server] = [await pack(), await syncServer()];
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  for (const row of rows) {
    say(`${row.title} (${row.name})`);
    const began = Date.now();
    try {
      results.push({ row, found: await check(row, tarball, browser, server) });
      console.log(`ok      ${row.name} (${Math.round((Date.now() - began) / 1000)} s)`);
    } catch (error) {
      failed += 1;
      console.error(`FAILED  ${row.name}: ${error.message}`);
    }
  }
  await browser.close();
} finally {
  for (const stop of running) stop();
  rmSync(folder, { recursive: true, force: true });
}
if (process.argv.includes("--docs") && failed === 0) write(results);
console.log(`matrix: ${rows.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
