// `npm run first-steps`: from an empty folder to two people typing, by the README alone. Runs the commands and writes the files of
// its section as they stand there, with the packed package in the place of the published one; then two browsers type. `--built`
// takes pkg/ and dist/ as they are. `--docs` writes how many steps it took, and how long, into docs/SETUP.md.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { freePort, must, root, say } from "./process.mjs";
import { js, wasm } from "./setup.mjs";

const README = "README.md";
const DOCS = "docs/SETUP.md";
const HEADING = "### From an empty folder to two people typing";
const WRITTEN_FOR = "wss://example.org";
const SERVER = "ws://localhost:8787";
/** Long, for a machine that is busy with other things. */
const PATIENCE = 120_000;

/** The blocks of a part of a text, with what stands before each. */
function blocks(text) {
  const found = [...text.matchAll(/([^\n]*)\n\n```(\w+)\n([\s\S]*?)```/g)];
  return found.map(([, before, language, body]) => ({ before, language, body }));
}

/** What the README says to do. */
function steps() {
  const text = readFileSync(join(root, README), "utf8");
  const at = text.indexOf(HEADING);
  if (at < 0) throw new Error(`${README} has no “${HEADING}”`);
  const part = text.slice(at, text.indexOf("\n## ", at));
  const component = blocks(text.slice(0, at)).find(
    ({ language, body }) => language === "tsx" && body.includes("Scene"),
  );
  if (!component?.body.includes(WRITTEN_FOR)) throw new Error(`${README} shows no component for ${WRITTEN_FOR}`);
  const files = new Map();
  for (const [, file] of part.matchAll(/`([\w.]+)` is the component above/g)) files.set(`src/${file}`, component.body);
  const commands = [];
  for (const { before, language, body } of blocks(part)) {
    if (language === "sh") commands.push(body.trim().split("\n"));
    else {
      const [, file, within] = /`([\w.]+\.tsx?)`( there)?[^`]*$/.exec(before) ?? [];
      files.set(within ? `src/${file}` : file, body);
    }
  }
  const [before, after] = commands;
  if (before === undefined || after === undefined || files.has(undefined))
    throw new Error(`${README} is not understood`);
  return { before, after, files };
}

const running = [];
function start(command, cwd) {
  const child = spawn(command, { cwd, shell: true, stdio: ["ignore", "ignore", "inherit"], detached: true });
  running.push(() => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  });
}

async function until(there, what) {
  const end = Date.now() + PATIENCE;
  while (!(await there().catch(() => false))) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

async function type(address) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const errors = [];
  const enter = async () => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
    await page.goto(address);
    const scene = page.getByRole("textbox");
    const shows = (words) => until(async () => (await scene.innerText()).includes(words), `“${words}” is seen`);
    const saved = () =>
      until(async () => (await page.locator(".slate-yrs-status").innerText()).startsWith("Saved"), "“Saved”");
    await saved();
    return { scene, page, shows, saved };
  };
  try {
    const [ada, ben] = [await enter(), await enter()];
    for (const [from, to, words] of [
      [ada, ben, "Ada writes."],
      [ben, ada, " So does Ben."],
    ]) {
      await from.scene.click();
      await from.page.keyboard.press("Control+End");
      await from.page.keyboard.type(words, { delay: 20 });
      await to.shows(words.trim());
      await from.saved();
    }
  } finally {
    await browser.close();
  }
  if (errors.length > 0) throw new Error(errors.slice(0, 3).join("; "));
}

const folder = mkdtempSync(join(tmpdir(), "slate-yrs-first-"));
let failed = null;
try {
  const binary = process.env.SLATE_YRS_SERVER ?? join(root, "target/debug/slate-yrs-server");
  if (!process.argv.includes("--built")) {
    await wasm("--size");
    await js();
    if (!existsSync(binary)) await must("cargo", ["build", "--quiet", "--package", "slate-yrs-server"]);
  }
  const { before, after, files } = steps();
  say("Packing");
  await must("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder]);
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

  const began = Date.now();
  let project = folder;
  for (const command of before) {
    say(command);
    if (command.startsWith("cd ")) project = join(project, command.slice(3));
    else {
      const given = command.replace(` ${name} `, ` ${join(folder, `${name}-${version}.tgz`)} `);
      // npm asks whether it may fetch what makes projects.
      await must("sh", ["-c", given], { cwd: project, env: { npm_config_yes: "true" } });
    }
  }
  // Others may use the port on this machine.
  const port = await freePort();
  for (const [file, body] of files) {
    mkdirSync(join(project, file, ".."), { recursive: true });
    writeFileSync(join(project, file), body.replace(WRITTEN_FOR, SERVER).replace(SERVER, `ws://localhost:${port}`));
  }
  say("npm run build: the types are right");
  await must("sh", ["-c", "npm run build"], { cwd: project });
  const page = await freePort();
  for (const command of after) {
    say(command);
    if (command.startsWith("./")) {
      const flags = `--listen 127.0.0.1:${port} --database sqlite://${join(folder, "scenes.sqlite")}`;
      start(`exec ${binary} ${flags}`, folder);
    } else start(`exec ${command} -- --port ${page} --strictPort`, project);
  }
  await until(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok, "the server answers");
  const address = `http://localhost:${page}/`;
  await until(async () => (await fetch(address)).ok, "the page is there");
  await type(address);
  const [seconds, count] = [Math.round((Date.now() - began) / 1000), before.length + after.length];
  const said = `${count} commands and ${files.size} files; ${seconds} s on this machine, with the installing`;
  console.log(said);
  if (process.argv.includes("--docs")) {
    const text = readFileSync(join(root, DOCS), "utf8");
    const [open, close] = ["<!-- npm run first-steps -->", "<!-- end of it -->"];
    const [head, tail] = [text.slice(0, text.indexOf(open)), text.slice(text.indexOf(close))];
    writeFileSync(join(root, DOCS), `${head}${open}\n${said}.\n${tail}`);
  }
} catch (error) {
  failed = error;
} finally {
  for (const stop of running) stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
if (failed !== null) console.error(`\n${failed.message}`);
console.log(`first steps: ${failed === null ? 1 : 0} passed, ${failed === null ? 0 : 1} failed`);
process.exit(failed === null ? 0 : 1);
