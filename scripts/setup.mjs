// What a fresh machine lacks: found, installed where that is possible, and otherwise named.
// Everything here may be run again at any time; what is there already costs milliseconds.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask, must, root, say } from "./process.mjs";

const RUST = "1.95";

/**
 * What cargo builds natively is chosen alike everywhere in `npm test`. Cargo gives a package the features that all chosen
 * ones ask for: chosen alone, the engine and what it stands on would be compiled once more, and so would a good part of
 * what the server stands on.
 */
export const WORKSPACE = ["--workspace", "--exclude", "xtask"];
/** Builds the server's program as the native tests do: one of them runs it. */
export const SERVER = ["test", ...WORKSPACE, "--no-run", "--test", "kill"];

/** Rust with the wasm target. */
export async function rust() {
  const version = ask("cargo", ["--version"])?.match(/cargo (\d+)\.(\d+)/);
  if (!version) throw new Error(`Rust is missing. Install it from https://rustup.rs, then run this again.`);
  const [, major, minor] = version.map(Number);
  if (major === 1 && minor < Number(RUST.split(".")[1])) {
    throw new Error(`Rust ${RUST} or later is needed, this is ${major}.${minor}: run \`rustup update stable\`.`);
  }
  if (!ask("rustup", ["target", "list", "--installed"])?.includes("wasm32-unknown-unknown")) {
    say("Adding Rust's wasm32 target");
    await must("rustup", ["target", "add", "wasm32-unknown-unknown"]);
  }
}

/** The npm packages of the lock file. */
export async function packages() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) throw new Error(`Node 20 or later is needed, this is ${process.versions.node}.`);
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".lock-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("Installing npm packages");
  await must("npm", ["ci", "--no-audit", "--no-fund"]);
  writeFileSync(stamp, lock);
}

// What only the tests need, as Debian names it, and a program by which to see that it is there.
const TEST_PACKAGES = [
  ["chromium", "/usr/bin/chromium"],
  ["chromium-driver", "/usr/bin/chromedriver"],
  ["firefox-esr", "/usr/bin/firefox-esr"],
  ["webkit2gtk-driver", "/usr/bin/WebKitWebDriver"],
  ["xvfb", "/usr/bin/Xvfb"],
  ["xdotool", "/usr/bin/xdotool"],
  ["redis-server", "/usr/bin/redis-server"],
  ["postgresql", "/usr/lib/postgresql"],
  ["prometheus", "/usr/bin/promtool"],
  ["nginx-light", "/usr/sbin/nginx"],
  ["caddy", "/usr/bin/caddy"],
  ["systemd", "/usr/bin/systemd-analyze"],
];

/** Browsers and databases for the tests. */
export async function testTools() {
  const missing = TEST_PACKAGES.filter(([, path]) => !existsSync(path)).map(([name]) => name);
  if (missing.length === 0) return;
  const list = missing.join(" ");
  if (process.getuid?.() !== 0 || !ask("apt-get", ["--version"])) {
    throw new Error(`The tests need: ${list}. On Debian: \`sudo apt-get install ${list}\`.`);
  }
  say(`Installing ${list}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  for (let attempt = 1; ; attempt += 1) {
    try {
      await must("apt-get", ["update", "-q"], { env });
      await must("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...missing], { env });
      return;
    } catch (error) {
      if (attempt === 5) throw error;
      // Another apt run may hold the lock.
      await new Promise((wake) => setTimeout(wake, 10_000));
    }
  }
}

// By the folders that they make.
const PYTHON_PACKAGES = {
  pycrdt: "pycrdt==0.14.13",
  "pycrdt/websocket": "pycrdt-websocket==0.16.5",
  hypercorn: "hypercorn==0.18.0",
  httpx_ws: "httpx-ws==0.9.0",
  kubernetes_validate: "kubernetes-validate==1.37.0",
};

/** Into `target/python`: a y-websocket server, against which the engine is tested, and the schemas of Kubernetes. */
export async function pythonPackages() {
  const folder = join(root, "target/python");
  const missing = Object.keys(PYTHON_PACKAGES).filter((name) => !existsSync(join(folder, name)));
  if (missing.length === 0) return;
  if (!ask("python3", ["-m", "pip", "--version"])) {
    throw new Error("The tests need Python 3 with pip. On Debian: `sudo apt-get install python3-pip`.");
  }
  const wanted = missing.map((name) => PYTHON_PACKAGES[name]);
  say(`Installing ${wanted.join(", ")}`);
  const flags = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--target", folder];
  await must("python3", ["-m", "pip", "install", ...flags, ...wanted]);
}

/** The build tool: wasm-bindgen of the lock file's version. */
export async function xtask() {
  mkdirSync(join(root, "target"), { recursive: true });
  await must("cargo", ["build", "--quiet", "--package", "xtask", "--profile", "xtask", "--target-dir", "target/xtask"]);
}

/** The wasm module in `pkg/`. */
export async function wasm(profile) {
  await xtask();
  await must("target/xtask/xtask/xtask", ["build", profile]);
}

/** The JavaScript package in `dist/`. */
export async function js() {
  await must("npx", ["--no-install", "tsc", "-p", "js"]);
}

/** The same package around an engine that can be made to panic, in `target/testing/`. */
export async function testing() {
  await must("target/xtask/xtask/xtask", ["build", "--dev", "--feature", "testing", "--out", "target/testing/pkg"]);
  cpSync(join(root, "dist"), join(root, "target/testing/dist"), { recursive: true });
}

if (import.meta.url === `file://${process.argv[1]}`) {
  try {
    await rust();
    await packages();
    await testTools();
    await pythonPackages();
    say("Ready");
  } catch (error) {
    console.error(`\n${error.message}`);
    process.exit(1);
  }
}
