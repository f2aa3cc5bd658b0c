// Running other programs: output streamed through, closing lines remembered, failures named.
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

const bold = (text) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text);

/** Says what happens next. */
export function say(text) {
  console.log(bold(`\n▸ ${text}`));
}

/**
 * Runs a program to its end with its output shown, unless `quiet`, or given to `show`; returns its exit code and the lines
 * `keep` accepts.
 */
export function run(command, args, { env = {}, cwd = root, keep = () => false, quiet = false, show = null } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const kept = [];
    for (const [stream, out] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      let rest = "";
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        if (show) show(text);
        else if (!quiet) out.write(text);
        rest += text;
        const lines = rest.split("\n");
        rest = lines.pop();
        for (const line of lines) if (keep(plain(line))) kept.push(plain(line).trim());
      });
      stream.on("end", () => {
        if (rest && keep(plain(rest))) kept.push(plain(rest).trim());
      });
    }
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      done({ code: 127, kept });
    });
    child.on("close", (code) => done({ code: code ?? 1, kept }));
  });
}

/** Runs a program that must succeed; throws with the command line otherwise. */
export async function must(command, args, options) {
  const { code, kept } = await run(command, args, options);
  if (code !== 0) throw new Error(`\`${[command, ...args].join(" ")}\` failed (exit ${code})`);
  return kept;
}

/** The output of a quick program, or null if it is missing or fails. */
export function ask(command, args = []) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return result.error || result.status !== 0 ? null : result.stdout.trim();
}

/** A port of this machine that nobody listens at. */
export async function freePort() {
  const probe = createServer();
  await new Promise((listening) => probe.listen(0, "127.0.0.1", listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

function plain(line) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of the runners are taken out
  return line.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "");
}
