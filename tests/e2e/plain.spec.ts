// Servers that know nothing of slate-yrs: the engine syncs with them, and says "Saved" only when it has seen that the
// server has the words.
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { edit, test as engine, filled, forget, type In, open, saw, status, text } from "./engine.ts";
import { agreed, expect, test } from "./fixtures.ts";
import { freePort, START_MS } from "./server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const python = process.env.PYTHON ?? "python3";

const servers = [
  { name: "@y/websocket-server", command: process.execPath, script: "y_server.mjs" },
  { name: "pycrdt-websocket", command: python, script: "pycrdt_server.py" },
];

interface Plain {
  scenes: string;
  /** SIGKILL; what it had is gone. */
  kill(): Promise<void>;
  /** On the same port. */
  run(): Promise<void>;
}

async function listening(port: number, child: ChildProcess): Promise<boolean> {
  const until = Date.now() + START_MS;
  while (child.exitCode === null && Date.now() < until) {
    const up = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        done(true);
      });
      socket.on("error", () => done(false));
    });
    if (up) return true;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  return false;
}

async function plain(command: string, script: string): Promise<Plain> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const server: Plain = {
    scenes: `ws://127.0.0.1:${port}`,
    async kill() {
      if (!child || child.exitCode !== null) return;
      const gone = new Promise((done) => child?.once("exit", done));
      child.kill("SIGKILL");
      await gone;
    },
    async run() {
      // Its port may be taken for a moment by somebody's outgoing connection.
      for (const until = Date.now() + START_MS; Date.now() < until; ) {
        child = spawn(command, [join(root, "tests/e2e/plain", script), String(port)], {
          stdio: ["ignore", "inherit", "inherit"],
          env: { ...process.env, PYTHONPATH: join(root, "target/python") },
        });
        if (await listening(port, child)) return;
      }
      throw new Error("the server did not come up");
    },
  };
  await server.run();
  return server;
}

for (const { name, command, script } of servers) {
  test(`two writers over a plain ${name}`, async ({ stage }) => {
    const server = await plain(command, script);
    try {
      const over = { scenes: server.scenes };
      const ada = await stage.join("Ada", { wire: over });
      await ada.saved();
      await ada.caret(0);
      await ada.type("INT. SOMEBODY ELSE'S SERVER - NIGHT\nIt knows y-websocket and nothing more.");
      await ada.saved();
      const ben = await stage.join("Ben", { wire: over });
      await expect.poll(() => ben.lines()).toEqual(await ada.lines());
      await ben.caret(1);
      await Promise.all([ben.type(" Ben was here."), ada.type(" Ada too.")]);
      await agreed(ada, ben);
      await ada.saved();
      await ben.saved();
      await expect(ada.page.locator(".slate-yrs-avatar", { hasText: "Ben" })).toBeVisible();
    } finally {
      await server.kill();
    }
  });

  engine(
    `offline, reloaded, and back: a plain ${name} that was killed gets everything, once`,
    async ({ opened, browser, site }) => {
      const server = await plain(command, script);
      try {
        const page = await opened("scene", { url: server.scenes });
        await filled(page);
        await edit(page, "one ");
        await saw(page, { saved: "server", pending: 0, synced: true });
        await expect.poll(async () => (await status(page)).saved).toBe("server");
        await forget(page);
        await server.kill();
        await saw(page, { connection: "offline" });
        await edit(page, "two ");
        await expect.poll(async () => (await status(page)).saved).toBe("local");
        await page.reload();
        await open(page, "scene", { url: server.scenes });
        expect(await text(page)).toBe("two one .");
        await edit(page, "three ");
        await expect.poll(async () => (await status(page)).saved).toBe("local");
        // It has forgotten everything: the device brings it back.
        await server.run();
        await page.evaluate(() => (globalThis as never as In).collab.connect());
        await expect.poll(async () => (await status(page)).saved, { timeout: 30_000 }).toBe("server");
        expect((await status(page)).pending).toBe(0);
        const context = await browser.newContext();
        const other = await context.newPage();
        await other.goto(site);
        await open(other, "scene", { url: server.scenes });
        await expect.poll(() => text(other).catch(() => "")).toBe("three two one .");
        await context.close();
      } finally {
        await server.kill();
      }
    },
  );
}
