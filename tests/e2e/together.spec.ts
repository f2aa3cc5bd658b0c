// Working side by side: who types, following a caret, moving scenes, dual dialogue, and what the tools for developers show.
import { agreed, expect, test, type Writer } from "./fixtures.ts";

const headings = (writer: Writer) =>
  writer.page.locator(".outline .heading").evaluateAll((items) => items.map((item) => item.textContent));

test("who types is seen, and somebody's caret can be followed", async ({ stage }) => {
  const ada = await stage.join("Ada", { scene: "pilot" });
  const ben = await stage.join("Ben", { scene: "pilot" });
  await ada.page.getByRole("button", { name: /other person is here/ }).click();
  const list = ada.page.locator(".people-list");
  await expect(list).toContainText("Ben");

  await ben.page.getByRole("button", { name: /^20 / }).click();
  await expect(ben.script).toBeFocused();
  await expect(list.getByRole("button", { name: "Follow" })).toBeEnabled();
  await list.getByRole("button", { name: "Follow" }).click();
  await expect(ada.page.locator(".scene_heading").nth(19)).toBeInViewport();
  await ben.typeUntil(() => expect(list).toContainText("Typing…", { timeout: 1_000 }));
  await ben.typeUntil(() =>
    expect(ada.page.locator(".slate-yrs-flag", { hasText: "Ben" })).toBeInViewport({ timeout: 1_500 }),
  );

  await ben.page.getByRole("button", { name: /^3 / }).click();
  await expect(ada.page.locator(".scene_heading").nth(2)).toBeInViewport();
  // Scrolling oneself ends it.
  await ada.page.mouse.move(700, 500);
  await ada.page.mouse.wheel(0, 400);
  await expect(list.getByRole("button", { name: "Follow", exact: true })).toBeVisible();
});

test("a scene is dragged to another place, for everyone, with what is being written in it", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. ONE\nFirst.\nint. two\nSecond.\nint. three\nThird.");
  const ben = await stage.join("Ben");
  const before = await agreed(ada, ben);
  expect(before).toHaveLength(6);
  await expect.poll(() => headings(ben)).toEqual(["INT. ONE", "INT. TWO", "INT. THREE"]);

  // Ben writes in the scene that is being moved.
  await ben.caret(5);
  const scenes = ada.page.locator(".outline li");
  await scenes.nth(2).dragTo(scenes.nth(0), { targetPosition: { x: 20, y: 3 } });
  await expect.poll(() => headings(ada)).toEqual(["INT. THREE", "INT. ONE", "INT. TWO"]);
  await expect.poll(() => headings(ben)).toEqual(["INT. THREE", "INT. ONE", "INT. TWO"]);
  await ben.type(" Still here.");
  expect(await agreed(ada, ben)).toEqual([
    "int. three",
    "Third. Still here.",
    "INT. ONE",
    "First.",
    "int. two",
    "Second.",
  ]);

  await ada.page.getByRole("button", { name: "Undo" }).click();
  expect(await agreed(ada, ben)).toEqual([
    "INT. ONE",
    "First.",
    "int. two",
    "Second.",
    "int. three",
    "Third. Still here.",
  ]);
});

test("everything is selected and deleted while a peer types all the while", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("Ada writes.\nBen writes.");
  const ben = await stage.join("Ben");
  await agreed(ada, ben);
  await ben.caret(1);
  let goes = true;
  const typing = (async () => {
    while (goes) await ben.page.keyboard.type("b", { delay: 60 });
  })();
  for (let round = 0; round < 5; round++) {
    // In one go: the two are at one place.
    await ada.page.keyboard.insertText(`Old${round}`);
    await expect(ada.script).toContainText(`Old${round}`);
    await ada.page.keyboard.press("Control+a");
    await ada.page.keyboard.press("Delete");
    await expect(ada.script).not.toContainText(`Old${round}`);
    await expect(ada.script).not.toContainText("writes");
  }
  goes = false;
  await typing;
  await agreed(ada, ben);
});

test("what is written without a connection into lines that another splits and deletes is there, and goes on", async ({
  stage,
}) => {
  const wire = await stage.wire();
  const ada = await stage.join("Ada", { wire });
  const ben = await stage.join("Ben");
  await ada.caret(0);
  await ada.type("INT. TRAIN - NIGHT\nOne two three four.\nGone soon.\nThis too.\nEnd.");
  await ada.saved();
  expect(await agreed(ada, ben)).toHaveLength(5);

  wire.cut();
  await expect(ada.status).toHaveText(/^Offline/);
  await ada.caret(1);
  await ada.type(" Five.");
  await ada.caret(2);
  await ada.type(" Or not.");
  const alone = ["INT. TRAIN - NIGHT", "One two three four. Five.", "Gone soon. Or not.", "This too.", "End."];
  await expect.poll(() => ada.lines()).toEqual(alone);
  // Ben presses Enter in the first of these lines; then he deletes from behind it into another, and what is between.
  await ben.caret(1);
  for (let at = 0; at < " four.".length; at += 1) await ben.press("ArrowLeft");
  await ben.selected();
  await ben.press("Enter");
  await expect.poll(() => ben.lines()).toHaveLength(6);
  await ben.caret(2);
  await ben.block(4).evaluate((block) => {
    const selection = getSelection();
    selection?.extend(block, block.childNodes.length);
  });
  await ben.selected();
  await ben.press("Backspace");
  await expect.poll(() => ben.lines()).toEqual(["INT. TRAIN - NIGHT", "One two three", " four.", "End."]);
  await ben.saved();

  wire.mend();
  await ada.saved();
  const lines = ["INT. TRAIN - NIGHT", "One two three", " four. Five.", " Or not.", "End."];
  expect(await agreed(ada, ben)).toEqual(lines);
  // Ada is where she was.
  await ada.type(" Yes.");
  expect(await agreed(ada, ben)).toEqual(lines.map((line) => (line === " Or not." ? " Or not. Yes." : line)));
  await ada.saved();
});

test("dual dialogue is set and taken apart while somebody writes in it", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. HALL\nThey all speak.\n");
  await ada.press("Tab");
  await ada.type("MARA\nLeft.\nKIT\nRight.");
  const ben = await stage.join("Ben");
  await agreed(ada, ben);

  await ben.caret(3);
  await ada.page.getByRole("button", { name: "Dual dialogue" }).click();
  await expect(ben.page.locator(".dual .column")).toHaveCount(2);
  await ben.type(" Me first!");
  expect(await agreed(ada, ben)).toEqual(["INT. HALL", "They all speak.", "MARA", "Left. Me first!", "KIT", "Right."]);
  await expect(ada.page.locator(".dual .column").first()).toContainText("Me first!");

  await ada.page.getByRole("button", { name: "Dual dialogue" }).click();
  await expect(ben.page.locator(".dual")).toHaveCount(0);
  expect(await agreed(ada, ben)).toHaveLength(6);
  await ada.saved();
});

test("marks and element types arrive at the others", async ({ stage }) => {
  const ada = await stage.join("Ada");
  const ben = await stage.join("Ben");
  await ada.caret(0);
  await ada.type("INT. HALL\nVery ");
  await ada.press("Control+b");
  await ada.type("loud");
  await ada.press("Control+b");
  await ada.type(" noise.");
  await expect(ben.page.locator(".paper strong")).toHaveText("loud");
  await ada.page.getByLabel("Element type").selectOption("shot");
  await expect(ben.block(1)).toHaveClass(/shot/);
  expect(await agreed(ada, ben)).toEqual(["INT. HALL", "Very loud noise."]);
});

test("?debug shows the outbox, the peers and a log, and saves a trace", async ({ stage }) => {
  const ada = await stage.join("Ada");
  const ben = await stage.join("Ben");
  await ben.page.goto(`${ben.page.url()}&debug`);
  await ben.ready();
  const panel = ben.page.getByRole("complementary", { name: "Developer tools" });
  await expect(panel).toContainText("online, synced");
  await expect(panel).toContainText("Ada");
  await ada.caret(0);
  await ada.type("INT. LOGGED");
  await expect(panel.locator(".log")).toContainText(/remote update, \d+ bytes/);
  const download = ben.page.waitForEvent("download");
  await panel.getByRole("button", { name: "Save a trace" }).click();
  expect((await download).suggestedFilename()).toBe("trace-blank.json");
});
