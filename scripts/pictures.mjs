// `npm run pictures`: the pictures of the README, taken of the running example. Needs a built example and server.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { root, say } from "./process.mjs";

const port = 8931;
const page = `http://127.0.0.1:${port}/`;
const out = join(root, "docs/images");
const data = mkdtempSync(join(tmpdir(), "slate-yrs-pictures-"));
mkdirSync(out, { recursive: true });

function startServer() {
  return spawn(
    process.env.SLATE_YRS_SERVER ?? join(root, "target/debug/slate-yrs-server"),
    [
      ...["--listen", `127.0.0.1:${port}`],
      ...["--database", `sqlite://${join(data, "pictures.sqlite")}`],
      ...["--static", join(root, "examples/screenplay/dist")],
    ],
    { stdio: "ignore" },
  );
}

async function up() {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`${page}healthz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error("the server did not come up");
}

let server = startServer();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

async function writer(name, color, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    deviceScaleFactor: 1.5,
    ...options,
  });
  const tab = await context.newPage();
  await tab.goto(`${page}?${new URLSearchParams({ scene: "pilot", name, color })}`);
  await tab.locator(".paper .block").first().waitFor();
  await saved(tab);
  return tab;
}

const saved = (tab) => tab.locator(".slate-yrs-status", { hasText: /^Saved/ }).waitFor();

async function write(tab, block, text) {
  const line = tab.locator(".paper .block").nth(block);
  await line.click();
  await line.evaluate((element) => {
    getSelection().selectAllChildren(element);
    getSelection().collapseToEnd();
  });
  // Slate reads the browser's selection ten times a second.
  await tab.waitForTimeout(200);
  await tab.keyboard.type(text, { delay: 20 });
}

async function picture(tab, name) {
  await tab.screenshot({ path: join(out, `${name}.png`) });
  say(`docs/images/${name}.png`);
}

try {
  await up();
  const ada = await writer("Ada", "#5b62ee");
  await fetch(`${page}api/scenes/pilot/versions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ label: "First draft" }),
  });
  const ben = await writer("Ben", "#d93a32");
  const cleo = await writer("Cleo", "#0b8276");
  await write(ada, 2, " Wind.");
  await Promise.all([write(cleo, 8, " Once more."), write(ben, 4, " Who, and")]);
  await ada.waitForTimeout(300);
  await picture(ada, "two-people");

  const night = await writer("Ada", "#5b62ee", { colorScheme: "dark" });
  await write(ben, 6, " Nobody.");
  await night.waitForTimeout(400);
  await picture(night, "dark");

  server.kill("SIGKILL");
  await ada.locator(".slate-yrs-status", { hasText: /^Offline/ }).waitFor();
  await write(ada, 6, " Written on the train.");
  await ada.locator(".slate-yrs-status", { hasText: /kept on this device/ }).waitFor();
  await picture(ada, "offline");

  server = startServer();
  await up();
  await ada.reload();
  await saved(ada);
  await ada.getByRole("button", { name: "More" }).click();
  const history = ada.getByRole("button", { name: "History" });
  if (await history.isVisible()) {
    await history.click();
    await ada.getByRole("button", { name: /First draft/ }).click();
    await ada.locator(".paper.version").waitFor();
    await picture(ada, "history");
  }
} finally {
  await browser.close();
  server.kill("SIGTERM");
  rmSync(data, { recursive: true, force: true });
}
