// `npm run dev`: server, page and engine, each rebuilt when its sources change.
import { spawn } from "node:child_process";
import { mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import { root, run, say } from "./process.mjs";
import { js, packages, rust, wasm } from "./setup.mjs";

const PORT = process.env.PORT ?? "8787";
const children = new Set();

function keep(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
  children.add(child);
  child.on("exit", () => children.delete(child));
  return child;
}

let server = null;
async function serve() {
  const { code } = await run("cargo", ["build", "--package", "slate-yrs-server"]);
  if (code !== 0) return;
  if (server) {
    const gone = new Promise((done) => server.once("exit", done));
    server.kill("SIGTERM");
    await gone;
  }
  mkdirSync(join(root, "data"), { recursive: true });
  server = keep("target/debug/slate-yrs-server", [
    ...["--listen", `127.0.0.1:${PORT}`],
    ...["--database", "sqlite://data/dev.sqlite"],
    ...["--auth", "none"],
  ]);
}

async function engine() {
  await wasm("--dev");
}

/** Runs `work` after changes below `folders`, one run at a time, the last change never missed. */
function onChange(folders, ending, work) {
  let timer = null;
  let running = false;
  let again = false;
  const start = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await work();
    } catch (error) {
      console.error(error.message);
    }
    running = false;
    if (again) {
      again = false;
      start();
    }
  };
  for (const folder of folders) {
    watch(join(root, folder), { recursive: true }, (_, file) => {
      if (!file || !ending.test(file)) return;
      clearTimeout(timer);
      timer = setTimeout(start, 200);
    });
  }
}

try {
  await rust();
  await packages();
  await engine();
  await js();
  await serve();
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}

onChange(["src"], /\.rs$/, async () => {
  await engine();
  await serve();
});
onChange(["server/src"], /\.(rs|sql)$/, serve);
keep("npx", ["--no-install", "tsc", "-p", "js", "--watch", "--preserveWatchOutput"]);
keep("npm", ["run", "dev", "--workspace", "screenplay"], {
  env: { ...process.env, SYNC_SERVER: `http://127.0.0.1:${PORT}` },
});
say(`Watching. The server is on port ${PORT}; the page's address follows.`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const child of children) child.kill("SIGTERM");
    process.exit(0);
  });
}
