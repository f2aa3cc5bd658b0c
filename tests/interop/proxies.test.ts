// The server behind nginx and Caddy, as server/deploy has them: TLS, under a path, ids with slashes, tokens in no log.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { SyncServer } from "../e2e/server.ts";
import { until as within } from "./rooms.js";

const deploy = fileURLToPath(new URL("../../server/deploy/", import.meta.url));
const until = async (what: string, reached: () => boolean) => expect(await within(reached), what).toBe(true);

/** A WebSocket that takes the certificate of the test. */
class Trusting extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { rejectUnauthorized: false });
  }
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((listening) => listener.listen(0, "127.0.0.1", listening));
  const { port } = listener.address() as AddressInfo;
  await new Promise((closed) => listener.close(closed));
  return port;
}

const folder = mkdtempSync(join(tmpdir(), "slate-yrs-proxies-"));
const at = (name: string) => join(folder, name);
let server: SyncServer;

/** How each is started from what is in server/deploy, with the ports and files of this test put in. */
const proxies = {
  nginx(port: number): ChildProcess {
    const text = readFileSync(join(deploy, "nginx.conf"), "utf8")
      .replace("listen 443", `listen 127.0.0.1:${port}`)
      .replace("127.0.0.1:8787", `127.0.0.1:${server.port}`)
      .replaceAll("/var/log/nginx/", `${folder}/`)
      .replaceAll("/etc/nginx/", `${folder}/`);
    writeFileSync(at("nginx.conf"), `pid ${at("nginx.pid")};\ndaemon off;\n${text}`);
    execFileSync("nginx", ["-t", "-p", folder, "-c", at("nginx.conf")], { stdio: "pipe" });
    return spawn("nginx", ["-p", folder, "-c", at("nginx.conf")], { stdio: "inherit" });
  },
  caddy(port: number): ChildProcess {
    const text = readFileSync(join(deploy, "Caddyfile"), "utf8")
      .replace("collab.example.org {", `https://127.0.0.1:${port} {\n\ttls ${at("cert.pem")} ${at("key.pem")}\n`)
      .replace("127.0.0.1:8787", `127.0.0.1:${server.port}`)
      .replace("admin off", "admin off\n\tauto_https off")
      .replaceAll("/var/log/caddy/", `${folder}/caddy-`);
    writeFileSync(at("Caddyfile"), text);
    const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    execFileSync("caddy", ["validate", "--adapter", "caddyfile", "--config", at("Caddyfile")], { stdio: "pipe", env });
    return spawn("caddy", ["run", "--adapter", "caddyfile", "--config", at("Caddyfile")], { stdio: "ignore", env });
  },
};

const logs = { nginx: ["slate-yrs.log", "slate-yrs.error.log"], caddy: ["caddy-slate-yrs.log"] };

const get = (port: number, path: string) =>
  new Promise<number>((answered, failed) => {
    const asked = request({ host: "127.0.0.1", port, path, rejectUnauthorized: false }, (answer) => {
      answer.resume();
      answered(answer.statusCode ?? 0);
    });
    asked.on("error", failed).end();
  });

beforeAll(async () => {
  server = await SyncServer.start(["--address-header", "X-Forwarded-For"], true);
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", at("key.pem")];
  execFileSync("openssl", ["req", "-x509", ...key, "-out", at("cert.pem"), "-days", "2", ...subject], {
    stdio: "pipe",
  });
}, 60_000);

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(["nginx", "caddy"] as const)("%s", (name) => {
  const missing = spawnSync(name, [name === "nginx" ? "-v" : "version"]).error !== undefined;
  if (missing && process.env.CI !== undefined) throw new Error(`${name} is missing, and CI skips nothing`);
  if (missing) console.warn(`SKIPPED: ${name} is not installed (Debian: apt-get install ${name})`);

  it.skipIf(missing)(
    "passes documents on, under a path, with TLS, ids as they are, and no token in its log",
    async () => {
      const port = await freePort();
      const proxy = proxies[name](port);
      try {
        await within(() => false, 300);
        for (let tries = 0; ; tries++) {
          const status = await get(port, "/collab/healthz").catch(() => 0);
          if (status === 200) break;
          if (tries > 100) throw new Error(`${name} does not answer: ${status}`);
          await within(() => false, 100);
        }
        // An id with a slash and letters beyond ASCII.
        const id = `drafts/${name}/é`;
        const open = () => {
          const doc = new Y.Doc();
          const provider = new WebsocketProvider(
            `wss://127.0.0.1:${port}/collab/ws/scenes`,
            encodeURIComponent(id),
            doc,
            {
              WebSocketPolyfill: Trusting as unknown as typeof globalThis.WebSocket,
              disableBc: true,
              params: { token: "hidden-token" },
            },
          );
          return { doc, provider };
        };
        const [one, two] = [open(), open()];
        await until("both have synced", () => one.provider.synced && two.provider.synced);
        one.doc.getText("content").insert(0, "typed");
        await until("it arrives", () => two.doc.getText("content").toString() === "typed");
        const path = `/collab/api/scenes/${encodeURIComponent(id)}/versions?token=hidden-token`;
        expect(await get(port, path)).toBe(200);
        expect(await get(port, "/collab/metrics")).toBe(404);
        one.provider.destroy();
        two.provider.destroy();
        const stored = new Y.Doc();
        Y.applyUpdate(stored, await server.stored(id));
        expect(stored.getText("content").toString()).toBe("typed");
        const log = () =>
          logs[name].map((file) => (existsSync(at(file)) ? readFileSync(at(file), "utf8") : "")).join("");
        await until("it is logged", () => log().includes("/versions") && log().includes("/ws/scenes"));
        expect(log()).not.toContain("hidden");
      } finally {
        const ended = new Promise((exit) => proxy.once("exit", exit));
        proxy.kill();
        await ended;
      }
    },
    60_000,
  );
});
