// What is kept on the device, tabs, traps, deletion: in pages without editor and server.
import { expect } from "@playwright/test";
import { edit, type In, open, status, test, text } from "./engine.ts";

test("F17: what was typed in the turn before the page is gone is there after a reload", async ({ opened }) => {
  const page = await opened();
  await edit(page, "kept");
  await expect.poll(async () => (await status(page)).saved).toBe("local");
  expect((await status(page)).storage).toBe("indexeddb");
  const loaded = page.waitForEvent("load");
  // No time to wait for anything: typed, and in the same turn gone.
  await page.evaluate(() => {
    (globalThis as never as In).edit("last ");
    location.reload();
  });
  await loaded;
  await open(page);
  expect(await text(page)).toBe("last kept.");
});

test("F5: two documents do not mix, and a closed one can be opened again", async ({ opened }) => {
  const page = await opened("one");
  await edit(page, "1");
  await page.evaluate(() => (globalThis as never as In).collab.close());
  await open(page, "two");
  await edit(page, "2");
  expect(await text(page)).toBe("2.");
  await open(page, "one");
  expect(await text(page)).toBe("1.");
});

test("tabs tell each other what is typed, without a server", async ({ opened }) => {
  const a = await opened();
  const b = await opened();
  await edit(a, "from a ");
  await expect.poll(() => text(b)).toBe("from a .");
  await edit(b, "from b ");
  await expect.poll(() => text(a)).toBe("from b from a .");
  const c = await opened();
  expect(await text(c)).toBe("from b from a .");
  // Each edit is stored once, by the tab that made it.
  const rows = await c.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("slate-yrs");
      request.onsuccess = () => resolve(request.result);
    });
    const keys = await new Promise<number>((resolve) => {
      const request = database.transaction("log").objectStore("log").count();
      request.onsuccess = () => resolve(request.result);
    });
    database.close();
    return keys;
  });
  // The content at first, and two edits.
  expect(rows).toBe(3);
});

test("a trap is survived with edits that nobody else has", async ({ opened }) => {
  const page = await opened();
  await edit(page, "journaled ");
  await expect.poll(async () => (await status(page)).saved).toBe("local");
  await page.evaluate(() => {
    const { edit, collab, engine, trap, Engine } = globalThis as never as In;
    const { insertText } = Engine.prototype;
    edit("queued ");
    Engine.prototype.insertText = () => trap(false);
    collab[engine]!.flush();
    Engine.prototype.insertText = insertText;
  });
  await expect.poll(() => text(page).catch(() => "")).toBe("queued journaled .");
  expect(await page.evaluate(() => (globalThis as never as In).errors)).toContain("wasm");
  await edit(page, "after ");
  expect(await text(page)).toBe("after queued journaled .");
  await page.reload();
  await open(page);
  expect(await text(page)).toBe("after queued journaled .");
});

test("a trap in a timer, where nobody can catch it, is noticed", async ({ opened }) => {
  const page = await opened();
  await edit(page, "kept ");
  await page.evaluate(() => (globalThis as never as In).trap(true));
  await expect.poll(() => page.evaluate(() => (globalThis as never as In).errors)).toContain("wasm");
  await expect.poll(() => text(page).catch(() => "")).toBe("kept .");
  await edit(page, "after ");
  expect(await text(page)).toBe("after kept .");
});

test("deleting the device's copy", async ({ opened }) => {
  const page = await opened();
  await edit(page, "mine ");
  const refused = await page.evaluate(() =>
    (globalThis as never as In).collab.deleteLocal().catch((error: { code: string }) => error.code),
  );
  expect(refused).toBe("storage");
  await page.evaluate(() => (globalThis as never as In).collab.deleteLocal({ discardPending: true }));
  await page.reload();
  await open(page);
  expect(await text(page)).toBe(".");
});

test("F18: the database deleted while typing", async ({ opened }) => {
  const page = await opened();
  await edit(page, "one ");
  await expect.poll(async () => (await status(page)).saved).toBe("local");
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.deleteDatabase("slate-yrs").onsuccess = resolve;
      }),
  );
  await edit(page, "two ");
  expect(await text(page)).toBe("two one .");
  await expect.poll(async () => (await status(page)).storage, { timeout: 20_000 }).toBe("indexeddb");
  await edit(page, "three ");
  await expect.poll(async () => (await status(page)).saved).toBe("local");
});
