// What a writer is told, and may decide, when something is wrong: each by the real thing going wrong.
import type { Dialog } from "@playwright/test";
import { agreed, expect, test } from "./fixtures.ts";
import { SECRET, token } from "./server.ts";

test("f6: a script was replaced on the server: one's own copy is downloaded, becomes a script of its own, and gives way", async ({
  stage,
}) => {
  const wire = await stage.wire();
  const ada = await stage.join("Ada", { wire });
  await ada.caret(0);
  await ada.type("INT. OLD\nAda’s words.");
  await ada.saved();
  wire.cut();
  await expect(ada.status).toHaveText(/^Offline/);
  await ada.type(" And a few more.");
  await expect(ada.status).toHaveText(/kept on this device/);
  await stage.server.forget("blank");
  const ben = await stage.join("Ben");
  await ben.caret(0);
  await ben.type("INT. NEW");
  await ben.saved();
  wire.mend();
  const dialog = ada.page.getByRole("dialog", { name: "This script was replaced on the server" });
  await ada.connectsUntil(() => expect(dialog).toBeVisible({ timeout: 1_000 }));

  const download = ada.page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Download mine as a Yjs document" }).click();
  const bytes = Buffer.concat(await (await (await download).createReadStream()).toArray());
  expect(bytes.toString("utf8")).toContain("And a few more.");

  const old = ada.page.url();
  await dialog.getByRole("button", { name: "Keep mine as a new script" }).click();
  await expect(dialog).toHaveCount(0);
  await ada.saved();
  // On the server, for others and for later.
  await ada.page.reload();
  await ada.ready();
  await ada.saved();
  expect(await ada.lines()).toEqual(["INT. OLD", "Ada’s words. And a few more."]);
  expect(await ben.lines()).toEqual(["INT. NEW"]);

  await ada.page.goto(old);
  await dialog.getByRole("button", { name: "Continue with the server’s version" }).click();
  await dialog.getByRole("button", { name: "Yes, show the server’s version" }).click();
  await expect(ada.block(0)).toHaveText("INT. NEW");
  // What the server never had of the old one can still be had.
  await expect(ada.status).toHaveText(/^\d+ changes? could not be sent/);
  await expect(ada.page.getByRole("button", { name: "Download them" })).toBeVisible();
  await ada.caret(0);
  await ada.type("ER");
  expect(await agreed(ada, ben)).toEqual(["INT. NEWER"]);
  await expect(dialog).toHaveCount(0);
});

test.describe("a server that asks for tokens", () => {
  test.use({ serverFlags: ["--auth", "jwt", "--jwt-secret", SECRET] });

  test("who comes with a token that has ended signs in, and with nothing but the form", async ({ stage }) => {
    const ada = await stage.join("Ada", { token: token("ada", { seconds: -600 }), closed: true });
    const form = ada.page.getByRole("form", { name: "Sign in again" });
    await expect(form).toBeVisible();
    // What a blank script begins with is kept, too.
    await expect(ada.status).toHaveText("Sign in again · 1 change kept on this device");
    await expect(ada.page.getByRole("link", { name: /Four Minutes to Dusk/ })).toBeVisible();
    await expect(ada.page.getByRole("button", { name: "More" })).toBeVisible();
    await form.getByLabel("Access token").fill(token("ada"));
    await form.getByRole("button").click();
    await ada.ready();
    await ada.saved();
    await expect(form).toHaveCount(0);
    expect(ada.page.url()).not.toContain("token");
    // For this tab it is known from now on.
    await ada.page.reload();
    await ada.ready();
    await ada.saved();
  });

  test("who may only read sees what is written, and cannot write", async ({ stage }) => {
    const ada = await stage.join("Ada", { token: token("ada") });
    await ada.caret(0);
    await ada.type("INT. HALL");
    await ada.saved();
    const ben = await stage.join("Ben", { token: token("ben", { role: "read-only" }) });
    await expect(ben.status).toHaveText("Read only");
    await expect(ben.page.locator(".notice")).toContainText("You can read this script, but not change it.");
    await expect(ben.page.getByRole("document", { name: "Script" })).toHaveAttribute("contenteditable", "false");
    await ben.block(0).click();
    await ben.type("Nothing of this.");
    await ada.caret(0);
    await ada.type(" - DAY");
    expect(await agreed(ada, ben)).toEqual(["INT. HALL - DAY"]);
    await expect(ben.page.getByRole("button", { name: "Bold" })).toBeDisabled();
    // Offline nobody says so again, and it holds all the same.
    await stage.server.kill();
    await expect(ben.status).toHaveText(/^Offline/);
    await expect(ben.page.getByRole("document", { name: "Script" })).toHaveAttribute("contenteditable", "false");
  });
});

test("f24: when tokens end one signs in again, and what was written meanwhile is saved", async ({ stage }) => {
  // At first the server asks for none.
  const ada = await stage.join("Ada", { token: token("ada", { seconds: -600 }) });
  const cleo = await stage.join("Cleo");
  await ada.caret(0);
  await ada.type("INT. HALL");
  await ada.saved();
  await agreed(ada, cleo);
  stage.flags.push("--auth", "jwt", "--jwt-secret", SECRET);
  await stage.server.kill();
  await stage.server.run();
  await ada.reaches(/^Sign in again/);
  await ada.type(" - NIGHT");
  await expect(ada.status).toHaveText(/^Sign in again · \d+ changes? kept on this device$/);
  const form = ada.page.getByRole("form", { name: "Sign in again" });
  await expect(form).toContainText("kept on this device");
  // The old one does not do.
  const refused = ada.page.waitForEvent("websocket").then((socket) => socket.waitForEvent("close"));
  await form.getByRole("button").click();
  await refused;
  await expect(ada.status).toHaveText(/^Sign in again/);
  await form.getByLabel("Access token").fill(token("ada"));
  await form.getByRole("button").click();
  await ada.saved();
  await expect(form).toHaveCount(0);
  // Who came without any is let in with one.
  await cleo.reaches(/^Sign in again/);
  const another = cleo.page.getByRole("form", { name: "Sign in again" });
  await another.getByLabel("Access token").fill(token("cleo"));
  await another.getByRole("button").click();
  await cleo.saved();
  expect(await agreed(ada, cleo)).toEqual(["INT. HALL - NIGHT"]);
});

test("a script with words in this window only is left for another one only when one says so", async ({ stage }) => {
  const origin = new URL(stage.server.page).origin;
  const ada = await stage.join("Ada", {
    async before(page) {
      const tools = await page.context().newCDPSession(page);
      await tools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
    },
  });
  const other = ada.page.getByRole("link", { name: /Four Minutes to Dusk/ });
  // What a first visit has put into a script may be on its way to the server yet: then one is asked here as well.
  const leave = (dialog: Dialog) => dialog.accept();
  ada.page.on("dialog", leave);
  await other.click();
  await expect(ada.block(0)).toHaveText("FADE IN:");
  await ada.page.getByRole("link", { name: /Blank page/ }).click();
  await expect(ada.page.locator(".paper .block")).toHaveCount(1);
  ada.page.off("dialog", leave);
  await ada.caret(0);
  await ada.type("INT. ATTIC");
  await ada.reaches(/storage is full/);
  await stage.server.kill();
  await ada.type(" - DAY");
  await expect(ada.status).toHaveText(/in this window only/);
  for (const leave of [() => other.click(), () => ada.page.evaluate(() => history.back())]) {
    const asked = ada.page.waitForEvent("dialog").then(async (dialog) => {
      await dialog.dismiss();
      return dialog.type();
    });
    await leave();
    expect(await asked).toBe("confirm");
    await expect.poll(() => new URL(ada.page.url()).searchParams.get("scene")).toBe("blank");
    expect(await ada.lines()).toEqual(["INT. ATTIC - DAY"]);
  }
});

test("f18: the device's storage is full: writing goes on, leaving is asked about, and all is well again with space", async ({
  stage,
}) => {
  const origin = new URL(stage.server.page).origin;
  let quota: (bytes?: number) => Promise<unknown> = async () => {};
  const ada = await stage.join("Ada", {
    async before(page) {
      const tools = await page.context().newCDPSession(page);
      quota = (quotaSize) =>
        tools.send("Storage.overrideQuotaForOrigin", { origin, ...(quotaSize !== undefined && { quotaSize }) });
      await quota(1);
    },
  });
  await ada.caret(0);
  await ada.type("INT. ATTIC");
  await ada.reaches(/^This device's storage is full/);
  await expect(ada.page.locator(".notice")).toContainText("Keep this window open until everything is saved");
  await stage.server.kill();
  await ada.type(" - DAY");

  const asked = ada.page.waitForEvent("dialog");
  const leaving = ada.page.evaluate(() => setTimeout(() => location.reload()));
  const question = await asked;
  expect(question.type()).toBe("beforeunload");
  await question.dismiss();
  await leaving;
  expect(await ada.lines()).toEqual(["INT. ATTIC - DAY"]);

  await quota();
  await expect(ada.status).toHaveText(/^Offline · \d+ changes? kept on this device/, { timeout: 40_000 });
  await expect(ada.page.locator(".notice")).toHaveCount(0);
  // Now nothing would be lost, and nobody is asked: a question would hold up the test.
  await stage.server.run();
  await ada.page.reload();
  await ada.ready();
  await ada.saved();
  expect(await ada.lines()).toEqual(["INT. ATTIC - DAY"]);
});
