// The package itself in pages, without editor and server: what is kept on the device, tabs, traps, deletion. The engine
// is the one in `target/testing`, which can be made to panic.
import { createReadStream, existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join } from "node:path";
import { type BrowserContext, expect, type Page, test } from "@playwright/test";

const FOLDER = join(import.meta.dirname, "../../target/testing");
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };

let http: Server;
let address: string;

test.beforeAll(async () => {
  http = createServer((request, response) => {
    const path = join(FOLDER, new URL(request.url ?? "/", "http://localhost").pathname);
    if (request.url === "/")
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>.</title>");
    else if (!existsSync(path)) response.writeHead(404).end();
    else {
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" });
      createReadStream(path).pipe(response);
    }
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const bound = http.address();
  address = `http://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}/`;
});
test.afterAll(() => {
  http.close();
});

/** A page with the document open, as `collab` and `edit(text, offset)`. */
async function opened(context: BrowserContext, id = "scene", options = {}): Promise<Page> {
  const page = await context.newPage();
  await page.goto(address);
  await open(page, id, options);
  return page;
}

async function open(page: Page, id = "scene", options = {}): Promise<void> {
  await page.evaluate(
    async ([id, options]) => {
      const at = (path: string) => import(new URL(path, location.href).href);
      const { open } = await at("/dist/index.js");
      const { engine } = await at("/dist/engine.js");
      const { trap, Engine } = await at("/pkg/slate_yrs.js");
      const initialValue = [{ type: "action", id: "1", children: [{ text: "." }] }];
      const collab = await open({ id, initialValue, ...(options as object) });
      const edit = (text: string, offset = 0) =>
        collab[engine].edit({ type: "insert_text", path: [0, 0], offset, text });
      const errors: string[] = [];
      collab.on("error", ({ code }: { code: string }) => errors.push(code));
      Object.assign(globalThis, { collab, edit, trap, Engine, errors, engine });
    },
    [id, options] as const,
  );
}

const text = (page: Page) => page.evaluate(() => (globalThis as never as In).collab.value()[0]!.children[0]!.text);
const status = (page: Page) => page.evaluate(() => ({ ...(globalThis as never as In).collab.status }));
const edit = (page: Page, text: string, offset = 0) =>
  page.evaluate(([text, offset]) => (globalThis as never as In).edit(text, offset), [text, offset] as const);

interface In {
  collab: {
    value(): { children: { text: string }[] }[];
    status: { saved: string; storage: string; pending: number };
    close(): Promise<void>;
    deleteLocal(options?: object): Promise<void>;
    [engine: symbol]: { flush(): void };
  };
  engine: symbol;
  edit(text: string, offset?: number): void;
  trap(later: boolean): void;
  Engine: { prototype: { flush(): void } };
  errors: string[];
}

test("F17: what was typed in the turn before the page is gone is there after a reload", async ({ context }) => {
  const page = await opened(context);
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

test("F5: two documents do not mix, and a closed one can be opened again", async ({ context }) => {
  const page = await opened(context, "one");
  await edit(page, "1");
  await page.evaluate(() => (globalThis as never as In).collab.close());
  await open(page, "two");
  await edit(page, "2");
  expect(await text(page)).toBe("2.");
  await open(page, "one");
  expect(await text(page)).toBe("1.");
});

test("tabs tell each other what is typed, without a server", async ({ context }) => {
  const a = await opened(context);
  const b = await opened(context);
  await edit(a, "from a ");
  await expect.poll(() => text(b)).toBe("from a .");
  await edit(b, "from b ");
  await expect.poll(() => text(a)).toBe("from b from a .");
  const c = await opened(context);
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

test("a trap is survived with edits that nobody else has", async ({ context }) => {
  const page = await opened(context);
  await edit(page, "journaled ");
  await expect.poll(async () => (await status(page)).saved).toBe("local");
  await page.evaluate(() => {
    const { edit, collab, engine, trap, Engine } = globalThis as never as In;
    const { flush } = Engine.prototype;
    edit("queued ");
    Engine.prototype.flush = () => trap(false);
    collab[engine]!.flush();
    Engine.prototype.flush = flush;
  });
  await expect.poll(() => text(page).catch(() => "")).toBe("queued journaled .");
  expect(await page.evaluate(() => (globalThis as never as In).errors)).toContain("wasm");
  await edit(page, "after ");
  expect(await text(page)).toBe("after queued journaled .");
  await page.reload();
  await open(page);
  expect(await text(page)).toBe("after queued journaled .");
});

test("a trap in a timer, where nobody can catch it, is noticed", async ({ context }) => {
  const page = await opened(context);
  await edit(page, "kept ");
  await page.evaluate(() => (globalThis as never as In).trap(true));
  await expect.poll(() => page.evaluate(() => (globalThis as never as In).errors)).toContain("wasm");
  await expect.poll(() => text(page).catch(() => "")).toBe("kept .");
  await edit(page, "after ");
  expect(await text(page)).toBe("after kept .");
});

test("deleting the device's copy", async ({ context }) => {
  const page = await opened(context);
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

test("F18: the database deleted while typing", async ({ context }) => {
  const page = await opened(context);
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
