// What the browser tests share: a server each, writers with browsers of their own, and the script as a page shows it.
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  test as base,
  expect,
  type Locator,
  type Page,
} from "@playwright/test";
import { SyncServer, Wire } from "./server.ts";

export { expect, Wire };

/** A person with a browser (a context: own storage, own IndexedDB) and the editor open. */
export class Writer {
  private constructor(
    readonly name: string,
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly errors: string[],
  ) {}

  static async open(
    browser: Browser,
    name: string,
    address: string,
    before: (page: Page) => Promise<void> = async () => {},
    closed = false,
    device: BrowserContextOptions = {},
  ): Promise<Writer> {
    // The service worker keeps the page, megabytes for each of them: only the test that is about it needs that.
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      serviceWorkers: "block",
      ...device,
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.stack ?? error.message));
    page.on("console", (message) => {
      // A refused connection is what some tests are about; the browser reports it as an error of its own.
      if (message.type() === "error" && !/WebSocket|Failed to load resource|ERR_/.test(message.text())) {
        errors.push(message.text());
      }
    });
    const writer = new Writer(name, context, page, errors);
    await before(page);
    await page.goto(address);
    if (!closed) await writer.ready();
    return writer;
  }

  get script(): Locator {
    return this.page.getByRole("textbox", { name: "Script" });
  }

  /** What says whether everything is saved. */
  get status(): Locator {
    return this.page.locator(".slate-yrs-status");
  }

  block(index: number): Locator {
    return this.page.locator(".paper .block").nth(index);
  }

  async ready(): Promise<void> {
    // A feature is long, and the machines of tests are slow.
    await expect(this.page.locator(".paper .block").first()).toBeVisible({ timeout: 45_000 });
  }

  /** As when the device gets a network: what waits for its next attempt to connect tries now. */
  online(): Promise<void> {
    return this.page.evaluate(() => void dispatchEvent(new Event("online")));
  }

  /** Waits for a status, however long the next attempt to connect is away, or whether one is just failing. */
  async reaches(text: string | RegExp): Promise<void> {
    await this.connectsUntil(() => expect(this.status).toHaveText(text, { timeout: 1_000 }));
  }

  /** Lets what waits for its next attempt to connect try again until `there`. */
  async connectsUntil(there: () => Promise<void>): Promise<void> {
    await expect(async () => {
      await this.online();
      await there();
    }).toPass({ timeout: 40_000 });
  }

  saved(): Promise<void> {
    return this.reaches(/^Saved\b/);
  }

  /** Types until something is seen that passes by itself: a name beside a caret, who is typing. */
  async typeUntil(seen: () => Promise<void>): Promise<void> {
    await expect(async () => {
      await this.type("!");
      await seen();
    }).toPass();
  }

  /** The lines of the script, of the parts off screen too. */
  lines(): Promise<string[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll(".paper .block")].map((block) =>
        (block.textContent ?? "").replaceAll("\ufeff", ""),
      ),
    );
  }

  /** Clicks into a block and puts the caret at its end (or start), also where it takes several lines. */
  async caret(index: number, where: "end" | "start" = "end"): Promise<void> {
    await this.block(index).click();
    await this.block(index).evaluate((block, toStart) => {
      const selection = getSelection();
      selection?.selectAllChildren(block);
      if (toStart) selection?.collapseToStart();
      else selection?.collapseToEnd();
    }, where === "start");
    await this.selected();
  }

  /** Puts the caret behind so many characters of a block; selects up to `to`, if that is another place. */
  async place(index: number, offset: number, to = offset): Promise<void> {
    await this.block(index).click();
    await this.block(index).evaluate(
      (block, ends) => {
        const at = (offset: number): [Node, number] => {
          let left = offset;
          const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const text = node.textContent ?? "";
            if (left <= text.length) return [node, left];
            left -= text.length;
          }
          throw new Error(`the block has no ${offset} characters`);
        };
        getSelection()?.setBaseAndExtent(...at(ends[0]), ...at(ends[1]));
      },
      [offset, to] as const,
    );
    await this.selected();
  }

  /** Slate has read the browser's selection, which it does ten times a second: by timers that run before this one. */
  async selected(): Promise<void> {
    await this.page.evaluate(
      () =>
        new Promise<void>((done) => {
          // The browser tells of a selection before it paints the next frame.
          requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 150)));
        }),
    );
  }

  async type(text: string, delay = 15): Promise<void> {
    await this.page.keyboard.type(text, { delay });
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  /** Nothing threw and nothing was logged as an error, on this page so far. */
  expectNoErrors(): void {
    expect(this.errors).toEqual([]);
  }
}

interface Stage {
  server: SyncServer;
  /** The server's own; others hold from its next start on. */
  flags: string[];
  /** Opens the editor as somebody; with a wire, through it; `before` the page is opened. */
  join(
    name: string,
    options?: {
      scene?: string;
      wire?: Pick<Wire, "scenes">;
      color?: string;
      token?: string;
      before?: (page: Page) => Promise<void>;
      /** There will be no page to write on at first. */
      closed?: boolean;
      /** More about the browser: a phone. */
      device?: BrowserContextOptions;
    },
  ): Promise<Writer>;
  wire(): Promise<Wire>;
}

export const test = base.extend<{ stage: Stage; serverFlags: string[] }>({
  serverFlags: [[], { option: true }],
  stage: async ({ browser, serverFlags }, use) => {
    const flags = [...serverFlags];
    const server = await SyncServer.start(flags);
    const writers: Writer[] = [];
    const wires: Wire[] = [];
    await use({
      server,
      flags,
      async join(name, { scene = "blank", wire, color, token, before, closed, device } = {}) {
        const address = new URL(server.page);
        address.searchParams.set("scene", scene);
        address.searchParams.set("name", name);
        if (color) address.searchParams.set("color", color);
        if (token) address.searchParams.set("token", token);
        if (wire) address.searchParams.set("server", wire.scenes);
        const writer = await Writer.open(browser, name, address.href, before, closed, device);
        writers.push(writer);
        return writer;
      },
      async wire() {
        const wire = await Wire.to(server);
        wires.push(wire);
        return wire;
      },
    });
    for (const writer of writers) writer.expectNoErrors();
    for (const writer of writers) await writer.context.close();
    for (const wire of wires) wire.close();
    await server.stop();
  },
});

/** Waits until all of them show the same script, and returns it. */
export async function agreed(...writers: Writer[]): Promise<string[]> {
  const [first, ...rest] = writers as [Writer, ...Writer[]];
  await expect(async () => {
    const lines = await first.lines();
    for (const writer of rest)
      expect(await writer.lines(), `${writer.name} sees what ${first.name} sees`).toEqual(lines);
  }).toPass({ timeout: 15_000 });
  return first.lines();
}
