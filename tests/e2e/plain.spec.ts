// Servers that know nothing of slate-yrs: the engine syncs with them, and says "Saved" only when it has seen that the
// server has the words.
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { agreed, expect, test } from "./fixtures.ts";
import { freePort } from "./server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const python = process.env.PYTHON ?? "python3";

const servers = [
  { name: "@y/websocket-server", command: process.execPath, script: "y_server.mjs" },
  { name: "pycrdt-websocket", command: python, script: "pycrdt_server.py" },
];

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries += 1) {
    const up = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        done(true);
      });
      socket.on("error", () => done(false));
    });
    if (up) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error("the server did not come up");
}

for (const { name, command, script } of servers) {
  test(`two writers over a plain ${name}`, async ({ stage }) => {
    const port = await freePort();
    const child = spawn(command, [join(root, "tests/e2e/plain", script), String(port)], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, PYTHONPATH: join(root, "target/python") },
    });
    try {
      await listening(port, child);
      const over = { scenes: `ws://127.0.0.1:${port}` };
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
      child.kill("SIGKILL");
    }
  });
}
