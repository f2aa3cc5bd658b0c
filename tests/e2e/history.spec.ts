// The history panel, against the server's history.
import { agreed, expect, test } from "./fixtures.ts";

test("a version is named, compared with now, one scene of it restored, then all of it, for everyone", async ({
  stage,
}) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. FIRST\nThe old line.\nint. second\nUntouched.");
  await ada.saved();
  const ben = await stage.join("Ben");
  const before = await agreed(ada, ben);

  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: "History" }).click();
  const panel = ada.page.getByRole("complementary", { name: "History" });
  await panel.getByPlaceholder("Name this version").fill("First draft");
  await panel.getByRole("button", { name: "Save" }).click();
  const version = panel.getByRole("button", { name: /First draft/ });
  await expect(version).toBeVisible();

  await ben.caret(1);
  await ben.type(" And a new one.");
  await ben.caret(3);
  await ben.type(" Not any more.");
  const after = await agreed(ada, ben);

  await ben.page.getByRole("button", { name: "More" }).click();
  await ben.page.getByRole("button", { name: "Rename the script…" }).click();
  await ben.page.getByRole("textbox", { name: "Name of the script" }).fill("The Second One");
  await ben.page.getByRole("button", { name: "Rename", exact: true }).click();
  await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText("The Second One");
  await ben.saved();

  await version.click();
  const page = ada.page.locator(".paper.version");
  await expect(page.getByRole("list", { name: "Beside the text" })).toHaveText("Name of the script:  The Second One");
  await expect(page.locator(".block ins").first()).toContainText("And a new one.");
  await expect(page.getByTitle("Added by Ben").first()).toContainText("And a new one.");
  await expect(page.locator(".changed-by").first()).toHaveText("B(changed by Ben)");
  await expect(ada.script).toBeHidden();
  await page.getByRole("button", { name: "Restore this scene" }).nth(1).click();
  await expect(page).toHaveCount(0);
  await expect.poll(() => ben.lines()).toEqual([...after.slice(0, 3), before[3]]);
  expect(await agreed(ada, ben)).toEqual([...after.slice(0, 3), before[3]]);

  await version.click();
  await version.click();
  await panel.getByRole("button", { name: "Go back to this version" }).click();
  await expect.poll(() => ben.lines()).toEqual(before);
  expect(await agreed(ada, ben)).toEqual(before);
});
