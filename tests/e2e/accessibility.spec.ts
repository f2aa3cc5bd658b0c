// The editor as people meet it who use a keyboard, a screen reader, a phone or a dark room: axe finds nothing to object to.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    // The last ones are about landmarks, headings and the like.
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  expect(violations.map(({ id, nodes }) => ({ id, where: nodes.map(({ html }) => html.slice(0, 200)) }))).toEqual([]);
}

test("axe: the page, its menus, and with somebody else in it", async ({ stage }) => {
  const ada = await stage.join("Ada", { scene: "short" });
  const ben = await stage.join("Ben", { scene: "short" });
  await ben.caret(2);
  await ben.type(" Hm.");
  await ada.caret(3);
  await expect(ada.page.locator(".slate-yrs-avatar")).toBeVisible();
  await expectAccessible(ada.page);

  for (const name of [/^You are/, /^More$/, /other person/]) {
    await ada.page.getByRole("button", { name }).click();
    await expect(ada.page.locator(".popover-panel")).toBeVisible();
    await expectAccessible(ada.page);
    await ada.press("Escape");
    await expect(ada.page.locator(".popover-panel")).toHaveCount(0);
    await expect(ada.page.getByRole("button", { name }).first()).toBeFocused();
  }
});

test("axe: dark, and on a phone", async ({ stage }) => {
  const ada = await stage.join("Ada", { scene: "short" });
  await ada.page.emulateMedia({ colorScheme: "dark" });
  await ada.page.reload();
  await ada.ready();
  expect(await ada.page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  await ada.caret(2);
  await expectAccessible(ada.page);
  await ada.page.setViewportSize({ width: 390, height: 800 });
  await expectAccessible(ada.page);
  const width = await ada.page.evaluate(() => document.documentElement.scrollWidth);
  expect(width, "nothing sticks out").toBeLessThanOrEqual(390);
  await ada.page.getByRole("button", { name: "Scripts and scenes" }).click();
  await ada.page.getByRole("link", { name: /Blank page/ }).click();
  await expect(ada.page.locator(".paper .block")).toHaveCount(1);
});

for (const [theme, width] of [
  ["dark", 1280],
  ["light", 390],
] as const) {
  test(`axe: find, suggestions, notes, dialogs and notices, ${theme}, ${width} wide`, async ({ stage }) => {
    // axe looks at the page seven times, and takes its time where machines are busy.
    test.setTimeout(240_000);
    const ada = await stage.join("Ada", {
      scene: "short",
      before: async (page) => {
        await page.addInitScript((name) => localStorage.setItem("screenplay.theme", name), theme);
        await page.setViewportSize({ width, height: 800 });
      },
    });
    const { page } = ada;
    await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
    const menu = async (name: string) => {
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("button", { name, exact: true }).click();
    };
    await menu("Show scene numbers");
    await ada.place(2, 0, 3);
    await menu("Find and replace…");
    await page.getByRole("textbox", { name: "Find", exact: true }).fill("the");
    await ada.press("Enter");
    await expect(page.locator("mark[data-active]")).toHaveCount(1);
    await expectAccessible(page);
    await ada.press("Escape");

    await page.getByRole("button", { name: "Notes" }).click();
    await ada.place(2, 0, 3);
    await page.getByRole("button", { name: "Note on the selection" }).click();
    await ada.type("Is it?");
    await page.getByRole("button", { name: "Add note" }).click();
    await expect(page.locator(".slate-yrs-commented").first()).toBeVisible();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Close the notes" }).click();

    const end = (await ada.lines()).length - 1;
    await ada.caret(end);
    await ada.press("Enter");
    await ada.type("int. ");
    await expect(page.getByRole("listbox", { name: "Suggestions" })).toBeVisible();
    await ada.press("ArrowDown");
    await expectAccessible(page);
    await ada.press("Escape");

    await menu("Revisions and locked pages…");
    await page.getByRole("button", { name: "Begin the next revision" }).click();
    await page.getByRole("button", { name: "Begin the next revision" }).click();
    await ada.place(2, 0, 3);
    await ada.type("He");
    await expect(page.locator(".revision-mark").first()).toBeVisible();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Close the revisions" }).click();

    await menu("Keyboard shortcuts");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Close" }).click();
    if (width < 900) await page.getByRole("button", { name: "Scripts and scenes" }).click();
    await page.getByRole("button", { name: "New script" }).click();
    await expectAccessible(page);
    await ada.type("Draft");
    await ada.press("Enter");
    await expect(page.getByRole("heading", { level: 1, name: "Draft" })).toBeVisible();
    if (width < 900) await page.getByRole("button", { name: "Scripts and scenes" }).click();
    await page.getByRole("button", { name: "Remove Draft" }).click();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Keep it" }).click();

    const nowhere = new URL(page.url());
    nowhere.searchParams.set("scene", "..");
    await page.goto(nowhere.href);
    await expect(page.getByRole("alert")).toBeVisible();
    await expectAccessible(page);
  });
}

test("the keyboard alone is enough to write a scene and to go to another", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.script.focus();
  await ada.type("int. kitchen - day\nShe waits.\n");
  await ada.press("Tab");
  await ada.type("Mara\nToo late.\n\next. yard\nRain.");
  expect(
    await ada.page.locator(".paper .block").evaluateAll((blocks) => blocks.map((block) => block.className)),
  ).toEqual([
    "block scene_heading",
    "block action",
    "block character",
    "block dialogue",
    "block scene_heading",
    "block action",
  ]);
  const first = ada.page.getByRole("button", { name: /^1 int\. kitchen/i });
  await first.focus();
  await ada.press("Enter");
  await expect(ada.script).toBeFocused();
  await ada.type("!");
  await expect(ada.block(0)).toContainText("int. kitchen - day!");
  // A scene moves with Alt and an arrow.
  await first.focus();
  await ada.press("Alt+ArrowDown");
  await expect(ada.block(0)).toContainText("ext. yard");
});
