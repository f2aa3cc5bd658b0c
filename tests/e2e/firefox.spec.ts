// Firefox with Chromium, and Firefox with Firefox: two people write, the server is killed, one types offline, reloads, and
// is killed as well; what was typed is there, and reaches the other.
import { fileURLToPath } from "node:url";
import { expect, type Page, test } from "@playwright/test";
import type { Collab } from "slate-yrs";
import { serve } from "../../scripts/matrix/serve.mjs";
import { Firefox, hasFirefox } from "./firefox.ts";
import { SyncServer } from "./server.ts";

const built = fileURLToPath(new URL("../../examples/slate/dist", import.meta.url));

/** What both kinds of browsers can be asked for. */
interface Writer {
  readonly errors: string[];
  evaluate<T>(body: () => T): Promise<T>;
  type(text: string): Promise<void>;
  press(combination: string): Promise<void>;
  close(): Promise<void>;
}

class Chromium implements Writer {
  readonly errors: string[] = [];

  constructor(private readonly page: Page) {
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
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

  close(): Promise<void> {
    return this.page.context().close();
  }
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

// The first block of the example's rich text is of no concern here.
const START = "Try it out for yourselves.";

test.describe("Firefox", () => {
  test.skip(!hasFirefox, "there is no firefox-esr on this machine");

  for (const other of ["Chromium", "Firefox"] as const) {
    test(`with ${other}: server killed, typed offline, reloaded, killed`, async ({ browser }) => {
      test.setTimeout(300_000);
      const server = await SyncServer.start([], true);
      const site = await serve(built);
      const place = (name: string) =>
        `${site.address}?${new URLSearchParams({ example: "richtext", id: "both", name, server: server.scenes })}`;
      const ada = await Firefox.open(place("Ada"));
      let ben: Writer;
      if (other === "Firefox") ben = await Firefox.open(place("Ben"));
      else {
        const page = await (await browser.newContext()).newPage();
        ben = new Chromium(page);
        await page.goto(place("Ben"));
      }
      try {
        await Promise.all([ada, ben].map((writer) => says(writer, /^Saved/)));
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
        await Promise.all([ada, ben].map((writer) => says(writer, /^Saved/)));

        // Offline: the words are on the device, through a reload and the browser's death.
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
        await ada.kill();
        await ada.start(place("Ada"));
        await shows(ada, `So: ${START} Ada “žluť”. Kept, really.`);

        // And reach the other.
        await server.run();
        await Promise.all([ada, ben].map((writer) => says(writer, /^Saved/)));
        await shows(ben, `So: ${START} Ada “žluť”. Kept, really.`);
        expect([await ada.evaluate(mended), await ben.evaluate(mended)]).toEqual([0, 0]);
        // That no connection can be made is what this is about.
        const errors = [...ada.errors, ...ben.errors].filter((text) => !/ws:|ERR_/.test(text));
        expect(errors).toEqual([]);
      } finally {
        await ada.close();
        await ben.close();
        await site.close();
        await server.stop();
      }
    });
  }
});
