// A page that the browser keeps while its reader is elsewhere, and shows again by "back": as it was, without a load. Playwright
// turns that off, so that this browser is started by itself and driven by its own protocol.
import { type CDPSession, chromium } from "@playwright/test";
import { expect, test } from "./fixtures.ts";

/** A page that is kept is none that Playwright knows: it is asked by the protocol alone. */
const ask = async <T>(page: CDPSession, expression: string): Promise<T> => {
  const answer = await page.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
  return answer.result.value as T;
};

const TEXT = "[...document.querySelectorAll('.paper .block')].map((block) => block.textContent).join('|')";
const STATUS = "document.querySelector('.slate-yrs-status')?.textContent";

test("a page that the browser kept catches up and goes on", async ({ stage }, info) => {
  const { launchOptions } = info.project.use;
  const browser = await chromium.launch({
    ...launchOptions,
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  await page.addInitScript(() => {
    addEventListener("pageshow", ({ persisted }) => Object.assign(window, { wasKept: persisted }));
  });
  await page.goto(`${stage.server.page}?scene=kept&name=Cy`);
  const block = page.locator(".paper .block").first();
  await expect(block).toBeVisible({ timeout: 45_000 });
  await block.click();
  await page.keyboard.type("before");
  const ada = await stage.join("Ada", { scene: "kept" });
  await expect(ada.block(0)).toContainText("before");
  const protocol = await context.newCDPSession(page);
  // What is typed last is sent from the page as it goes, or when it is back.
  await page.keyboard.type(" last");
  await protocol.send("Page.navigate", { url: `${stage.server.page}healthz` });
  await expect.poll(() => ask(protocol, "location.pathname")).toBe("/healthz");
  await ada.caret(0, "start");
  await ada.type("meanwhile ");
  await ada.saved();
  const { entries, currentIndex } = await protocol.send("Page.getNavigationHistory");
  await protocol.send("Page.navigateToHistoryEntry", { entryId: entries[currentIndex - 1]?.id ?? 0 });
  await expect.poll(() => ask(protocol, "window.wasKept"), { timeout: 30_000 }).toBe(true);
  await expect.poll(() => ask<string>(protocol, TEXT), { timeout: 30_000 }).toBe("meanwhile before last");
  await expect(ada.block(0)).toHaveText("meanwhile before last", { timeout: 30_000 });
  const focus = "document.querySelector('[role=textbox]').focus()";
  const end =
    "getSelection().selectAllChildren(document.querySelector('.paper .block')), getSelection().collapseToEnd()";
  await ask(protocol, `${focus}, ${end}`);
  // Slate reads the selection ten times a second.
  await ask(protocol, "new Promise((done) => setTimeout(done, 300))");
  await protocol.send("Input.insertText", { text: " after" });
  await expect.poll(() => ask<string>(protocol, TEXT)).toBe("meanwhile before last after");
  await expect(ada.block(0)).toHaveText("meanwhile before last after", { timeout: 30_000 });
  await expect.poll(() => ask<string>(protocol, STATUS), { timeout: 30_000 }).toMatch(/^Saved/);
  await browser.close();
});
