// What is kept on the device, tabs, traps, deletion: in pages without editor and server.

import { expect } from "@playwright/test";
import type { Collab } from "slate-yrs";
import { edit, type In, open, status, test, text } from "./engine.ts";
import { freePort } from "./server.ts";

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
      const request = database.transaction("outbox").objectStore("outbox").count();
      request.onsuccess = () => resolve(request.result);
    });
    database.close();
    return keys;
  });
  // The content at first, the format of the document, and two edits.
  expect(rows).toBe(4);
});

test("a tab that is alone tells nobody, and whoever opens the document at that moment hears of it", async ({
  opened,
  context,
  site,
}) => {
  const a = await opened();
  await a.evaluate(() => {
    const { postMessage } = BroadcastChannel.prototype;
    const page = Object.assign(globalThis, { told: 0 });
    BroadcastChannel.prototype.postMessage = function (message) {
      page.told += 1;
      postMessage.call(this, message);
    };
  });
  const told = () => a.evaluate(() => (globalThis as never as { told: number }).told);
  await edit(a, "alone ");
  await expect.poll(async () => (await status(a)).saved).toBe("local");
  expect(await told()).toBe(0);
  // It has read the database, and has not said yet that it is here.
  const b = await context.newPage();
  await b.goto(site);
  await b.evaluate(() => {
    const { postMessage } = BroadcastChannel.prototype;
    const held: (() => void)[] = [];
    BroadcastChannel.prototype.postMessage = function (message) {
      held.push(() => postMessage.call(this, message));
    };
    // The document's channel is another one once its format is known.
    const say = (message: () => void) => {
      try {
        message();
      } catch {}
    };
    Object.assign(globalThis, { say: () => held.forEach(say) });
  });
  await open(b);
  expect(await text(b)).toBe("alone .");
  await edit(a, "meanwhile ");
  expect(await told()).toBe(0);
  await b.evaluate(() => (globalThis as never as { say: () => void }).say());
  await expect.poll(() => text(b)).toBe("meanwhile alone .");
  await edit(a, "together ");
  await expect.poll(() => text(b)).toBe("together meanwhile alone .");
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

test("typing while the engine is started again is kept, and so is what a closing document has not written", async ({
  opened,
}) => {
  const page = await opened();
  for (const closes of [false, true]) {
    const round = closes ? "closed" : "typed";
    await edit(page, "journaled ");
    await expect.poll(async () => (await status(page)).saved).toBe("local");
    const seen = await page.evaluate(
      async ([closes, round]) => {
        const { edit, collab, engine, trap, Engine } = globalThis as never as In;
        const { insertText } = Engine.prototype;
        edit("queued ");
        Engine.prototype.insertText = () => trap(false);
        collab[engine]!.flush();
        Engine.prototype.insertText = insertText;
        // The fresh engine is there, and is still loading the document.
        for (let turn = 0; turn < 5; turn += 1) await null;
        edit(`${round} `);
        const block = collab[engine]!.block(0);
        collab[engine]!.flush();
        const { saved } = collab.status;
        if (closes) await collab.close();
        return { saved, block };
      },
      [closes, round] as const,
    );
    expect(seen).toEqual({ saved: "memory", block: null });
    if (!closes) await expect.poll(() => text(page).catch(() => "")).toBe(`${round} queued journaled .`);
    await page.reload();
    await open(page);
    const before = closes ? "typed queued journaled ." : ".";
    expect(await text(page)).toBe(`${round} queued journaled ${before}`);
  }
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

test("deleting the device's copy while another tab has edits in it, or another tab has it open", async ({ opened }) => {
  const a = await opened();
  await edit(a, "mine ");
  await expect.poll(async () => (await status(a)).saved).toBe("local");
  const b = await opened();
  const remove = (options?: object) =>
    b.evaluate(
      (options) =>
        (globalThis as never as In).collab.deleteLocal(options).catch((error: { code: string }) => error.code),
      options,
    );
  expect((await status(b)).pending).toBe(0);
  expect(await remove()).toBe("storage");
  await edit(a, "more ");
  await expect.poll(async () => (await status(a)).saved).toBe("local");
  expect(await remove({ discardPending: true })).toBe(undefined);
  await expect.poll(async () => (await status(a)).storage).toBe("memory");
  await edit(a, "last ");
  expect((await status(a)).saved).toBe("memory");
  await a.close();
  await b.reload();
  await open(b);
  expect(await text(b)).toBe(".");
});

test("a copy that cannot be deleted is not called deleted", async ({ opened }) => {
  const page = await opened();
  await edit(page, "mine ");
  const refused = await page.evaluate(() => {
    IDBObjectStore.prototype.delete = () => {
      throw new DOMException("no", "DataError");
    };
    const { collab } = globalThis as never as In;
    return collab.deleteLocal({ discardPending: true }).catch((error: { code: string }) => error.code);
  });
  expect(refused).toBe("storage");
});

test("F18: what a tab cannot store, another one keeps", async ({ opened }) => {
  const a = await opened();
  const b = await opened();
  await b.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no", "QuotaExceededError");
    };
  });
  await edit(b, "lost? ");
  await expect.poll(() => text(a)).toBe("lost? .");
  expect((await status(b)).saved).toBe("memory");
  await expect.poll(async () => (await status(b)).storage).toBe("full");
  await edit(a, "upon ");
  await expect.poll(async () => (await status(a)).saved).toBe("local");
  await b.close();
  await a.reload();
  await open(a);
  expect(await text(a)).toBe("upon lost? .");
});

test("the documents of a device are listed with what they have not sent", async ({ opened }) => {
  const page = await opened("one");
  await edit(page, "x");
  await open(page, "two");
  await expect.poll(async () => (await status(page)).saved).toBe("local");
  const found = await page.evaluate(async () => {
    const { localDocuments } = await import(new URL("/dist/index.js", location.href).href);
    return localDocuments() as Promise<{ id: string; pending: number }[]>;
  });
  expect(found.map(({ id }) => id)).toEqual(["one", "two"]);
  for (const { pending } of found) expect(pending).toBeGreaterThan(0);
});

test("the browser is asked once to keep what is stored, and not before there is something of the user's", async ({
  opened,
}) => {
  const page = await opened();
  await page.evaluate(() => {
    const counted = globalThis as unknown as { asked: number };
    counted.asked = 0;
    navigator.storage.persist = async () => {
      counted.asked += 1;
      return false;
    };
  });
  const asked = () => page.evaluate(() => (globalThis as unknown as { asked: number }).asked);
  expect(await asked()).toBe(0);
  await edit(page, "a");
  await edit(page, "b");
  expect(await asked()).toBe(1);
});

test("F18: the database deleted, and nothing typed since", async ({ opened }) => {
  const page = await opened();
  await edit(page, "kept ");
  await expect.poll(async () => (await status(page)).saved).toBe("local");
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.deleteDatabase("slate-yrs").onsuccess = resolve;
      }),
  );
  await expect.poll(async () => (await status(page)).saved).toBe("local");
  await page.reload();
  await open(page);
  expect(await text(page)).toBe("kept .");
  expect((await status(page)).pending).toBeGreaterThan(0);
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
  await page.reload();
  await open(page);
  expect(await text(page)).toBe("three two one .");
});

test("a page that may not connect says so", async ({ site, context }) => {
  const page = await context.newPage();
  await page.goto(site);
  await page.evaluate(() => {
    const policy = document.createElement("meta");
    policy.httpEquiv = "Content-Security-Policy";
    policy.content = "connect-src 'self'";
    document.head.append(policy);
  });
  // Nobody has to be there: nothing is asked.
  await open(page, "scene", { url: `ws://127.0.0.1:${await freePort()}/ws/scenes` });
  const said = () => page.evaluate(() => (globalThis as never as { collab: Collab }).collab.status.error?.message);
  await expect.poll(said, { timeout: 60_000 }).toContain("the page may not connect to it (Content-Security-Policy)");
  await edit(page, "typed all the same ");
  expect(await text(page)).toBe("typed all the same .");
});
