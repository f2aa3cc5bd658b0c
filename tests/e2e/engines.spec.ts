// Chromium, Firefox and WebKit with each other: two people write, the server is killed, one types offline, reloads, and loses
// the browser or the tab as well; what was typed is there, and reaches the other. Composing with dead keys, and private windows.
import { fileURLToPath } from "node:url";
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import type { Collab } from "slate-yrs";
import { serve } from "../../scripts/matrix/serve.mjs";
import { Display, hasDisplay } from "./display.ts";
import { Firefox, hasFirefox } from "./firefox.ts";
import { SyncServer } from "./server.ts";
import { hasWebKit, KEEP_ERRORS, WebKit } from "./webkit.ts";

const built = fileURLToPath(new URL("../../examples/slate/dist", import.meta.url));

/** What every browser can be asked for. */
interface Writer {
  errors(): Promise<string[]>;
  evaluate<T>(body: () => T): Promise<T>;
  type(text: string): Promise<void>;
  press(combination: string): Promise<void>;
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** One whose end can be had: Firefox is killed and started again, in WebKit the tab is closed and another opened. */
interface Mortal extends Writer {
  die(): Promise<void>;
}

/** One whose dead keys can be pressed. */
interface Composer extends Writer {
  /** The page gets the keyboard. */
  ready(): Promise<void>;
  dead(accent: "acute" | "diaeresis"): Promise<void>;
  /** The key that ends what a dead key has begun, and what comes of it. */
  letter(key: string, composed: string): Promise<void>;
}

/** Where there is a display the keys are real ones. */
const keyboard = (display: Display): Pick<Composer, "ready" | "dead" | "letter"> => ({
  ready: () => display.click(),
  dead: (accent) => display.press(`dead_${accent}`),
  letter: (key) => display.press(key),
});

class Chromium implements Writer {
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

async function firefox(url: string, options: { private?: boolean } = {}): Promise<Mortal & Composer> {
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

async function webkit(url: string): Promise<Mortal & Composer> {
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
const lastLine = () => {
  const blocks = document.querySelectorAll("[role=textbox] > [data-slate-node=element]");
  return (blocks[blocks.length - 1]?.textContent ?? "").replaceAll("\uFEFF", "");
};
const wake = () => void dispatchEvent(new Event("online"));
const mended = () => (window as unknown as { collab: Collab }).collab.status.divergences;

/** Puts the caret at the end of the document, or at the start of its last line. Headless Firefox knows no Home and End. */
function toEnd(writer: Writer): Promise<void> {
  return writer.evaluate(() => {
    const scene = document.querySelector<HTMLElement>("[role=textbox]")!;
    scene.focus();
    getSelection()!.selectAllChildren(scene);
    getSelection()!.collapseToEnd();
  });
}
function toStart(writer: Writer): Promise<void> {
  return writer.evaluate(() => {
    document.querySelector<HTMLElement>("[role=textbox]")!.focus();
    const blocks = document.querySelectorAll("[role=textbox] > [data-slate-node=element]");
    getSelection()!.selectAllChildren(blocks[blocks.length - 1]!);
    getSelection()!.collapseToStart();
  });
}

const says = (writer: Writer, expected: RegExp) =>
  expect(async () => {
    await writer.evaluate(wake);
    expect(await writer.evaluate(badge)).toMatch(expected);
  }).toPass({ timeout: 45_000 });
const shows = (writer: Writer, expected: string) =>
  expect(async () => expect(await writer.evaluate(lastLine)).toBe(expected)).toPass({ timeout: 45_000 });

/** Nobody had to be mended, and nothing went wrong; that no connection can be made is what most of this is about. */
async function wellBetween(...writers: Writer[]): Promise<void> {
  for (const writer of writers) {
    expect(await writer.evaluate(mended)).toBe(0);
    // A server that is away cannot be reached, neither by a socket nor over HTTP.
    expect(
      (await writer.errors()).filter((text) => !/wss?:|WebSocket|ERR_|CORS request did not succeed/.test(text)),
    ).toEqual([]);
  }
}

/** A page of Slate's example for each name, and a server that can be killed. */
async function place(): Promise<{ of(name: string): string; server: SyncServer; stop(): Promise<void> }> {
  const server = await SyncServer.start([], true);
  const site = await serve(built, { head: KEEP_ERRORS });
  return {
    server,
    of: (name) =>
      `${site.address}?${new URLSearchParams({ example: "richtext", id: "both", name, server: server.scenes })}`,
    async stop() {
      await site.close();
      await server.stop();
    },
  };
}

// The first block of the example's rich text is of no concern here.
const START = "Try it out for yourselves.";

interface Pair {
  readonly who: string;
  readonly with: string;
  readonly there: boolean;
  ada(url: string): Promise<Mortal>;
  ben(url: string, browser: Browser): Promise<Writer>;
}

const chromiumToo = (url: string, browser: Browser) => Chromium.open(browser, url);
const PAIRS: Pair[] = [
  { who: "Firefox", with: "Chromium", there: hasFirefox, ada: firefox, ben: chromiumToo },
  { who: "Firefox", with: "Firefox", there: hasFirefox, ada: firefox, ben: (url) => firefox(url) },
  { who: "WebKit", with: "Chromium", there: hasWebKit, ada: webkit, ben: chromiumToo },
  { who: "WebKit", with: "Firefox", there: hasWebKit && hasFirefox, ada: webkit, ben: (url) => firefox(url) },
  { who: "WebKit", with: "WebKit", there: hasWebKit, ada: webkit, ben: webkit },
];

for (const pair of PAIRS) {
  test(`${pair.who} with ${pair.with}: server killed, typed offline, reloaded, ended`, async ({ browser }) => {
    test.skip(!pair.there, "one of the browsers is not on this machine");
    test.setTimeout(300_000);
    const { of, server, stop } = await place();
    const open: Writer[] = [];
    try {
      const ada = await pair.ada(of("Ada"));
      open.push(ada);
      const ben = await pair.ben(of("Ben"), browser);
      open.push(ben);
      await Promise.all(open.map((writer) => says(writer, /^Saved/)));
      await shows(ada, START);

      // Together.
      await toEnd(ada);
      await ada.type(" Ada “žluť”.");
      await shows(ben, `${START} Ada “žluť”.`);
      await toEnd(ben);
      await ben.type(" Ben.");
      await shows(ada, `${START} Ada “žluť”. Ben.`);

      // What is selected stays selected while the other writes before it.
      await toEnd(ada);
      for (let count = 0; count < 4; count += 1) await ada.press("Shift+ArrowLeft");
      await toStart(ben);
      await ben.type("So: ");
      await shows(ada, `So: ${START} Ada “žluť”. Ben.`);
      await ada.press("Delete");
      await shows(ben, `So: ${START} Ada “žluť”. `);
      await Promise.all(open.map((writer) => says(writer, /^Saved/)));

      // Offline: the words are on the device, through a reload and a death.
      await server.kill();
      await says(ada, /^Offline/);
      await toEnd(ada);
      await ada.type("Kept");
      await says(ada, /kept on this device/);
      await ada.reload();
      await shows(ada, `So: ${START} Ada “žluť”. Kept`);
      await toEnd(ada);
      await ada.type(", really.");
      await says(ada, /kept on this device/);
      await ada.die();
      await shows(ada, `So: ${START} Ada “žluť”. Kept, really.`);

      // And reach the other.
      await server.run();
      await Promise.all(open.map((writer) => says(writer, /^Saved/)));
      await shows(ben, `So: ${START} Ada “žluť”. Kept, really.`);
      await wellBetween(ada, ben);
    } finally {
      for (const writer of open) await writer.close();
      await stop();
    }
  });
}

test("f66: a page that goes leaves no half of a transaction in WebKit", async () => {
  test.skip(!hasWebKit, "there is no WebKit on this machine");
  test.setTimeout(180_000);
  const { of, server, stop } = await place();
  const open: Writer[] = [];
  try {
    const ada = await webkit(of("Ada"));
    open.push(ada);
    await says(ada, /^Saved/);
    // Each time what was acknowledged is on its way from the outbox to the log when the page goes.
    let expected = START;
    for (const word of [" One.", " Two.", " Three."]) {
      await toEnd(ada);
      await ada.type(word);
      await says(ada, /^Saved/);
      await server.kill();
      await ada.reload();
      expected += word;
      await shows(ada, expected);
      await server.run();
      await says(ada, /^Saved/);
    }
    await wellBetween(ada);
  } finally {
    for (const writer of open) await writer.close();
    await stop();
  }
});

async function chromiumOnDisplay(url: string): Promise<Composer> {
  const display = await Display.open();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: false,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--ozone-platform=x11"],
    env: { ...process.env, DISPLAY: display.name } as Record<string, string>,
  });
  const close = async () => {
    await browser.close();
    await display.close();
  };
  return Object.assign(await Chromium.open(browser, url), keyboard(display), { close });
}

const COMPOSERS: Record<string, { there: boolean; open(url: string): Promise<Composer> }> = {
  Chromium: { there: hasDisplay, open: chromiumOnDisplay },
  Firefox: { there: hasFirefox, open: (url) => firefox(url) },
  WebKit: { there: hasWebKit, open: webkit },
};

for (const [name, { there, open }] of Object.entries(COMPOSERS)) {
  test(`${name}: dead keys, while the other writes and divides the line`, async ({ browser }) => {
    test.skip(!there, "the browser, or a display, is not on this machine");
    test.setTimeout(180_000);
    const { of, stop } = await place();
    const opened: Writer[] = [];
    try {
      const ada = await open(of("Ada"));
      opened.push(ada);
      const ben = await Chromium.open(browser, of("Ben"));
      opened.push(ben);
      await Promise.all(opened.map((writer) => says(writer, /^Saved/)));
      await ada.evaluate(() => {
        const seen: string[] = [];
        Object.assign(window, { seen });
        for (const type of ["compositionstart", "compositionend"])
          addEventListener(type, () => void seen.push(type), true);
      });
      const seen = () => (window as unknown as { seen: string[] }).seen.join(" ");

      // A dead key alone composes; meanwhile the other writes before it.
      await ada.ready();
      await toEnd(ada);
      await ada.type(" ");
      await ada.dead("acute");
      await expect(async () => expect(await ada.evaluate(seen)).toBe("compositionstart")).toPass({ timeout: 15_000 });
      await toStart(ben);
      await ben.type("So: ");
      await ada.letter("e", "é");
      await shows(ben, `So: ${START} é`);
      await shows(ada, `So: ${START} é`);

      // Or divides the line there.
      await toEnd(ada);
      await ada.dead("diaeresis");
      await toStart(ben);
      for (let count = 0; count < 3; count += 1) await ben.press("ArrowRight");
      await ben.press("Enter");
      await ada.letter("u", "ü");
      await ada.type("x");
      await shows(ben, ` ${START} éüx`);
      await shows(ada, ` ${START} éüx`);
      expect(await ada.evaluate(seen)).toMatch(/^compositionstart .*compositionstart .*compositionend$/);
      await wellBetween(ada, ben);
    } finally {
      for (const writer of opened) await writer.close();
      await stop();
    }
  });
}

// Chromium's are what Playwright opens everywhere in these tests; WebKit's what its driver opens.
test("Firefox in private windows: typed offline, reloaded", async () => {
  test.skip(!hasFirefox, "there is no firefox-esr on this machine");
  test.setTimeout(180_000);
  const { of, server, stop } = await place();
  const open: Writer[] = [];
  try {
    for (const name of ["Ada", "Ben"]) open.push(await firefox(of(name), { private: true }));
    const [ada, ben] = open as [Mortal, Mortal];
    await Promise.all(open.map((writer) => says(writer, /^Saved/)));
    await server.kill();
    await says(ada, /^Offline/);
    await toEnd(ada);
    await ada.type(" Kept");
    await says(ada, /kept on this device/);
    await ada.reload();
    await shows(ada, `${START} Kept`);
    await server.run();
    await shows(ben, `${START} Kept`);
    await wellBetween(ada, ben);
    // The window's end is the end of what it kept, and the server has it by then.
    await says(ada, /^Saved/);
    await server.kill();
    await ada.die();
    await says(ada, /^Offline/);
    expect(await ada.evaluate(lastLine)).not.toBe(`${START} Kept`);
    await server.run();
    await shows(ada, `${START} Kept`);
  } finally {
    for (const writer of open) await writer.close();
    await stop();
  }
});
