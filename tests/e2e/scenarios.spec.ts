// The situations the plan for collaborative scenes names, each as one test against the real server. The fourth, a large
// document, is in large.spec.ts.
import { agreed, expect, test } from "./fixtures.ts";

test("1 · two users edit one scene in real time: both type at once, nothing is lost", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. KITCHEN - DAY\n");
  await ada.type("One.\nTwo.\nThree.");
  const ben = await stage.join("Ben");
  expect(await agreed(ada, ben)).toEqual(["INT. KITCHEN - DAY", "One.", "Two.", "Three."]);

  await ada.caret(1);
  await ben.caret(3);
  await Promise.all([
    ada.type(" Ada writes a longer sentence here, without looking up."),
    ben.type(" Ben, at the same time, writes another one down there."),
  ]);
  expect(await agreed(ada, ben)).toEqual([
    "INT. KITCHEN - DAY",
    "One. Ada writes a longer sentence here, without looking up.",
    "Two.",
    "Three. Ben, at the same time, writes another one down there.",
  ]);

  // Enter, types and marks at the same time as well.
  await ada.press("Enter");
  await ben.press("Enter");
  await Promise.all([ada.type("int. cellar - night\nDark."), ben.type("ext. roof - dawn\nWind.")]);
  const lines = await agreed(ada, ben);
  expect(lines).toHaveLength(8);
  await expect(ben.page.locator(".scene_heading", { hasText: "int. cellar - night" })).toBeVisible();
  await expect(ada.page.locator(".scene_heading", { hasText: "ext. roof - dawn" })).toBeVisible();
  await ada.saved();
  await ben.saved();
});

test("2 · offline → online: what was written without a connection arrives, nothing twice", async ({ stage }) => {
  const wire = await stage.wire();
  const ada = await stage.join("Ada", { wire });
  const ben = await stage.join("Ben");
  await ada.caret(0);
  await ada.type("INT. TRAIN - NIGHT\nBefore.");
  await ada.saved();
  await agreed(ada, ben);

  wire.cut();
  await expect(ada.status).toHaveText(/^Offline/);
  await ada.press("Enter");
  await ada.type("Written in the tunnel.");
  await expect(ada.status).toHaveText(/Offline · \d+ changes? kept on this device/);
  await ben.caret(0);
  await ben.type(" (moving)");
  await ben.saved();

  // A reload without the server: the text is still there.
  await ada.page.reload();
  await ada.ready();
  expect(await ada.lines()).toEqual(["INT. TRAIN - NIGHT", "Before.", "Written in the tunnel."]);

  wire.mend();
  await ada.saved();
  const lines = await agreed(ada, ben);
  expect(lines).toEqual(["INT. TRAIN - NIGHT (moving)", "Before.", "Written in the tunnel."]);

  // f13: it is stored, not only passed on.
  await stage.server.kill();
  await stage.server.run();
  const cleo = await stage.join("Cleo");
  expect(await agreed(cleo, ada)).toEqual(lines);
});

test("3 · server restart: killed without warning and started again, the text is there and typing goes on", async ({
  stage,
}) => {
  const ada = await stage.join("Ada");
  const ben = await stage.join("Ben");
  await ada.caret(0);
  await ada.type("EXT. PIER - DAWN\nA boat.");
  await ada.saved();
  await agreed(ada, ben);

  await stage.server.kill();
  await expect(ada.status).toHaveText(/^Offline/);
  await ada.type(" Nobody in it.");
  await ben.caret(0);
  await ben.type(" - FOG");
  await stage.server.run();

  await ada.saved();
  await ben.saved();
  const lines = ["EXT. PIER - DAWN - FOG", "A boat. Nobody in it."];
  expect(await agreed(ada, ben)).toEqual(lines);
  await ada.type(" Yet.");
  expect(await agreed(ada, ben)).toEqual([lines[0], `${lines[1]} Yet.`]);

  // A newcomer, and a server that has nothing but its database.
  await ada.saved();
  await stage.server.kill();
  await stage.server.run();
  const cleo = await stage.join("Cleo");
  await expect.poll(() => cleo.lines()).toEqual([lines[0], `${lines[1]} Yet.`]);
});

test("5 · concurrent edits at the same position: both texts are there, whole, in the same order for everyone", async ({
  stage,
}) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. SAME PLACE - DAY\nStart. End.");
  const ben = await stage.join("Ben");
  await agreed(ada, ben);

  for (const writer of [ada, ben]) {
    await writer.caret(1, "start");
    for (let step = 0; step < 7; step += 1) {
      await writer.press("ArrowRight");
      await writer.selected();
    }
  }
  await Promise.all([ada.type("aaaaaaaaaaaaaaaaaaaa"), ben.type("bbbbbbbbbbbbbbbbbbbb")]);
  const [, line = ""] = await agreed(ada, ben);
  expect(line).toHaveLength("Start. End.".length + 40);
  expect(line).toMatch(/^Start\. [ab]{40}End\.$/);
  expect(line.replaceAll("b", "")).toBe("Start. aaaaaaaaaaaaaaaaaaaaEnd.");
  expect(line.replaceAll("a", "")).toBe("Strt. bbbbbbbbbbbbbbbbbbbbEnd.");

  // Both press Enter in the same place, and delete over each other.
  await Promise.all([ada.press("Enter"), ben.press("Enter")]);
  await agreed(ada, ben);
  for (const writer of [ada, ben]) {
    await writer.caret(1);
    await writer.press("Shift+Home");
  }
  await Promise.all([ada.press("Delete"), ben.press("Delete")]);
  const rest = await agreed(ada, ben);
  expect(rest.at(-1)?.endsWith("End.")).toBe(true);
  await ada.saved();
});
