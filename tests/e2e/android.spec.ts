// Writing on an Android phone: slate-react takes what the keyboard composes by its own way there (its Android manager), which
// reads the page and not what the browser says it is about to do. While a word is being composed, somebody else divides its
// line, or makes it bold: the word stays, and both have the same.
import type { CDPSession } from "@playwright/test";
import { agreed, expect, test, type Writer } from "./fixtures.ts";

const PHONE = {
  userAgent:
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
  viewport: { width: 412, height: 915 },
  hasTouch: true,
  isMobile: true,
};

/** What an Android keyboard sends. */
class Keyboard {
  private constructor(
    private readonly cdp: CDPSession,
    private readonly writer: Writer,
  ) {}

  static async of(writer: Writer): Promise<Keyboard> {
    return new Keyboard(await writer.context.newCDPSession(writer.page), writer);
  }

  /** The word grows letter by letter, underlined, and is not finished. */
  async compose(word: string, from = 1): Promise<void> {
    for (let end = from; end <= word.length; end += 1) {
      const text = word.slice(0, end);
      await this.cdp.send("Input.imeSetComposition", { text, selectionStart: end, selectionEnd: end });
      await this.writer.page.waitForTimeout(40);
    }
  }

  /** The word is finished. */
  async commit(word: string): Promise<void> {
    await this.cdp.send("Input.insertText", { text: word });
    await this.writer.page.waitForTimeout(100);
  }
}

const together = (writer: Writer) => writer.lines().then((lines) => lines.join("|"));

/** Counts a text in all lines of a script. */
async function times(writer: Writer, text: string): Promise<number> {
  return (await writer.lines()).join("\n").split(text).length - 1;
}

for (const format of ["0", "1"]) {
  test.describe(`in format ${format}`, () => {
    test.use({ serverFlags: ["--format", format] });

    const acts: [string, (ben: Writer) => Promise<void>, (lines: string[]) => void][] = [
      [
        "divides its line before the word",
        async (ben) => {
          await ben.place(0, 5);
          await ben.press("Enter");
        },
        (lines) => expect(lines.length).toBe(2),
      ],
      [
        "divides its line behind the word",
        async (ben) => {
          await ben.place(0, "Ada sits by the w".length);
          await ben.press("Enter");
        },
        (lines) => expect(lines.length).toBe(2),
      ],
      [
        "makes the line bold",
        async (ben) => {
          await ben.caret(0, "start");
          await ben.press("Shift+End");
          await ben.selected();
          await ben.press("Control+b");
        },
        (lines) => expect(lines.length).toBe(1),
      ],
    ];
    for (const [name, act, holds] of acts) {
      test(`while a word is being composed somebody ${name}`, async ({ stage }) => {
        const ben = await stage.join("Ben");
        await ben.caret(0);
        await ben.type("Ada sits by the window.");
        await ben.saved();
        const ada = await stage.join("Ada", { device: PHONE });
        expect(await ada.page.evaluate(() => /Android/.test(navigator.userAgent))).toBe(true);
        await expect.poll(() => ada.lines()).toEqual(["Ada sits by the window."]);

        const keyboard = await Keyboard.of(ada);
        await ada.place(0, "Ada sits ".length);
        await keyboard.compose("quiet");
        await expect.poll(() => together(ben)).toContain("quiet");
        await act(ben);
        await ada.page.waitForTimeout(300);
        await keyboard.compose("quietly", 6);
        await keyboard.commit("quietly");
        await keyboard.commit(" ");
        await ada.saved();
        const lines = await agreed(ada, ben);
        expect(await times(ada, "quietly"), lines.join("|")).toBe(1);
        expect(lines.join("").replaceAll(/\s/g, "")).toBe("Adasitsquietlybythewindow.");
        holds(lines);
      });
    }
  });
}

test("slate-react takes input as Android gives it", async ({ stage }) => {
  const ada = await stage.join("Ada", {
    device: PHONE,
    before: async (page) => {
      await page.addInitScript(() => history.replaceState(null, "", `${location.href}&debug`));
    },
  });
  await ada.page.setViewportSize({ width: 1280, height: 900 });
  await expect(ada.page.getByText("as Android gives it")).toBeVisible();
  const ben = await stage.join("Ben", {
    before: async (page) => {
      await page.addInitScript(() => history.replaceState(null, "", `${location.href}&debug`));
    },
  });
  await expect(ben.page.getByText("as browsers give it")).toBeVisible();
});
