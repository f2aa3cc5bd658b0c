// Script notes: two people comment on a scene and take it to pieces, one of them offline; and who may only comment.
import { readFile } from "node:fs/promises";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { agreed, expect, test, type Writer } from "./fixtures.ts";
import { SECRET, token } from "./server.ts";

const panel = (writer: Writer) => writer.page.getByRole("complementary", { name: "Script notes" });
const openNotes = (writer: Writer) => writer.page.getByRole("button", { name: /^Notes/ }).click();

async function note(writer: Writer, body: string): Promise<void> {
  await panel(writer).getByRole("button", { name: "Note on the selection" }).click();
  await panel(writer)
    .getByRole("textbox", { name: /^Note on/ })
    .fill(body);
  await panel(writer).getByRole("button", { name: "Add note" }).click();
}

/** Each thread: the words that are marked for it, and what was said. */
const threads = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>(".slate-yrs-thread")].map((card) => ({
      words: [...document.querySelectorAll<HTMLElement>(".slate-yrs-commented")]
        .filter((mark) => mark.dataset.threads?.split(" ").includes(card.dataset.thread ?? ""))
        .map((mark) => mark.textContent)
        .join(""),
      said: [...card.querySelectorAll(".slate-yrs-body")].map((body) => body.textContent),
    })),
  );

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"])
    .analyze();
  expect(violations.map(({ id, nodes }) => ({ id, where: nodes.map(({ html }) => html.slice(0, 200)) }))).toEqual([]);
}

test("two comment on a scene and restructure it, one of them offline: nothing is lost, threads are on their words", async ({
  stage,
}, info) => {
  // Two browsers, and machines of tests are slow.
  test.setTimeout(180_000);
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. KITCHEN\nThe kettle whistles and the lamp goes out.\nShe waits.");
  await ada.saved();
  const wire = await stage.wire();
  const ben = await stage.join("Ben", { wire });
  await agreed(ada, ben);
  await openNotes(ada);
  await openNotes(ben);
  await ada.place(1, 4, 19);
  await note(ada, "Which kettle?");
  await expect.poll(() => threads(ben.page)).toEqual([{ words: "kettle whistles", said: ["Which kettle?"] }]);

  // Ben is away: he answers, notes something else, and divides the line between the two.
  await ben.saved();
  wire.cut();
  await ben.reaches(/Offline/);
  await panel(ben).getByRole("textbox", { name: "Reply" }).fill("The blue one.");
  await panel(ben).getByRole("button", { name: "Reply" }).click();
  await ben.place(1, 28, 32);
  await note(ben, "Oil or electric?");
  await ben.place(1, 20);
  await ben.press("Enter");
  // Ada answers too, types into the words, and moves the line to the end.
  await panel(ada).getByRole("textbox", { name: "Reply" }).fill("Never mind.");
  await panel(ada).getByRole("button", { name: "Reply" }).click();
  await ada.place(1, 10);
  await ada.type("!");
  await ada.caret(2);
  await ada.type(" And waits.");

  wire.mend();
  await ben.saved();
  await ada.saved();
  const lines = await agreed(ada, ben);
  expect(lines.join("|")).toContain("The kettle! whistles");
  const expected = [
    { words: "kettle! whistles", said: expect.arrayContaining(["Which kettle?", "The blue one.", "Never mind."]) },
    { words: "lamp", said: ["Oil or electric?"] },
  ];
  for (const writer of [ada, ben]) await expect.poll(() => threads(writer.page)).toEqual(expected);
  await expectAccessible(ada.page);
  await info.attach("notes", { body: await ada.page.screenshot({ path: info.outputPath("notes.png") }) });

  // By keyboard from a card to its words; resolved it is no longer marked.
  await panel(ada).locator(".slate-yrs-thread").first().focus();
  await ada.press("ArrowDown");
  await ada.press("Tab");
  await ada.press("Enter");
  await expect.poll(() => ada.page.evaluate(() => getSelection()?.toString())).toBe("lamp");
  await panel(ada).locator(".slate-yrs-thread").nth(1).getByRole("button", { name: "Resolve" }).click();
  await expect(ben.page.locator(".slate-yrs-commented", { hasText: "lamp" })).toHaveCount(0);
  // Reopened page: all of it is there.
  await ada.page.reload();
  await ada.ready();
  await openNotes(ada);
  await expect.poll(() => threads(ada.page)).toEqual([expected[0]]);
  // Files have what is open, behind its words.
  const started = ada.page.waitForEvent("download");
  await ada.page.getByRole("button", { name: "More", exact: true }).click();
  await ada.page.getByRole("button", { name: "Save as Fountain" }).click();
  const fountain = await readFile(await (await started).path(), "utf8");
  expect(fountain).toMatch(/The kettle! whistles\[\[“kettle! whistles” – Ada: Which kettle\?\n– \w+: /);
  expect(fountain).not.toContain("Oil or electric?");
  // Opened, they are notes on the same words, by the same people.
  const chooser = ada.page.waitForEvent("filechooser");
  await ada.page.getByRole("button", { name: "More", exact: true }).click();
  await ada.page.getByRole("button", { name: /Open a Fountain/ }).click();
  await (await chooser).setFiles({ name: "again.fountain", mimeType: "text/plain", buffer: Buffer.from(fountain) });
  await expect(ada.page.locator(".paper")).toContainText("The kettle! whistles");
  await openNotes(ada);
  await expect.poll(() => threads(ada.page)).toEqual([expected[0]]);
  await expect(panel(ada)).toContainText("Ben");
  await expect(ada.page.locator(".paper")).not.toContainText("[[");
});

test("the script's name is everybody's, and comes back by undo", async ({ stage }) => {
  const ada = await stage.join("Ada");
  const ben = await stage.join("Ben");
  const title = (writer: Writer) => writer.page.getByRole("heading", { level: 1 });
  await ada.page.getByRole("button", { name: "More", exact: true }).click();
  await ada.page.getByRole("button", { name: "Rename the script…" }).click();
  await ada.page.getByRole("textbox", { name: "Name of the script" }).fill("The Kettle");
  await ada.press("Enter");
  for (const writer of [ada, ben]) await expect(title(writer)).toHaveText("The Kettle");
  await ben.page.reload();
  await expect(title(ben)).toHaveText("The Kettle");
  await ada.page.getByRole("button", { name: "Undo" }).click();
  for (const writer of [ada, ben]) await expect(title(writer)).toHaveText("Blank page");
});

test("on a phone the notes stand below the page", async ({ stage }, info) => {
  const ada = await stage.join("Ada", { scene: "short", device: { viewport: { width: 390, height: 800 } } });
  await ada.place(1, 0, 4);
  await openNotes(ada);
  await note(ada, "Is this needed?");
  const card = panel(ada).locator(".slate-yrs-thread");
  await expect(card).toBeVisible();
  const box = (await card.boundingBox())!;
  expect(box.x >= 0 && box.x + box.width <= 390).toBe(true);
  await expect(ada.page.locator(".slate-yrs-commented")).toBeVisible();
  await expectAccessible(ada.page);
  await info.attach("phone", { body: await ada.page.screenshot({ path: info.outputPath("phone.png") }) });
});

test.describe("with tokens", () => {
  test.use({ serverFlags: ["--jwt-secret", SECRET] });

  test("who may only comment writes notes and no script", async ({ stage }) => {
    const ada = await stage.join("Ada", { token: token("ada") });
    await ada.caret(0);
    await ada.type("INT. KITCHEN\nThe kettle whistles.");
    await ada.saved();
    const eve = await stage.join("Eve", { token: token("eve", { role: "comment" }), closed: true });
    await expect(eve.page.locator(".paper .block").nth(1)).toHaveText("The kettle whistles.", { timeout: 30_000 });
    await expect(eve.page.locator(".paper")).toHaveAttribute("contenteditable", "false");
    await openNotes(ada);
    await ada.place(1, 4, 10);
    await note(ada, "Which?");
    await openNotes(eve);
    await panel(eve).getByRole("textbox", { name: "Reply" }).fill("That one.");
    await panel(eve).getByRole("button", { name: "Reply" }).click();
    await expect.poll(() => threads(ada.page)).toEqual([{ words: "kettle", said: ["Which?", "That one."] }]);
    // Of the others' comments nothing can be changed.
    await expect(panel(ada).getByRole("button", { name: "Edit" })).toHaveCount(1);
    await expect(panel(eve).getByRole("button", { name: "Edit" })).toHaveCount(1);
  });
});
