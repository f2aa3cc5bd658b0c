// The script on paper: what is printed and what is saved as a PDF have the pages that the editor counts; and the title page.
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { PAPER_CASES } from "../../examples/screenplay/src/script/paper-cases.ts";
import { expect, test, type Writer } from "./fixtures.ts";

/** Chromium and pdfkit write the objects of pages as plain text. */
const pagesIn = (pdf: Buffer): number => pdf.toString("latin1").match(/\/Type \/Page\b/g)?.length ?? 0;

const menu = async (page: Page, name: string | RegExp) => {
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name }).click();
};

async function download(page: Page, name: RegExp): Promise<Buffer> {
  const started = page.waitForEvent("download");
  await menu(page, name);
  return readFile(await (await started).path());
}

async function openFile(writer: Writer, text: string): Promise<void> {
  const chooser = writer.page.waitForEvent("filechooser");
  await menu(writer.page, /Open a Fountain/);
  await (await chooser).setFiles({ name: "a.fountain", mimeType: "text/plain", buffer: Buffer.from(text) });
}

test("the pages on the screen are those on paper and those of the PDF", async ({ stage, browser }) => {
  test.setTimeout(180_000);
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(
    (cases) => {
      for (const [n, script] of cases.entries())
        localStorage.setItem(`screenplay.alone.case-${n}`, JSON.stringify(script));
    },
    PAPER_CASES.map(({ script }) => script),
  );
  for (const [n, { name, pages }] of PAPER_CASES.entries()) {
    await page.goto(`${new URL(stage.server.page).origin}/?scene=case-${n}&name=Ada&collab=off`);
    await expect(page.locator(".statusline"), name).toContainText(pages === 1 ? "1 page ·" : `${pages} pages ·`);
    expect(pagesIn(await page.pdf({ preferCSSPageSize: true })), name).toBe(pages);
    await expect(page.locator(".sheets")).toHaveCount(0);
    expect(pagesIn(await download(page, /Save as PDF/)), name).toBe(pages);
  }
  await page.context().close();
});

const HARBOUR = `Title: **THE HARBOUR**
Credit: Written by
Author: Ada
Draft date: 1 May
Contact:
    Street 1
    Town

FADE IN:

INT. HALL - DAY

She waits.
`;

test("the title page is everybody's, on paper and in files, and stays when the first line goes", async ({ stage }) => {
  test.setTimeout(150_000);
  const ada = await stage.join("Ada");
  await openFile(ada, HARBOUR);
  await expect(ada.block(0)).toHaveText("FADE IN:");
  await ada.saved();
  const scene = new URL(ada.page.url()).searchParams.get("scene") ?? "";
  const ben = await stage.join("Ben", { scene });
  const card = (writer: Writer) => writer.page.getByRole("region", { name: "Title page" });
  await expect(card(ben)).toContainText("THE HARBOUR");
  await expect(card(ben).locator("strong")).toHaveText("THE HARBOUR");
  await expect(card(ben)).toContainText("Street 1");

  // Ben deletes the first line: who wrote the script stays.
  await ben.block(0).click({ clickCount: 3 });
  await ben.selected();
  await ben.press("Backspace");
  await ben.press("Backspace");
  await expect(ben.page.locator(".paper .block")).toHaveCount(2);
  await expect(ada.page.locator(".paper .block")).toHaveCount(2);
  for (const writer of [ada, ben]) await expect(card(writer)).toContainText("Ada");
  await ben.saved();
  await ben.page.reload();
  await ben.ready();
  await expect(card(ben)).toContainText("Street 1");

  // Both edit it at once, one of them offline.
  const edit = async (writer: Writer, name: string, text: string) => {
    if ((await writer.page.getByRole("complementary", { name: "Title page" }).count()) === 0) {
      await menu(writer.page, "Title page…");
    }
    await writer.page.getByRole("textbox", { name, exact: true }).fill(text);
    await writer.page.getByRole("textbox", { name, exact: true }).blur();
  };
  await ben.context.setOffline(true);
  await edit(ben, "Author", "Ada & Ben");
  await edit(ada, "Title", "The Long Harbour");
  await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText("The Long Harbour");
  await ben.context.setOffline(false);
  await ben.saved();
  for (const writer of [ada, ben]) {
    await expect(card(writer)).toContainText("The Long Harbour");
    await expect(card(writer)).toContainText("Ada & Ben");
    await expect(card(writer)).toContainText("Written by");
  }
  const fountain = (await download(ben.page, /Save as Fountain/)).toString();
  expect(fountain.split("\n").slice(0, 7)).toEqual([
    "Title: The Long Harbour",
    "Credit: Written by",
    "Author: Ada & Ben",
    "Draft date: 1 May",
    "Contact:",
    "    Street 1",
    "    Town",
  ]);
  expect(pagesIn(await ada.page.pdf({ preferCSSPageSize: true }))).toBe(2);
  expect(pagesIn(await download(ada.page, /Save as PDF/))).toBe(2);

  // Undo takes back what was typed, and does not go through how the title page came here.
  await ada.caret(1);
  await ada.type("!");
  await ada.press("Control+z");
  await expect(ada.block(1)).toHaveText("She waits.");
  await expect(card(ada)).toContainText("The Long Harbour");
});
