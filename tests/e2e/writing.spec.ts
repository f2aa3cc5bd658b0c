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
  // It is shown in capitals, as the page shows cues; what is written is the name.
  const name = (await chosen.textContent()) ?? "";
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

test("a new script can be typed in at once, is renamed in the list, and removed from this device alone", async ({
  stage,
}) => {
  const wire = await stage.wire();
  const ada = await stage.join("Ada", { scene: "short", wire });
  await ada.page.getByRole("button", { name: "New script" }).click();
  await ada.type("Draft");
  await ada.press("Enter");
  await expect(ada.page.getByRole("heading", { level: 1, name: "Draft" })).toBeVisible();
  await expect(ada.script).toBeFocused();
  await ada.type("int. here - day");
  await expect(ada.block(0)).toHaveText("int. here - day");
  await ada.saved();
  const draft = ada.page.url();

  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: "Rename the script…" }).click();
  await ada.type("Second draft");
  await ada.press("Enter");
  await expect(ada.page.getByRole("link", { name: /Second draft/ })).toBeVisible();
  await ada.saved();

  const remove = () => ada.page.getByRole("button", { name: "Remove Second draft" }).click();
  await remove();
  await expect(ada.page.getByRole("dialog")).toContainText("What is on the server stays there");
  await ada.page.getByRole("button", { name: "Keep it" }).click();
  await expect(ada.page.getByRole("dialog")).toHaveCount(0);
  await remove();
  await ada.page.getByRole("button", { name: "Remove it" }).click();
  await expect(ada.page.getByRole("link", { name: /Second draft/ })).toHaveCount(0);
  await expect(ada.page.getByRole("heading", { level: 1, name: "The Long Harbour" })).toBeVisible();

  // The device has nothing of it; the server has all.
  wire.cut();
  await ada.page.goto(draft);
  await expect(ada.page.locator(".paper")).toBeVisible();
  await expect(ada.status).toHaveText(/offline|not connected|reach/i);
  expect((await ada.lines()).join("")).toBe("");
  wire.mend();
  await ada.connectsUntil(() => expect(ada.block(0)).toHaveText("int. here - day", { timeout: 1_000 }));
});

test("what is pasted minds where it lands, and keeps its looks", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const ben = await stage.join("Ben");
  const paste = async (text: string, html?: string) => {
    await ada.page.evaluate(
      async ([plain, page]) => {
        const part = (content: string, type: string) => ({ [type]: new Blob([content], { type }) });
        const item = { ...part(plain, "text/plain"), ...(page !== undefined && part(page, "text/html")) };
        await navigator.clipboard.write([new ClipboardItem(item)]);
      },
      [text, html] as const,
    );
    await ada.press("Control+v");
  };
  await ada.caret(0);
  await ada.type("int. here - day\nRain.\n");
  await ada.press("Tab");
  await paste("Mara\nToo late.");
  await ada.type(" So ");
  await paste("late now.", "late <b>now</b>.");
  await paste(" One.\n\nTwo.");
  expect(await agreed(ada, ben)).toEqual(["int. here - day", "Rain.", "Mara", "Too late. So late now. One.", "Two."]);
  const types = (writer: Writer) =>
    writer.page.locator(".paper .block").evaluateAll((blocks) => blocks.map(({ className }) => className.slice(6)));
  expect(await types(ben)).toEqual(["scene_heading", "action", "character", "dialogue", "dialogue"]);
  await expect(ben.block(3).locator("strong")).toHaveText("now");

  // Words copied from a heading are words where a cue waits for a name.
  await ada.place(0, 5, 9);
  await ada.press("Control+c");
  await ada.caret(4);
  await ada.press("Enter");
  await ada.press("Control+v");
  await expect(ada.block(5)).toHaveText("here");
  await agreed(ada, ben);
  expect((await types(ben))[5]).toBe("character");
});
