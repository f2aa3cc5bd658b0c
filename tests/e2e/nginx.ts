// A real nginx before the server, which passes no upgrade on.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { freePort, type SyncServer } from "./server.ts";

/** nginx as it comes, which passes no upgrade on; `more` stands where requests are passed on. */
export class Nginx {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    readonly scenes: string,
  ) {}

  static async before(server: SyncServer, more: string): Promise<Nginx> {
    const [folder, port] = [mkdtempSync(join(tmpdir(), "slate-yrs-nginx-")), await freePort()];
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${folder};`,
    );
    writeFileSync(
      join(folder, "nginx.conf"),
      `pid ${folder}/pid; daemon off; worker_processes 1; error_log /dev/null;
      events {}
      http {
        access_log off; ${temporary.join(" ")}
        server {
          listen 127.0.0.1:${port};
          location / { proxy_pass http://127.0.0.1:${server.port}; ${more} }
        }
      }`,
    );
    const started = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", "/dev/null"], {
      stdio: "inherit",
    });
    const nginx = new Nginx(started, folder, `ws://127.0.0.1:${port}/ws/scenes`);
    const answers = () =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(answers, { timeout: 30_000 }).toBe(true);
    return nginx;
  }

  async stop(): Promise<void> {
    const ended = new Promise((exit) => this.process.once("exit", exit));
    this.process.kill();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whether there is no nginx to test with. */
export const missing = spawnSync("nginx", ["-v"]).error !== undefined;
if (missing && process.env.CI !== undefined) throw new Error("nginx is missing, and CI skips nothing");
