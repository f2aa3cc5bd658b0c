// Chromium, Firefox and WebKit with each other: two people write, the server is killed, one types offline, reloads, and loses
// the browser or the tab as well; what was typed is there, and reaches the other. Composing with dead keys, and private windows.
import { type Browser, chromium, expect, test } from "@playwright/test";
import { Display, hasDisplay } from "./display.ts";
import { hasFirefox } from "./firefox.ts";
import { hasWebKit } from "./webkit.ts";
import {
  Chromium,
  type Composer,
  firefox,
  keyboard,
  lastLine,
  type Mortal,
  place,
  START,
  says,
  shows,
  toEnd,
  toStart,
  type Writer,
  webkit,
  wellBetween,
} from "./writers.ts";

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
