// `npm run nodes`: a script edits a document while somebody types in it, in each version of Node that is supported. They come
// from npm, into target/nodes. `-- 22` takes one of them. Needs what `npm run build` and `cargo build -p slate-yrs-server` make.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createEditor, Transforms } from "slate";
import { WebSocket } from "ws";
import { open } from "../dist/index.js";
import { withCollab } from "../dist/slate.js";
import { freePort, root, say } from "./process.mjs";

const VERSIONS = process.argv.length > 2 ? process.argv.slice(2) : ["20", "22", "24"];
/** Blocks that each script writes. */
const COUNT = 50;

/** The program of a version. */
function nodeOf(version) {
  const folder = join(root, "target/nodes", version);
  const program = join(folder, "node_modules/node/bin/node");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), "{}");
    execFileSync("npm", ["install", "--no-audit", "--no-fund", `node@${version}`], { cwd: folder, stdio: "ignore" });
  }
  return program;
}

const binary = process.env.SLATE_YRS_SERVER ?? join(root, "target/debug/slate-yrs-server");
const database = mkdtempSync(join(tmpdir(), "slate-yrs-nodes-"));
const port = await freePort();
const flags = [
  "--listen",
  `127.0.0.1:${port}`,
  "--database",
  `sqlite:${join(database, "db.sqlite")}`,
  "--log",
  "error",
];
const server = spawn(binary, flags, { stdio: "inherit" });
const answers = () =>
  fetch(`http://127.0.0.1:${port}/healthz`).then(
    () => true,
    () => false,
  );
while (!(await answers())) await sleep(50);
const url = `ws://127.0.0.1:${port}/ws/scenes`;
let failed = false;
for (const version of VERSIONS) {
  const program = nodeOf(version);
  const id = `node-${version}`;
  const initialValue = [{ type: "p", children: [{ text: "." }] }];
  const person = await open({ id, url, WebSocket, offline: false, initialValue });
  const editor = withCollab(createEditor(), person);
  await person.whenSaved();
  const script = spawn(program, ["tests/nodes/edits.mjs", url, id, String(COUNT)], {
    cwd: root,
    stdio: "inherit",
  });
  let code;
  script.on("exit", (given) => {
    code = given ?? 1;
  });
  let typed = 0;
  for (; code === undefined; typed += 1) {
    Transforms.insertText(editor, "x", { at: { path: [0, 0], offset: 0 } });
    await sleep(20);
  }
  await person.whenSaved();
  const expected = ["x".repeat(typed).concat("."), ...Array.from({ length: COUNT }, (_, at) => `<${at}>`)];
  const here = () => editor.children.map((_, at) => editor.string([at]));
  for (let wait = 0; wait < 1000 && here().length < expected.length; wait += 1) await sleep(10);
  const is = here().join("\n") === expected.join("\n");
  const name = execFileSync(program, ["--version"], { encoding: "utf8" }).trim();
  say(
    `Node ${name}: ${code === 0 && is ? "fine" : `failed (${code}): ${here().join(" ")}`}, ${typed} letters typed meanwhile`,
  );
  failed ||= code !== 0 || !is;
  await person.close();
}
server.kill();
rmSync(database, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
