// What one has selected is what Delete deletes, whatever another types meanwhile.
import { expect, test } from "@playwright/test";
import { Chromium, isWell, place, START, says, shows, toEnd } from "./writers.ts";

const TRIES = 5;
const text = () => (document.querySelector<HTMLElement>("[role=textbox]")!.innerText ?? "").replaceAll("\uFEFF", "");

test("all is selected and deleted while another types every 70 ms", async ({ browser }) => {
  test.setTimeout(180_000);
  const { of, stop } = await place();
  const [ada, ben] = [await Chromium.open(browser, of("Ada")), await Chromium.open(browser, of("Ben"))];
  try {
    await Promise.all([ada, ben].map((writer) => says(writer, /^Saved/)));
    await shows(ada, START);
    for (let count = 1; count <= TRIES; count += 1) {
      const words = `All of this goes, ${count}. `;
      await toEnd(ada);
      await ada.type(words);
      await expect.poll(() => ben.evaluate(text), { timeout: 30_000 }).toContain(words);
      await toEnd(ben);
      const typing = ben.page.keyboard.type("b".repeat(25), { delay: 70 });
      await expect.poll(() => ada.evaluate(text), { timeout: 30_000 }).toContain(`${words}bb`);
      await ada.press("ControlOrMeta+A");
      await ada.press("Delete");
      await expect.poll(() => ada.evaluate(text), { timeout: 30_000 }).not.toContain(words);
      await typing;
      await Promise.all([ada, ben].map((writer) => says(writer, /^Saved/)));
      await expect.poll(async () => (await ben.evaluate(text)) === (await ada.evaluate(text))).toBe(true);
      expect(await ben.evaluate(text)).not.toContain(START);
    }
    for (const writer of [ada, ben]) await isWell(writer);
  } finally {
    for (const writer of [ada, ben]) await writer.close();
    await stop();
  }
});
