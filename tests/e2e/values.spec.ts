// Values beside the text, in browsers: kept where the browser is killed and where there is no server, and seen by other tabs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, expect, type Page } from "@playwright/test";
import * as Y from "yjs";
import { test as base, filled, openHere, saw, status } from "./engine.ts";
import { killAll, processes } from "./kill.ts";
import { SyncServer } from "./server.ts";

const test = base.extend<{ server: SyncServer }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  server: async ({}, use) => {
    const server = await SyncServer.start(["--heartbeat-ms", "1000"], true);
    await use(server);
    await server.stop();
  },
});

interface WithMaps {
  collab: {
    map(name: string): { set(key: string, value: unknown): void; entries(): Map<string, unknown> };
    connect(): void;
  };
}

const set = (page: Page, key: string, value: unknown) =>
  page.evaluate(([key, value]) => (globalThis as never as WithMaps).collab.map("m").set(key, value), [key, value] as [
    string,
    unknown,
  ]);
const values = (page: Page) =>
  page.evaluate(() => Object.fromEntries((globalThis as never as WithMaps).collab.map("m").entries()));
const open = (page: Page, options: object) => page.evaluate(openHere, ["scene", options, {}] as const);
const saved = (page: Page) => expect.poll(async () => (await status(page)).saved, { timeout: 30_000 });

/** What a plain Yjs client would read in the server's database. */
async function stored(server: SyncServer): Promise<Record<string, unknown>> {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, await server.stored("scene"));
  return doc.getMap("m").toJSON();
}

test("what is set while the server is away, and the browser is killed, is there afterwards and goes to the server", async ({
  site,
  server,
}, info) => {
  test.setTimeout(180_000);
  const profile = mkdtempSync(join(tmpdir(), "slate-yrs-profile-"));
  const browse = () => chromium.launchPersistentContext(profile, info.project.use.launchOptions ?? {});
  try {
    const context = await browse();
    const page = await context.newPage();
    await page.goto(site);
    await open(page, { url: server.scenes });
    await filled(page);
    await set(page, "first", { a: [1, null] });
    await saved(page).toBe("server");
    await server.kill();
    await saw(page, { connection: "offline" });
    await set(page, "second", "offline");
    await saved(page).toBe("local");
    killAll(profile);
    await context.close().catch(() => {});
    await expect.poll(() => processes(profile), { timeout: 15_000 }).toEqual([]);

    const again = await browse();
    const reopened = await again.newPage();
    await reopened.goto(site);
    await open(reopened, { url: server.scenes });
    expect(await values(reopened)).toEqual({ first: { a: [1, null] }, second: "offline" });
    expect(await status(reopened)).toMatchObject({ saved: "local", pending: 1 });
    await server.run();
    await reopened.evaluate(() => (globalThis as never as WithMaps).collab.connect());
    await saved(reopened).toBe("server");
    expect(await stored(server)).toEqual({ first: { a: [1, null] }, second: "offline" });
    await again.close();
  } finally {
    killAll(profile);
    await expect.poll(() => processes(profile), { timeout: 15_000 }).toEqual([]);
    rmSync(profile, { recursive: true, force: true });
  }
});

test("another tab of the device has it at once, with and without a server, and another device when it can", async ({
  browser,
  opened,
  server,
}) => {
  const one = await opened("scene", { url: server.scenes });
  await filled(one);
  const two = await opened("scene", { url: server.scenes });
  await filled(two);
  await set(one, "k", 1);
  await expect.poll(() => values(two)).toEqual({ k: 1 });
  await server.kill();
  await saw(one, { connection: "offline" });
  await set(two, "k", 2);
  await set(two, "away", true);
  await expect.poll(() => values(one)).toEqual({ k: 2, away: true });
  await server.run();
  for (const page of [one, two]) await page.evaluate(() => (globalThis as never as WithMaps).collab.connect());
  await saved(two).toBe("server");
  const elsewhere = await browser.newContext();
  const other = await opened("scene", { url: server.scenes }, elsewhere);
  await expect.poll(() => values(other), { timeout: 30_000 }).toEqual({ k: 2, away: true });
  await elsewhere.close();
});
