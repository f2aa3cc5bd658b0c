// `npm run release`: what a team takes, in `target/release-files/`: the npm package, the server as one static binary with
// what runs it, the files of an image, checksums, and with each the licences of what others have written in it.
// The binary is started in an empty folder of its own (chroot), where somebody writes and reads again.
// `--built` takes pkg/, dist/ and the binary as they are.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NOTICES, notices, SHIPPED, unnoticed, writePackageNotices } from "./notices.mjs";
import { ask, freePort, must, root, say } from "./process.mjs";
import { js, packages, rust, wasm } from "./setup.mjs";

const TARGET = SHIPPED.server.target;
const built = process.argv.includes("--built");
const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const out = join(root, "target/release-files");
const binary = join(root, "target", TARGET, "release/slate-yrs-server");

/** Rust's target, and a C compiler for it: SQLite and ring are in C. */
async function toolchain() {
  await rust();
  await packages();
  if (!ask("rustup", ["target", "list", "--installed"])?.includes(TARGET))
    await must("rustup", ["target", "add", TARGET]);
  if (ask("musl-gcc", ["--version"]) !== null) return;
  if (process.getuid?.() !== 0) throw new Error("musl-gcc is missing. On Debian: `sudo apt-get install musl-tools`.");
  await must("apt-get", ["install", "-y", "-q", "--no-install-recommends", "musl-tools"]);
}

async function build() {
  await toolchain();
  say("Building the module that ships, and the package");
  await wasm("--size");
  await js();
  say("Building the static server");
  const args = ["build", "--release", "--quiet", "--locked", "--target", TARGET, "--package", "slate-yrs-server"];
  await must("cargo", args, { env: { CARGO_PROFILE_RELEASE_STRIP: "debuginfo" } });
}

/** The image takes the binary instead of building one; what is around it is that of server/Dockerfile. */
function dockerfile() {
  const whole = readFileSync(join(root, "server/Dockerfile"), "utf8");
  const from = "COPY --from=build /src/target/release/slate-yrs-server ";
  const stage = whole.slice(whole.lastIndexOf("FROM "));
  if (!stage.includes(from)) throw new Error("server/Dockerfile no longer copies the binary as the release expects");
  return `# In this folder: docker build -t slate-yrs-server:${version} .\n${stage.replace(from, "COPY slate-yrs-server ")}`;
}

function lay() {
  const server = join(out, `slate-yrs-server-${version}-x86_64-linux`);
  mkdirSync(server);
  copyFileSync(binary, join(server, "slate-yrs-server"));
  copyFileSync(join(root, "LICENSE"), join(server, "LICENSE"));
  writeFileSync(join(server, NOTICES), notices(SHIPPED.server));
  writeFileSync(join(server, "Dockerfile"), dockerfile());
  for (const [from, to] of [
    ["docs/SERVER.md", "SERVER.md"],
    ["server/deploy", "deploy"],
    ["server/monitoring", "monitoring"],
  ]) {
    cpSync(join(root, from), join(server, to), { recursive: true });
  }
  return server;
}

/** In a folder that has the binary and nothing else, twice: the second has what was written to the first. */
async function alone() {
  if (process.getuid?.() !== 0) throw new Error("the test in an empty chroot needs root");
  const folder = mkdtempSync(join(tmpdir(), "slate-yrs-alone-"));
  copyFileSync(binary, join(folder, "slate-yrs-server"));
  const { open } = await import(join(root, "dist/index.js"));
  const { WebSocket } = await import("ws");
  const words = [{ type: "p", children: [{ text: "in an empty chroot" }] }];
  try {
    for (const initialValue of [words, undefined]) {
      const port = await freePort();
      const flags = ["--listen", `127.0.0.1:${port}`, "--database", "sqlite:/scenes.sqlite"];
      const server = spawn("chroot", [folder, "/slate-yrs-server", ...flags], {
        stdio: "ignore",
        env: { PATH: process.env.PATH },
      });
      const ended = new Promise((done) => server.once("exit", done));
      const url = `ws://127.0.0.1:${port}/ws/scenes`;
      const collab = await open({ id: "alone", url, offline: false, WebSocket, initialValue });
      const waited = Promise.all([collab.whenSynced(), collab.whenSaved()]).then(() => "saved");
      const late = new Promise((tell) => setTimeout(tell, 60_000, "late").unref());
      const outcome = await Promise.race([waited, late, ended.then((code) => `ended with ${code}`)]);
      const value = JSON.stringify(collab.value());
      await collab.close();
      server.kill();
      await ended;
      if (outcome !== "saved") throw new Error(`in an empty chroot the server: ${outcome}`);
      if (value !== JSON.stringify(words)) throw new Error(`in an empty chroot it has ${value}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function pack(folder) {
  const { status, stderr } = spawnSync("tar", ["-czf", `${folder}.tar.gz`, "-C", out, folder.slice(out.length + 1)]);
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  rmSync(folder, { recursive: true });
}

const began = Date.now();
try {
  if (!built) await build();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  say("Packing");
  const text = writePackageNotices();
  await must("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", out]);
  const server = lay();
  const missing = [
    ...unnoticed(join(root, "pkg/slate_yrs_bg.wasm"), text),
    ...unnoticed(binary, readFileSync(join(server, NOTICES), "utf8")),
  ];
  if (missing.length > 0) throw new Error(missing.join("\n"));
  say("Starting the server in an empty chroot");
  await alone();
  pack(server);
  const sums = readdirSync(out).map((file) => {
    const bytes = readFileSync(join(out, file));
    console.log(`${file}: ${(bytes.length / 1e6).toFixed(1)} MB`);
    return `${createHash("sha256").update(bytes).digest("hex")}  ${file}\n`;
  });
  writeFileSync(join(out, "SHA256SUMS"), sums.join(""));
  console.log(`${name} ${version}: in target/release-files/, after ${Math.round((Date.now() - began) / 1000)} s`);
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}
process.exit(0);
