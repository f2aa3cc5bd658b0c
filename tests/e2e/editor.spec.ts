// Reload, presence, several scenes, undo and foreign clients, as a writer meets them.
import { agreed, expect, test } from "./fixtures.ts";

test("f1: a reload keeps the text, and the script is not doubled", async ({ stage }) => {
  const ada = await stage.join("Ada", { scene: "short" });
  await ada.saved();
  const before = await ada.lines();
  expect(before.length).toBeGreaterThan(40);
  await ada.caret(2);
  await ada.type(" And then?");
  await ada.saved();
  for (let count = 0; count < 5; count += 1) {
    await ada.page.reload();
    await ada.ready();
  }
  await ada.saved();
  const after = await ada.lines();
  expect(after).toHaveLength(before.length);
  expect(after[2]).toBe(`${before[2]} And then?`);
});

test("f1: two people who open a new script at the same moment get it once", async ({ stage }) => {
  const [ada, ben] = await Promise.all([stage.join("Ada", { scene: "short" }), stage.join("Ben", { scene: "short" })]);
  await ada.saved();
  await ben.saved();
  const lines = await agreed(ada, ben);
  expect(lines.filter((line) => line === "FADE IN:")).toHaveLength(1);
});

test("carets with names and colours, and who is here", async ({ stage }) => {
  const ada = await stage.join("Ada", { color: "#4338ca" });
  await ada.caret(0);
  await ada.type("INT. HERE - DAY\nHello there.");
  const ben = await stage.join("Ben", { color: "#d93a32" });
  await ben.caret(1);

  const caret = ada.page.locator(".slate-yrs-caret");
  await expect(caret).toBeVisible();
  await expect(caret).toHaveCSS("background-color", "rgb(217, 58, 50)");
  await ben.typeUntil(() =>
    expect(ada.page.locator(".slate-yrs-flag", { hasText: "Ben" })).toBeVisible({ timeout: 1_500 }),
  );
  const line = await ada.block(1).boundingBox();
  const box = await caret.boundingBox();
  expect(box && line && box.y >= line.y - 2 && box.y <= line.y + line.height).toBe(true);
  await expect(ada.page.locator(".slate-yrs-avatar", { hasText: "Ben" })).toBeVisible();

  // A new name is seen at once, and kept.
  await ben.page.getByRole("button", { name: /^You are Ben/ }).click();
  await ben.page.getByLabel("Your name").fill("Benedikta");
  await ben.page.getByRole("button", { name: "Done" }).click();
  await expect(ada.page.locator(".slate-yrs-avatar", { hasText: "Benedikta" })).toBeVisible();
  await ben.page.reload();
  await expect(ben.page.getByRole("button", { name: /^You are Benedikta/ })).toBeVisible();

  // f27: who leaves is gone.
  await ben.context.close();
  await expect(ada.page.locator(".slate-yrs-avatar")).toHaveCount(0);
  await expect(caret).toHaveCount(0);
});

test("f5: scenes stay apart, also when switching while typing", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. BLANK - DAY");
  for (let round = 0; round < 5; round += 1) {
    await ada.page.getByRole("link", { name: /Four Minutes to Dusk/ }).click();
    await expect(ada.block(0)).toHaveText("FADE IN:");
    await ada.page.getByRole("link", { name: /Blank page/ }).click();
    await expect(ada.block(0)).toContainText("INT. BLANK");
    await ada.caret(0);
    await ada.type(` ${round}`, 0);
  }
  await ada.saved();
  expect(await ada.lines()).toEqual(["INT. BLANK - DAY 0 1 2 3 4"]);
  await ada.page.getByRole("link", { name: /Four Minutes to Dusk/ }).click();
  await ada.saved();
  expect((await ada.lines()).join("\n")).not.toContain("BLANK");
});

test("undo takes back one's own edits only", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. UNDO - DAY\nMine. ");
  const ben = await stage.join("Ben");
  await agreed(ada, ben);
  await ben.caret(0);
  await ben.type(" BEN WAS HERE");
  await agreed(ada, ben);
  await ada.page.waitForTimeout(700);
  await ada.caret(1);
  // In one piece: what is typed with pauses is undone in pieces.
  await ada.page.keyboard.insertText("Oops");
  await ada.press("Control+z");
  expect(await agreed(ada, ben)).toEqual(["INT. UNDO - DAY BEN WAS HERE", "Mine. "]);
  await ada.press("Control+y");
  expect(await agreed(ada, ben)).toEqual(["INT. UNDO - DAY BEN WAS HERE", "Mine. Oops"]);
});
