// The package itself in a page, without editor: a document is open as `collab`, and a typist types into it. The engine
// is the one in `target/testing`, which can be made to panic.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type BrowserContext, test as base, type Page } from "@playwright/test";
import * as Y from "yjs";

const FOLDER = join(import.meta.dirname, "../../target/testing");
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };

export interface Status {
  connection: string;
  synced: boolean;
  saved: string;
  storage: string;
  pending: number;
  setAside: number;
  readOnly: boolean;
}

/** What there is in the page. */
export interface In {
  collab: {
    value(): { children: { text: string }[] }[];
    status: Status;
    connect(): void;
    close(): Promise<void>;
    deleteLocal(options?: object): Promise<void>;
    [engine: symbol]: { flush(): void; block(index: number): unknown };
  };
  engine: symbol;
  edit(text: string, offset?: number): void;
  typist: Typist;
  askBeforeLeaving(collab: unknown, options?: { until?: "device" | "server" }): () => void;
  trap(later: boolean): void;
  Engine: { prototype: { insertText(): void } };
  errors: string[];
  tokens: number;
  /** Every status there was since it was emptied, in order. */
  seen: Status[];
}

/** Types `<name 1>`, `<name 2>`, … and remembers how far it was when something was said about all of it. */
export interface Typist {
  typed: number;
  /** On this device or on the server. */
  kept: number;
  /** On the server. */
  acknowledged: number;
  type(count: number): void;
  start(): void;
  stop(): void;
}

/** Runs in the page. `more.token` is what the token callback answers, one after the other; the last for ever. */
export async function openHere([id, options, more]: readonly [string, object, { name?: string; token?: string[] }]) {
  const at = (path: string) => import(new URL(path, location.href).href);
  const { open, askBeforeLeaving } = await at("/dist/index.js");
  const { engine } = await at("/dist/engine.js");
  const { trap, Engine } = await at("/pkg/slate_yrs.js");
  const initialValue = [{ type: "action", id: "1", children: [{ text: "." }] }];
  const { name = "a", token } = more;
  const page = globalThis as unknown as In;
  page.tokens = 0;
  const callback = token && {
    token: () => {
      page.tokens += 1;
      return token[Math.min(page.tokens, token.length) - 1];
    },
  };
  const collab = await open({ id, initialValue, ...options, ...callback });
  const edit = (text: string, offset = 0) => collab[engine].edit({ type: "insert_text", path: [0, 0], offset, text });
  const errors: string[] = [];
  collab.on("error", ({ code }: { code: string }) => errors.push(code));
  page.seen = [];
  collab.on("status", (status: Status) => page.seen.push({ ...status }));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const typist: Typist = {
    typed: 0,
    kept: 0,
    acknowledged: 0,
    type(count) {
      for (let left = count; left > 0; left -= 1) {
        this.typed += 1;
        edit(`<${name} ${this.typed}>`);
      }
    },
    start() {
      this.type(1 + Math.floor(Math.random() * 3));
      timer = setTimeout(() => this.start(), Math.random() * 40);
    },
    stop: () => clearTimeout(timer),
  };
  collab.on("status", ({ saved }: Status) => {
    if (saved !== "memory") typist.kept = typist.typed;
    if (saved === "server") typist.acknowledged = typist.typed;
  });
  Object.assign(globalThis, { collab, edit, trap, Engine, errors, engine, typist, askBeforeLeaving });
}

export interface Options extends Record<string, unknown> {
  /** The typist's. */
  name?: string;
  /** What the token callback answers, one after the other; the last for ever. */
  token?: string[];
}

export async function open(page: Page, id = "scene", { name, token, ...options }: Options = {}): Promise<void> {
  await page.evaluate(openHere, [
    id,
    options,
    { ...(name && { name }), ...(token && { token }) } as { name?: string; token?: string[] },
  ] as const);
}

export const text = (page: Page) =>
  page.evaluate(() => (globalThis as never as In).collab.value()[0]!.children[0]!.text);
export const status = (page: Page) => page.evaluate(() => ({ ...(globalThis as never as In).collab.status }));
/** Waits until the status was like this, be it for a moment, since `forget`. */
export const saw = (page: Page, like: Partial<Status>) =>
  page.waitForFunction(
    (like) =>
      (globalThis as never as In).seen.some((status) =>
        Object.entries(like).every(([name, value]) => status[name as keyof Status] === value),
      ),
    like,
    { timeout: 30_000 },
  );
export const forget = (page: Page) => page.evaluate(() => void (globalThis as never as In).seen.splice(0));
export const edit = (page: Page, text: string, offset = 0) =>
  page.evaluate(([text, offset]) => (globalThis as never as In).edit(text, offset), [text, offset] as const);

/** Waits for content: where a server decides what a new document begins with, there is none before. */
export async function filled(page: Page): Promise<void> {
  await page.waitForFunction(() => (globalThis as never as In).collab.value().length > 0, null, { timeout: 30_000 });
}

/** Which of a typist's numbers are in a text, in order; one that is there twice is there twice. */
export function numbers(text: string, name = "a"): number[] {
  return [...text.matchAll(new RegExp(`<${name} (\\d+)>`, "g"))].map((found) => Number(found[1])).sort((a, b) => a - b);
}

/** 1, 2, … `last`. */
export const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** The text of a stored document. */
export function textOf(update: Uint8Array): string {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  const inside = (text: Y.XmlText): string =>
    (text.toDelta() as { insert: string | Y.XmlText }[])
      .map(({ insert }) => (typeof insert === "string" ? insert : inside(insert)))
      .join("");
  return inside(doc.get("content", Y.XmlText));
}

interface Fixtures {
  /** The address of an empty page beside the package. */
  site: string;
  /** A page with the document open. */
  opened: (id?: string, options?: Options, context?: BrowserContext) => Promise<Page>;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  site: async ({}, use) => {
    const http = createServer((request, response) => {
      const path = join(FOLDER, new URL(request.url ?? "/", "http://localhost").pathname);
      if (request.url === "/")
        response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>.</title><p>.");
      else if (!existsSync(path)) response.writeHead(404).end();
      else {
        response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" });
        createReadStream(path).pipe(response);
      }
    });
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    await use(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`);
    http.closeAllConnections();
    http.close();
  },
  opened: async ({ site, context }, use) => {
    await use(async (id, options, inside = context) => {
      const page = await inside.newPage();
      await page.goto(site);
      await open(page, id, options);
      return page;
    });
  },
});
