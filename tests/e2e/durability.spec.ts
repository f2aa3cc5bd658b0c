// Killed, cut off, stalled, turned away, out of space: what was said to be kept is kept, once, and no more is said than
// is true.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, expect, type Page } from "@playwright/test";
import type { Collab } from "slate-yrs";
import {
  test as base,
  edit,
  filled,
  forget,
  type In,
  numbers,
  open,
  openHere,
  saw,
  status,
  text,
  textOf,
  upTo,
} from "./engine.ts";
import { killAll, processes } from "./kill.ts";
import { SECRET, SyncServer, token, Wire } from "./server.ts";

/** `SyncServer.start` with the flags of the test. */
const test = base.extend<{ flags: string[]; server: SyncServer }>({
  flags: [["--heartbeat-ms", "1000"], { option: true }],
  server: async ({ flags }, use) => {
    const server = await SyncServer.start(flags, true);
    await use(server);
    await server.stop();
  },
});

/** How often the browser is killed. */
const ROUNDS = Number(process.env.ROUNDS ?? 3);

const typist = (page: Page) => page.evaluate(() => ({ ...(globalThis as never as In).typist }));
const start = (page: Page) => page.evaluate(() => (globalThis as never as In).typist.start());
const stop = (page: Page) => page.evaluate(() => (globalThis as never as In).typist.stop());
const connect = (page: Page) => page.evaluate(() => (globalThis as never as In).collab.connect());
const saved = (page: Page) => expect.poll(async () => (await status(page)).saved, { timeout: 30_000 });

test("F14: the server is killed again and again mid-typing: nothing acknowledged is missing, nothing is there twice", async ({
  opened,
  server,
}) => {
  const kills = Number(process.env.KILLS ?? 20);
  test.setTimeout(60_000 + kills * 10_000);
  const page = await opened("scene", { url: server.scenes });
  await filled(page);
  await start(page);
  let before = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    // Some of it acknowledged on this connection, and typing goes on.
    await expect.poll(async () => (await typist(page)).acknowledged, { timeout: 30_000 }).toBeGreaterThan(before);
    await page.waitForTimeout(Math.random() * 100);
    await server.kill();
    const { acknowledged, typed } = await typist(page);
    const stored = numbers(textOf(await server.stored("scene")));
    expect(stored.slice(0, acknowledged), `kill ${kill + 1}`).toEqual(upTo(acknowledged));
    expect(new Set(stored).size).toBe(stored.length);
    before = typed;
    await server.run();
    await connect(page);
  }
  await stop(page);
  await saved(page).toBe("server");
  const { typed } = await typist(page);
  expect(numbers(textOf(await server.stored("scene")))).toEqual(upTo(typed));
  expect(numbers(await text(page))).toEqual(upTo(typed));
  console.log(`    ${kills} kills of the server, ${typed} words typed, ${before} of them before the last kill`);
});

test("the server restarts while five clients type", async ({ site, context, server }) => {
  test.setTimeout(60_000);
  const pages: Page[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) {
    const page = await context.newPage();
    await page.goto(site);
    // A device each.
    await open(page, "scene", { name, url: server.scenes, offline: { database: name } });
    pages.push(page);
  }
  await Promise.all(pages.map(filled));
  await Promise.all(pages.map(start));
  await expect.poll(async () => (await typist(pages[4]!)).acknowledged, { timeout: 30_000 }).toBeGreaterThan(5);
  await server.kill();
  for (const page of pages) await expect.poll(async () => (await status(page)).connection).not.toBe("online");
  await server.run();
  await Promise.all(pages.map(connect));
  await Promise.all(pages.map(stop));
  for (const page of pages) await saved(page).toBe("server");
  const stored = textOf(await server.stored("scene"));
  for (const [index, page] of pages.entries()) {
    const name = "abcde"[index]!;
    expect(numbers(stored, name), name).toEqual(upTo((await typist(page)).typed));
    await expect.poll(() => text(page), { timeout: 15_000 }).toBe(stored);
  }
});

test("F17: the browser is killed mid-typing: what was said to be kept is there afterwards, once", async ({
  site,
  server,
}, info) => {
  test.setTimeout(60_000 + ROUNDS * 30_000);
  const profile = mkdtempSync(join(tmpdir(), "slate-yrs-profile-"));
  const browse = () => chromium.launchPersistentContext(profile, info.project.use.launchOptions ?? {});
  try {
    let kept = 0;
    for (let round = 1; round <= ROUNDS; round += 1) {
      const context = await browse();
      const page = await context.newPage();
      await page.exposeFunction("report", (count: number) => {
        kept = count;
      });
      await page.goto(site);
      await open(page, "scene", { name: `r${round}` });
      for (let earlier = 1; earlier < round; earlier += 1) {
        const found = numbers(await text(page), `r${earlier}`);
        expect(found, `round ${earlier}`).toEqual(upTo(found.length));
      }
      await page.evaluate(() => {
        const { collab, typist, report } = globalThis as never as In & { report(kept: number): void };
        (collab as never as { on(event: string, listener: () => void): void }).on("status", () => report(typist.kept));
        typist.start();
      });
      kept = 0;
      await expect.poll(() => kept, { timeout: 30_000 }).toBeGreaterThan(20);
      killAll(profile);
      await context.close().catch(() => {});
      await expect.poll(() => processes(profile), { timeout: 15_000 }).toEqual([]);
      const atLeast = kept;
      const again = await browse();
      const reopened = await again.newPage();
      await reopened.goto(site);
      await open(reopened, "scene", { url: server.scenes });
      const found = numbers(await text(reopened), `r${round}`);
      expect(found.length, "what was kept").toBeGreaterThanOrEqual(atLeast);
      expect(found).toEqual(upTo(found.length));
      // And it goes to the server, without anybody typing.
      await saved(reopened).toBe("server");
      expect(numbers(textOf(await server.stored("scene")), `r${round}`)).toEqual(found);
      await again.close();
    }
  } finally {
    killAll(profile);
    await expect.poll(() => processes(profile), { timeout: 15_000 }).toEqual([]);
    rmSync(profile, { recursive: true, force: true });
  }
});

test("a connection that stays open and carries nothing is noticed, and another one takes its place", async ({
  opened,
  server,
}) => {
  const wire = await Wire.to(server);
  const page = await opened("scene", { url: wire.scenes });
  await filled(page);
  await edit(page, "before ");
  await saved(page).toBe("server");
  await forget(page);
  wire.stall();
  await edit(page, "into the void ");
  await saw(page, { saved: "local" });
  // Nobody says anything: silence alone tells.
  await saw(page, { connection: "offline" });
  expect(await status(page)).toMatchObject({ saved: "local", pending: 1 });
  wire.mend();
  await connect(page);
  await saved(page).toBe("server");
  expect(textOf(await server.stored("scene"))).toBe("into the void before .");
  expect(await text(page)).toBe("into the void before .");
  wire.close();
});

test.describe("tokens", () => {
  test.use({ flags: ["--jwt-secret", SECRET] });
  const lasting = (seconds: number) => token("ada", { seconds });
  const asked = (page: Page) => page.evaluate(() => (globalThis as never as In).tokens);

  test("F24: one that expires while connected is asked for again, and typing goes on", async ({ opened, server }) => {
    test.setTimeout(180_000);
    const connected = async (seconds: number) => {
      const page = await opened(`scene-${seconds}`, { url: server.scenes, token: [lasting(seconds), lasting(3600)] });
      await filled(page);
      await edit(page, "one ");
      await saved(page).toBe("server");
      // On a busy machine it may have expired before: that is another test.
      return (await asked(page)) === 1 ? { page, scene: `scene-${seconds}` } : null;
    };
    const { page, scene } = (await connected(5)) ?? (await connected(15)) ?? (await connected(60))!;
    await expect.poll(() => asked(page), { timeout: 90_000 }).toBe(2);
    await edit(page, "two ");
    await saved(page).toBe("server");
    expect(textOf(await server.stored(scene))).toBe("two one .");
    expect(await status(page)).toMatchObject({ connection: "online", synced: true });
    expect(await asked(page)).toBe(2);
  });

  test("F24: one that is refused is asked for once more, then never again until somebody connects", async ({
    opened,
    server,
  }) => {
    // Begun without a server, as it would not be opened now.
    const page = await opened("scene");
    await saved(page).toBe("local");
    await page.reload();
    await open(page, "scene", { url: server.scenes, token: [lasting(-9), lasting(-9), lasting(3600)] });
    await expect.poll(async () => (await status(page)).connection).toBe("unauthorized");
    await edit(page, "kept ");
    await saved(page).toBe("local");
    await page.waitForTimeout(2_000);
    expect(await asked(page)).toBe(2);
    await connect(page);
    await saved(page).toBe("server");
    expect(textOf(await server.stored("scene"))).toBe("kept .");
  });
});

test.describe("F18: the device's storage", () => {
  test("refused: the document works in memory, and says so", async ({ opened, context, server }) => {
    await context.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("not here", "SecurityError");
      };
    });
    const page = await opened("scene", { url: server.scenes });
    await filled(page);
    await edit(page, "one ");
    await expect.poll(async () => (await status(page)).storage).toBe("blocked");
    await saved(page).toBe("server");
    await server.kill();
    await edit(page, "two ");
    expect(await status(page)).toMatchObject({ storage: "blocked", saved: "memory" });
    await server.run();
    await connect(page);
    await saved(page).toBe("server");
    expect(textOf(await server.stored("scene"))).toBe("two one .");
  });

  test("blocked by another tab: opening does not wait for ever, and the copy is used once it can be", async ({
    site,
    context,
    server,
  }) => {
    const first = await context.newPage();
    await first.goto(site);
    // Somebody has the database open, and somebody else waits to delete it: nobody can open it meanwhile.
    await first.evaluate(async () => {
      const held = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open("slate-yrs", 1);
        request.onsuccess = () => resolve(request.result);
      });
      Object.assign(globalThis, { held, deleting: indexedDB.deleteDatabase("slate-yrs") });
    });
    const page = await context.newPage();
    await page.goto(site);
    await open(page, "scene", { url: server.scenes });
    await filled(page);
    const said = () => page.evaluate(() => (globalThis as never as { collab: Collab }).collab.status.error?.message);
    await expect.poll(said).toContain("indexedDB.open() has not answered");
    await saved(page).toBe("server");
    await server.kill();
    await edit(page, "typed all the same ");
    expect(await text(page)).toBe("typed all the same .");
    expect(await status(page)).toMatchObject({ storage: "blocked", saved: "memory" });
    await first.evaluate(() => (globalThis as never as { held: IDBDatabase }).held.close());
    await saved(page).toBe("local");
    expect((await status(page)).storage).toBe("indexeddb");
    await page.reload();
    await open(page, "scene", { url: server.scenes });
    expect(await text(page)).toBe("typed all the same .");
  });

  test("full: said at once, and kept as soon as there is room", async ({ opened, context }) => {
    // What Chromium does when a transaction does not fit, without having to fill a disk.
    await context.addInitScript(() => {
      const { commit } = IDBTransaction.prototype;
      IDBTransaction.prototype.commit = function () {
        if (!("full" in globalThis)) return commit.call(this);
        const error = new DOMException("the disk is full", "QuotaExceededError");
        Object.defineProperty(this, "error", { get: () => error });
        this.abort();
      };
    });
    const page = await opened();
    await edit(page, "fits ");
    await saved(page).toBe("local");
    await page.evaluate(() => Object.assign(globalThis, { full: true }));
    await edit(page, "does not ");
    await expect.poll(async () => (await status(page)).storage).toBe("full");
    await edit(page, "more ");
    expect(await status(page)).toMatchObject({ storage: "full", saved: "memory" });
    expect(await text(page)).toBe("more does not fits .");
    await page.evaluate(() => Reflect.deleteProperty(globalThis, "full"));
    await saved(page).toBe("local");
    expect((await status(page)).storage).toBe("indexeddb");
    await page.reload();
    await open(page);
    expect(await text(page)).toBe("more does not fits .");
  });
});

test("F18: the database is deleted under someone who types: all of it is there after a reload", async ({
  opened,
  server,
}) => {
  const page = await opened("scene", { url: server.scenes });
  await filled(page);
  await start(page);
  await expect.poll(async () => (await typist(page)).acknowledged).toBeGreaterThan(5);
  await server.kill();
  const kept = (await typist(page)).typed;
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.deleteDatabase("slate-yrs").onsuccess = resolve;
      }),
  );
  await expect.poll(async () => (await typist(page)).typed).toBeGreaterThan(kept + 5);
  await stop(page);
  await saved(page).toBe("local");
  expect((await status(page)).storage).toBe("indexeddb");
  const { typed } = await typist(page);
  await page.reload();
  await open(page, "scene", { name: "b", url: server.scenes });
  expect(numbers(await text(page))).toEqual(upTo(typed));
  await server.run();
  await connect(page);
  await saved(page).toBe("server");
  expect(numbers(textOf(await server.stored("scene")))).toEqual(upTo(typed));
});

test("two tabs without a server see each other's words, and all of them reach it, once", async ({ opened, server }) => {
  const tabs = [
    await opened("scene", { name: "a", url: server.scenes }),
    await opened("scene", { name: "b", url: server.scenes }),
  ] as const;
  for (const tab of tabs) await filled(tab);
  await server.kill();
  for (const tab of tabs) await saw(tab, { connection: "offline" });
  await Promise.all(tabs.map(start));
  for (const tab of tabs) await expect.poll(async () => (await typist(tab)).typed).toBeGreaterThan(20);
  await Promise.all(tabs.map(stop));
  const [a, b] = [(await typist(tabs[0])).typed, (await typist(tabs[1])).typed];
  for (const tab of tabs) {
    await saved(tab).toBe("local");
    await expect.poll(async () => numbers(await text(tab), "a")).toEqual(upTo(a));
    await expect.poll(async () => numbers(await text(tab), "b")).toEqual(upTo(b));
  }
  await server.run();
  await Promise.all(tabs.map(connect));
  for (const tab of tabs) await saved(tab).toBe("server");
  const stored = textOf(await server.stored("scene"));
  expect(numbers(stored, "a")).toEqual(upTo(a));
  expect(numbers(stored, "b")).toEqual(upTo(b));
  for (const tab of tabs) await expect.poll(() => text(tab)).toBe(stored);
});

test("what a killed tab had not sent is taken over by another one", async ({ opened, server }) => {
  const other = await opened("scene", { url: server.scenes });
  await filled(other);
  // This one types and never connects.
  const killed = await opened("scene", { url: server.scenes, connect: false });
  await edit(killed, "last words ");
  await saved(killed).toBe("local");
  await expect.poll(() => text(other)).toBe("last words .");
  // What the first tab wrote itself (the document's format) is acknowledged, and leaves the device a moment later.
  await expect.poll(() => outbox(other)).toBe(1);
  const crashed = killed.waitForEvent("crash");
  killed.goto("chrome://crash").catch(() => {});
  await crashed;
  await expect.poll(() => outbox(other), { timeout: 20_000 }).toBe(0);
  await saved(other).toBe("server");
  expect(textOf(await server.stored("scene"))).toBe("last words .");
});

test("what the server sends is stored by one tab of a device, whichever is there", async ({
  site,
  context,
  opened,
  server,
}) => {
  const tabs = [await opened("scene", { url: server.scenes }), await opened("scene", { url: server.scenes })];
  for (const tab of tabs) await filled(tab);
  const peer = await context.newPage();
  await peer.goto(site);
  await open(peer, "scene", { name: "p", url: server.scenes, offline: { database: "peer" } });
  await filled(peer);
  const type = async (count: number) => {
    await peer.evaluate((count) => (globalThis as never as In).typist.type(count), count);
    const { typed } = await typist(peer);
    for (const tab of tabs) await expect.poll(async () => numbers(await text(tab), "p")).toEqual(upTo(typed));
    await expect.poll(async () => new Set(await storedNumbers(tabs.at(-1)!)).size).toBe(typed);
  };
  await type(20);
  expect(await storedNumbers(tabs[0]!)).toEqual(upTo(20));
  // Somebody types in the other tab: from now on that one keeps. What it had not stored is stored by it, once more.
  await edit(tabs[1]!, "typed here ");
  await type(5);
  const once = await storedNumbers(tabs[0]!);
  await type(5);
  expect(await storedNumbers(tabs[0]!)).toEqual([...once, 26, 27, 28, 29, 30].sort((a, b) => a - b));
  // It dies: the first one goes on.
  const crashed = tabs[1]!.waitForEvent("crash");
  tabs[1]!.goto("chrome://crash").catch(() => {});
  await crashed;
  tabs.pop();
  await type(5);
  const whole = await text(tabs[0]!);
  await server.kill();
  await tabs[0]!.reload();
  await open(tabs[0]!);
  expect(await text(tabs[0]!)).toBe(whole);
});

/** The peer's words in the rows of the device's log, as often as they are there. */
function storedNumbers(page: Page): Promise<number[]> {
  return page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("slate-yrs");
      request.onsuccess = () => resolve(request.result);
    });
    const rows = await new Promise<{ update: Uint8Array }[]>((resolve) => {
      const request = database.transaction("log").objectStore("log").getAll();
      request.onsuccess = () => resolve(request.result);
    });
    database.close();
    const texts = rows.map(({ update }) => new TextDecoder("latin1").decode(update));
    const found = texts.flatMap((text) => [...text.matchAll(/<p (\d+)>/g)].map((match) => Number(match[1])));
    return found.sort((a, b) => a - b);
  });
}

/** How many updates the device keeps for the server. */
function outbox(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("slate-yrs");
      request.onsuccess = () => resolve(request.result);
    });
    const count = await new Promise<number>((resolve) => {
      const request = database.transaction("outbox").objectStore("outbox").count();
      request.onsuccess = () => resolve(request.result);
    });
    database.close();
    return count;
  });
}

test("the browser asks before a page is left that would lose something", async ({ site, context, server }) => {
  const asks = async (options: object, until?: "device" | "server") => {
    const page = await context.newPage();
    await page.goto(site);
    await page.evaluate(openHere, [`asks ${until}`, options, {}] as const);
    await page.evaluate((until) => {
      const { askBeforeLeaving, collab } = globalThis as never as In;
      askBeforeLeaving(collab, until && { until });
    }, until);
    await filled(page);
    // Browsers ask only who has touched the page.
    await page.locator("p").click();
    if ("url" in options) await server.kill();
    await edit(page, "unsaved ");
    await saved(page).toBe("offline" in options ? "memory" : "local");
    let asked = false;
    page.on("dialog", (dialog) => {
      asked = dialog.type() === "beforeunload";
      dialog.accept();
    });
    const gone = page.waitForEvent("close");
    await page.close({ runBeforeUnload: true });
    await gone;
    return asked;
  };
  expect(await asks({ offline: false }), "in memory only").toBe(true);
  expect(await asks({}), "kept on the device").toBe(false);
  expect(await asks({ url: server.scenes }, "server"), "not on the server").toBe(true);
});
