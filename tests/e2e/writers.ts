// People in Chromium, Firefox and WebKit, all asked for the same things, in Slate's example of rich text.
import { fileURLToPath } from "node:url";
import { type Browser, expect, type Page } from "@playwright/test";
import type { Collab } from "slate-yrs";
import { serve } from "../../scripts/matrix/serve.mjs";
import type { Display } from "./display.ts";
import { Firefox } from "./firefox.ts";
import { SyncServer } from "./server.ts";
import { KEEP_ERRORS, WebKit } from "./webkit.ts";

const built = fileURLToPath(new URL("../../examples/slate/dist", import.meta.url));

/** What every browser can be asked for. */
export interface Writer {
  errors(): Promise<string[]>;
  evaluate<T>(body: () => T): Promise<T>;
  type(text: string): Promise<void>;
  press(combination: string): Promise<void>;
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** One whose end can be had: Firefox is killed and started again, in WebKit the tab is closed and another opened. */
export interface Mortal extends Writer {
  die(): Promise<void>;
}

/** One whose dead keys can be pressed. */
export interface Composer extends Writer {
  /** The page gets the keyboard. */
  ready(): Promise<void>;
  dead(accent: "acute" | "diaeresis"): Promise<void>;
  /** The key that ends what a dead key has begun, and what comes of it. */
  letter(key: string, composed: string): Promise<void>;
}

/** Where there is a display the keys are real ones. */
export const keyboard = (display: Display): Pick<Composer, "ready" | "dead" | "letter"> => ({
  ready: () => display.click(),
  dead: (accent) => display.press(`dead_${accent}`),
  letter: (key) => display.press(key),
});

export class Chromium implements Writer {
  private readonly told: string[] = [];

  constructor(readonly page: Page) {
    page.on("pageerror", (error) => this.told.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.told.push(message.text());
    });
  }

  static async open(browser: Browser, url: string): Promise<Chromium> {
    const page = await (await browser.newContext()).newPage();
    const chromium = new Chromium(page);
    await page.goto(url);
    return chromium;
  }

  async errors(): Promise<string[]> {
    return this.told;
  }

  evaluate<T>(body: () => T): Promise<T> {
    return this.page.evaluate(body);
  }

  type(text: string): Promise<void> {
    return this.page.keyboard.type(text);
  }

  press(combination: string): Promise<void> {
    return this.page.keyboard.press(combination);
  }

  async reload(): Promise<void> {
    await this.page.reload();
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

export async function firefox(url: string, options: { private?: boolean } = {}): Promise<Mortal & Composer> {
  const opened = await Firefox.open(url, options);
  return {
    ready: async () => {},
    dead: (accent) => opened.compose(accent === "acute" ? "´" : "¨"),
    letter: (_key, composed) => opened.compose(composed, true),
    errors: async () => opened.errors,
    evaluate: (body) => opened.evaluate(body),
    type: (text) => opened.type(text),
    press: (combination) => opened.press(combination),
    reload: () => opened.reload(),
    close: () => opened.close(),
    async die() {
      await opened.kill();
      await opened.start(url);
    },
  };
}

export async function webkit(url: string): Promise<Mortal & Composer> {
  const opened = await WebKit.open(url);
  return {
    ...keyboard(opened.display),
    errors: () => opened.errors(),
    evaluate: (body) => opened.evaluate(body),
    type: (text) => opened.type(text),
    press: (combination) => opened.press(combination),
    reload: () => opened.reload(),
    close: () => opened.close(),
    die: () => opened.reopen(url),
  };
}

const badge = () => document.querySelector(".slate-yrs-status")?.textContent ?? "";
export const lastLine = () => {
  const blocks = document.querySelectorAll("[role=textbox] > [data-slate-node=element]");
  return (blocks[blocks.length - 1]?.textContent ?? "").replaceAll("\uFEFF", "");
};
const wake = () => void dispatchEvent(new Event("online"));
const mended = () => (window as unknown as { collab: Collab }).collab.status.divergences;

/** Puts the caret at the end of the document, or at the start of its last line. Headless Firefox knows no Home and End. */
export function toEnd(writer: Writer): Promise<void> {
  return writer.evaluate(() => {
    const scene = document.querySelector<HTMLElement>("[role=textbox]")!;
    scene.focus();
    getSelection()!.selectAllChildren(scene);
    getSelection()!.collapseToEnd();
  });
}
export function toStart(writer: Writer): Promise<void> {
  return writer.evaluate(() => {
    document.querySelector<HTMLElement>("[role=textbox]")!.focus();
    const blocks = document.querySelectorAll("[role=textbox] > [data-slate-node=element]");
    getSelection()!.selectAllChildren(blocks[blocks.length - 1]!);
    getSelection()!.collapseToStart();
  });
}

export const says = (writer: Writer, expected: RegExp) =>
  expect(async () => {
    await writer.evaluate(wake);
    expect(await writer.evaluate(badge)).toMatch(expected);
  }).toPass({ timeout: 45_000 });
export const shows = (writer: Writer, expected: string) =>
  expect(async () => expect(await writer.evaluate(lastLine)).toBe(expected)).toPass({ timeout: 45_000 });

/** That no connection can be made; and what a proxy answers for a server that is away has no CORS headers. */
const AWAY =
  /wss?:|WebSocket|ERR_|CORS request did not succeed|Status code: 502|\/http\/scenes\/.* blocked by CORS policy: No /;

/** It had not to be mended, and nothing went wrong; that no connection can be made is what most of this is about. */
export async function isWell(writer: Writer, expected = /^$/): Promise<void> {
  expect(await writer.evaluate(mended)).toBe(0);
  // A server that is away cannot be reached, neither by a socket nor over HTTP.
  expect((await writer.errors()).filter((text) => !AWAY.test(text) && !expected.test(text))).toEqual([]);
}

export async function wellBetween(...writers: Writer[]): Promise<void> {
  for (const writer of writers) await isWell(writer);
}

interface Place {
  /** The address of somebody's page, by default on the server itself. */
  of(name: string, scenes?: string): string;
  server: SyncServer;
  stop(): Promise<void>;
}

/** A page of Slate's example for each name, with `head` in it, and a server that can be killed. */
export async function place(head = ""): Promise<Place> {
  const server = await SyncServer.start([], true);
  const site = await serve(built, { head: KEEP_ERRORS + head });
  return {
    server,
    of: (name, scenes = server.scenes) =>
      `${site.address}?${new URLSearchParams({ example: "richtext", id: "both", name, server: scenes })}`,
    async stop() {
      await site.close();
      await server.stop();
    },
  };
}

// The first block of the example's rich text is of no concern here.
export const START = "Try it out for yourselves.";
