// What helps with writing: suggestions of what the others have written, numbers, (CONT’D), where the caret is.
import { agreed, expect, test, type Writer } from "./fixtures.ts";

const options = (writer: Writer) => writer.page.getByRole("listbox", { name: "Suggestions" }).getByRole("option");

test("suggestions come from what others write, by keys and by pointer", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. OBSERVATORY - DAY\nStars.\n");
  const ben = await stage.join("Ben");
  await agreed(ada, ben);
  await ben.caret(2);
  await ben.press("Tab");
  await ben.type("Rosalind\nLook.\nRowe\nWhere?\n\n");
  await agreed(ada, ben);

  await ada.caret(6);
  await ada.press("Tab");
  await ada.type("ro");
  await expect(options(ada)).toHaveText(["Rosalind", "Rowe"]);
  await expect(options(ben)).toHaveCount(0);
  // Nothing is chosen: Enter goes on with what was typed.
  await ada.press("Enter");
  await ada.type("Who, me?\nro");
  await ada.press("ArrowDown");
  const chosen = options(ada).first();
  await expect(chosen).toHaveAttribute("aria-selected", "true");
  await expect(ada.script).toHaveAttribute("aria-activedescendant", (await chosen.getAttribute("id")) ?? "none");
  const name = await chosen.innerText();
  await ada.press("Enter");
  await expect(options(ada)).toHaveCount(0);
  await ada.press("Enter");
  await ada.type("Yes.\n\nint. ");
  await options(ada).filter({ hasText: "OBSERVATORY" }).click();
  await ada.type(" - ni");
  await ada.press("Tab");
  await ada.type("\nDark.");
  const lines = await agreed(ada, ben);
  expect(lines.slice(6)).toEqual(["ro", "Who, me?", name, "Yes.", "int. OBSERVATORY - NIGHT", "Dark."]);
  expect(await ada.block(10).getAttribute("class")).toBe("block scene_heading");
});

test("numbers and (CONT’D) are shown, and are no part of the text", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. ONE - DAY\nStars.\n");
  await ada.press("Tab");
  await ada.type("Kit\nLook.\n\nA pause.\n");
  await ada.press("Tab");
  await ada.type("Kit\nThere.\n\next. two\n");
  const shown = (index: number, part: "::before" | "::after") =>
    ada.block(index).evaluate((block, pseudo) => {
      const words = block.querySelector(":scope > span:last-of-type");
      return words && getComputedStyle(words, pseudo).content;
    }, part);
  await expect.poll(() => shown(5, "::after")).toBe('" (CONT’D)"');
  expect(await shown(2, "::after")).toBe("none");
  expect(await shown(7, "::before")).toBe("none");
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: "Show scene numbers" }).click();
  await expect.poll(() => shown(7, "::before")).toBe('"2"');
  expect(await shown(7, "::after")).toBe('"2"');
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: "Hide (CONT’D)" }).click();
  await expect.poll(() => shown(5, "::after")).toBe("none");
  expect(await ada.lines()).toEqual([
    "INT. ONE - DAY",
    "Stars.",
    "Kit",
    "Look.",
    "A pause.",
    "Kit",
    "There.",
    "ext. two",
    "",
  ]);
});
