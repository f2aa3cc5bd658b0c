// Revisions and locked pages: two people see the same marks and page numbers, undo takes them back, and a file has them.
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { agreed, expect, test, type Writer } from "./fixtures.ts";

const menu = async (page: Page, name: string | RegExp) => {
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name }).click();
};

async function openFile(writer: Writer, name: string, text: string): Promise<void> {
  const chooser = writer.page.waitForEvent("filechooser");
  await menu(writer.page, /Open a Fountain/);
  await (await chooser).setFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
}

const lines = (word: string, count: number) => Array.from({ length: count }, (_, n) => `${word} ${n + 1}`).join("\n");
/** Three pages, each with action of 40 lines. */
const SCRIPT = ["One", "Two", "Three"]
  .map((word) => `INT. ${word.toUpperCase()}\n\n${lines(word, 40)}\n`)
  .join("\n===\n\n");

/** The numbers of pages as they are shown, with what stands beside them. */
const pages = (writer: Writer) =>
  writer.page
    .locator(".paper")
    .evaluate((paper) => [
      ...(paper instanceof HTMLElement && paper.dataset.first ? [paper.dataset.first] : []),
      ...[...paper.querySelectorAll<HTMLElement>("[data-page]")].map(({ dataset }) =>
        dataset.header ? `${dataset.header} · ${dataset.page}` : dataset.page,
      ),
    ]);

/** The lines that are marked, as `block.line mark`. */
const marks = (writer: Writer) =>
  writer.page.locator(".paper").evaluate((paper) =>
    [...paper.querySelectorAll<HTMLElement>(".revision-mark")].map((mark) => {
      const block = [...paper.querySelectorAll(".block")].indexOf(mark.parentElement as Element);
      return `${block}.${mark.style.getPropertyValue("--lines")} ${mark.dataset.mark}`;
    }),
  );

test("pages are locked and a revision is written: both see 2A and the marks, and undo takes them back", async ({
  stage,
}) => {
  test.setTimeout(180_000);
  const ada = await stage.join("Ada");
  await openFile(ada, "a.fountain", SCRIPT);
  await expect(ada.block(5)).toContainText("Three 40");
  await ada.saved();
  const scene = new URL(ada.page.url()).searchParams.get("scene") ?? "";
  const ben = await stage.join("Ben", { scene });
  const both = [ada, ben];
  for (const writer of both) await expect.poll(() => pages(writer)).toEqual(["2.", "3."]);

  await menu(ada.page, "Revisions and locked pages…");
  const panel = ada.page.getByRole("complementary", { name: "Revisions" });
  await panel.getByRole("button", { name: "Lock the pages" }).click();
  await expect(panel.getByText("Locked: each page keeps its number.")).toBeVisible();
  await panel.getByRole("button", { name: "Begin the next revision" }).click();
  await panel.getByRole("textbox", { name: "Date" }).fill("5/12/26");
  await panel.getByRole("textbox", { name: "Date" }).press("Enter");
  await ada.saved();

  // Ben writes into page 2: it runs over, and page 3 keeps its number.
  await menu(ben.page, "Revisions and locked pages…");
  await expect(ben.page.getByText("What anybody writes now is marked: Blue Rev.")).toBeVisible();
  await expect(ben.page.getByRole("textbox", { name: "Date" })).toHaveValue("5/12/26");
  await ben.caret(3);
  await ben.page.keyboard.insertText(` more`);
  for (const writer of both) {
    await expect.poll(() => marks(writer)).toEqual(["3.39 *"]);
    await expect.poll(() => pages(writer)).toEqual(["Blue Rev. 5/12/26 · 2.", "3."]);
  }
  await ben.press("Enter");
  for (let n = 0; n < 8; n += 1) {
    await ben.page.keyboard.insertText(`New ${n + 1}.`);
    await ben.press("Enter");
  }
  for (const writer of both) {
    await expect.poll(() => pages(writer)).toEqual(["Blue Rev. 5/12/26 · 2.", "Blue Rev. 5/12/26 · 2A.", "3."]);
  }
  await agreed(ada, ben);

  // Ada writes at the same time, elsewhere, and takes it back: words and marks go together.
  await ada.caret(1);
  await ada.type("x");
  await expect.poll(() => marks(ben)).toContain("1.39 *");
  await ada.press("Control+z");
  await expect.poll(() => marks(ben)).not.toContain("1.39 *");
  await expect(ben.block(1)).toContainText(/One 40$/);

  // All that was on page 3 goes: its number is named with the last before it.
  const before = await agreed(ada, ben);
  const last = before.length - 1;
  await ada.caret(last);
  await ada.page.keyboard.insertText(" Gone.");
  await ada.place(last - 1, 0);
  await ada.page.keyboard.press("Control+Shift+End");
  await ada.selected();
  await ada.press("Delete");
  // The empty line before goes first, then the one that was page 3.
  await ada.press("Backspace");
  await ada.press("Backspace");
  for (const writer of both) {
    await expect.poll(() => pages(writer)).toEqual(["Blue Rev. 5/12/26 · 2.", "Blue Rev. 5/12/26 · 2A."]);
  }

  // What is on the screen is in the file.
  const started = ben.page.waitForEvent("download");
  await menu(ben.page, /Save as Final Draft/);
  const fdx = (await readFile(await (await started).path())).toString();
  expect(fdx).toContain('<Revisions ActiveSet="1"');
  expect(fdx).toContain('Name="Blue Rev. (5/12/26)"');
  expect(fdx).toMatch(/<Text RevisionID="1"> more<\/Text>/);
  expect(fdx).toContain('PageNumber="2"');
  await openFile(ben, "b.fdx", fdx);
  await expect.poll(() => marks(ben)).toContain("3.39 *");
  await expect.poll(() => pages(ben)).toEqual(expect.arrayContaining(["Blue Rev. 5/12/26 · 2A."]));

  // A scene is omitted: its number and its page stay, and 2A, which is not locked, goes; and it comes back.
  await menu(ben.page, "Revisions and locked pages…");
  await ben.page.getByRole("button", { name: "Lock the scene numbers" }).click();
  const outline = ben.page.getByRole("region", { name: /^Scenes/ });
  await outline.getByRole("button", { name: "2 INT. TWO" }).click();
  const text = (await ben.lines()).join("|");
  await outline.getByRole("button", { name: "Omit: INT. TWO" }).click();
  await expect(ben.block(2)).toHaveText("OMITTED");
  await expect.poll(() => pages(ben)).toEqual(["Blue Rev. 5/12/26 · 2."]);
  await outline.getByRole("button", { name: "Bring back: OMITTED" }).click();
  await expect.poll(async () => (await ben.lines()).join("|")).toBe(text);
});
