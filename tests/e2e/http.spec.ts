// Behind a real nginx that refuses upgrades: everything goes over HTTP, and what holds of sockets holds of it.
import { expect, type Page } from "@playwright/test";
import { test as base, filled, type In, numbers, open, type Status, status, text, textOf, upTo } from "./engine.ts";
import { missing, Nginx } from "./nginx.ts";
import { SyncServer } from "./server.ts";

const test = base.extend<{ settings: string; server: SyncServer; nginx: Nginx }>({
  settings: ["", { option: true }],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  server: async ({}, use) => {
    const server = await SyncServer.start([], true);
    await use(server);
    await server.stop();
  },
  nginx: async ({ settings, server }, use) => {
    const nginx = await Nginx.before(server, settings);
    await use(nginx);
    await nginx.stop();
  },
});
test.skip(missing, "nginx is not installed (Debian: apt-get install nginx)");

const typist = (page: Page) => page.evaluate(() => ({ ...(globalThis as never as In).typist }));
const start = (page: Page) => page.evaluate(() => (globalThis as never as In).typist.start());
const stop = (page: Page) => page.evaluate(() => (globalThis as never as In).typist.stop());
const transport = async (page: Page) => ((await status(page)) as Status & { transport: string }).transport;
const goesOn = async (page: Page) => {
  const { acknowledged } = await typist(page);
  await expect.poll(async () => (await typist(page)).acknowledged, { timeout: 30_000 }).toBeGreaterThan(acknowledged);
};

test("two browsers type, the server is killed, one is offline, one reloads: nothing is lost, nothing is there twice", async ({
  opened,
  browser,
  server,
  nginx,
}) => {
  test.setTimeout(180_000);
  const url = nginx.scenes;
  const [one, two] = [await browser.newContext(), await browser.newContext()];
  const a = await opened("scene", { url, name: "a" }, one);
  await filled(a);
  const b = await opened("scene", { url, name: "b" }, two);
  await filled(b);
  for (const page of [a, b]) await start(page);
  for (const page of [a, b]) await goesOn(page);
  expect([await transport(a), await transport(b)]).toEqual(["http", "http"]);
  for (let kill = 0; kill < 2; kill += 1) {
    await server.kill();
    const { acknowledged } = await typist(a);
    expect(numbers(textOf(await server.stored("scene"))).slice(0, acknowledged)).toEqual(upTo(acknowledged));
    await server.run();
    for (const page of [a, b]) await goesOn(page);
  }
  // Offline for a while, typing.
  await two.setOffline(true);
  await expect.poll(async () => (await status(b)).connection, { timeout: 60_000 }).not.toBe("online");
  const before = (await typist(b)).typed;
  await expect.poll(async () => (await typist(b)).typed).toBeGreaterThan(before);
  await two.setOffline(false);
  await goesOn(b);
  // Gone in the turn of the last word, and back.
  const gone = await a.evaluate(() => {
    const { typist } = globalThis as never as In;
    typist.stop();
    typist.type(1);
    setTimeout(() => location.reload());
    return typist.typed;
  });
  await a.waitForEvent("load");
  await open(a, "scene", { url, name: "c" });
  await start(a);
  await goesOn(a);
  expect(await transport(a)).toBe("http");
  for (const page of [a, b]) await stop(page);
  for (const page of [a, b])
    await expect.poll(async () => (await status(page)).saved, { timeout: 60_000 }).toBe("server");
  const typed = { a: gone, b: (await typist(b)).typed, c: (await typist(a)).typed };
  const kept = textOf(await server.stored("scene"));
  await expect.poll(async () => (await text(a)) === kept && (await text(b)) === kept, { timeout: 30_000 }).toBe(true);
  for (const [name, last] of Object.entries(typed)) expect(numbers(kept, name), name).toEqual(upTo(last));
  for (const page of [a, b]) expect(await page.evaluate(() => (globalThis as never as In).errors)).toEqual([]);
  console.log(`    words: ${JSON.stringify(typed)}`);
});

test.describe("that gathers answers until they are whole", () => {
  test.use({ settings: "proxy_ignore_headers X-Accel-Buffering; proxy_buffers 8 512k; proxy_buffer_size 512k;" });

  test("others see what is typed at once", async ({ opened, browser, nginx }) => {
    test.setTimeout(120_000);
    const url = nginx.scenes;
    const a = await opened("scene", { url, name: "a" }, await browser.newContext());
    await filled(a);
    const b = await opened("scene", { url, name: "b" }, await browser.newContext());
    await filled(b);
    const type = (count: number) => a.evaluate((count) => (globalThis as never as In).typist.type(count), count);
    // In less time than an answer lasts, in all.
    for (let count = 1; count <= 10; count += 1) {
      await type(1);
      await expect.poll(async () => numbers(await text(b)), { timeout: 20_000 }).toEqual(upTo(count));
    }
    expect(await transport(b)).toBe("http");
  });
});
