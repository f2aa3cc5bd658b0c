// Find and replace, while somebody else writes in the same lines.
import type { Locator } from "@playwright/test";
import { agreed, expect, test, type Writer } from "./fixtures.ts";

const bar = (writer: Writer) => writer.page.getByRole("search");
const field = (writer: Writer): Locator => bar(writer).getByRole("textbox", { name: "Find" });
const count = (writer: Writer): Locator => bar(writer).getByRole("status");
const marks = (writer: Writer): Locator => writer.page.locator(".paper mark.found");
const active = (writer: Writer): Locator => writer.page.locator(".paper mark.found[data-active]");

test("finds over all scenes while others write, and replaces all as one step", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. MARA’S KITCHEN - DAY\nMara waits. Marathon.\n");
  const ben = await stage.join("Ben");
  await agreed(ada, ben);

  await ada.press("Control+f");
  await expect(field(ada)).toBeFocused();
  await ada.type("mara");
  await expect(count(ada)).toHaveText("3 found");
  await expect(marks(ada)).toHaveText(["MARA", "Mara", "Mara"]);
  await ada.press("Enter");
  await expect(count(ada)).toHaveText("1 of 3");
  await ada.press("Enter");
  await expect(count(ada)).toHaveText("2 of 3");
  await expect(ada.block(1).locator("mark[data-active]")).toHaveText("Mara");

  // What Ben writes before it moves the mark along with its words; what he writes anew is found.
  await ben.caret(1, "start");
  await ben.type("So mara says. ");
  await expect(count(ada)).toHaveText("3 of 4");
  await expect(marks(ada)).toHaveText(["MARA", "mara", "Mara", "Mara"]);
  await expect(active(ada)).toHaveCount(1);
  await expect(marks(ada).nth(2)).toHaveAttribute("data-active", "");
  await ada.press("Shift+Enter");
  await expect(count(ada)).toHaveText("2 of 4");

  await bar(ada).getByLabel("Match case").check();
  await expect(count(ada)).toHaveText("1 of 1");
  await bar(ada).getByLabel("Whole words").check();
  await bar(ada).getByLabel("Match case").uncheck();
  await expect(count(ada)).toHaveText("2 of 3");

  await ada.press("Control+h");
  await bar(ada).getByRole("textbox", { name: "Replace with" }).fill("Nora");
  await bar(ada).getByRole("button", { name: "Replace", exact: true }).click();
  const one = ["INT. MARA’S KITCHEN - DAY", "So Nora says. Mara waits. Marathon.", ""];
  expect(await agreed(ada, ben)).toEqual(one);
  await expect(count(ada)).toHaveText("2 of 2");
  await bar(ada).getByRole("button", { name: "Replace all" }).click();
  await expect(count(ada)).toHaveText("2 replaced");
  const all = ["INT. Nora’S KITCHEN - DAY", "So Nora says. Nora waits. Marathon.", ""];
  expect(await agreed(ada, ben)).toEqual(all);

  // Escape leads back to the page, the marks are gone, and one undo takes all back, but not what was before.
  await ada.press("Escape");
  await expect(bar(ada)).toHaveCount(0);
  await expect(ada.script).toBeFocused();
  await expect(marks(ada)).toHaveCount(0);
  await ada.press("Control+z");
  expect(await agreed(ada, ben)).toEqual(one);
  await ada.press("Control+y");
  expect(await agreed(ada, ben)).toEqual(all);
});

test("the bar opens by the menu, takes what is selected, and goes round the end", async ({ stage }) => {
  const ada = await stage.join("Ada", { scene: "short" });
  const lines = await ada.lines();
  await ada.caret(lines.length - 1);
  await ada.type(" Fade away.");
  await ada.place(0, 0, 4);
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: "Find…" }).click();
  await expect(field(ada)).toHaveValue("FADE");
  await expect(field(ada)).toBeFocused();
  const all = (lines.join("\n").match(/fade/gi)?.length ?? 0) + 1;
  await expect(count(ada)).toHaveText(`1 of ${all}`);
  await expect(active(ada)).toHaveText("FADE");
  await ada.press("Shift+Enter");
  await expect(count(ada)).toHaveText(`${all} of ${all}`);
  await expect(active(ada)).toBeInViewport();
  await ada.press("Enter");
  await expect(count(ada)).toHaveText(`1 of ${all}`);
  await field(ada).fill("no such words");
  await expect(count(ada)).toHaveText("Not found");
});
