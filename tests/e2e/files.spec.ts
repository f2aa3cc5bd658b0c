// Scripts from and to files.
import { readFile } from "node:fs/promises";
import { agreed, expect, test } from "./fixtures.ts";

const FOUNTAIN = `Title: The Visit

INT. STATION - NIGHT

A *cold* platform.

MARA
(quietly)
You came.

KIT
I did.

JUNO ^
He did!

CUT TO:
`;

test("a Fountain file is opened as a new script, shared with others, and saved as Fountain and FDX", async ({
  stage,
}) => {
  const ada = await stage.join("Ada");
  const chooser = ada.page.waitForEvent("filechooser");
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: /Open a Fountain/ }).click();
  await (await chooser).setFiles({ name: "visit.fountain", mimeType: "text/plain", buffer: Buffer.from(FOUNTAIN) });

  await expect(ada.page.getByRole("heading", { name: "The Visit" })).toBeVisible();
  await expect(ada.page.locator(".dual .column")).toHaveCount(2);
  await expect(ada.page.locator(".paper em")).toHaveText("cold");
  await ada.saved();

  const scene = new URL(ada.page.url()).searchParams.get("scene") ?? "";
  const ben = await stage.join("Ben", { scene });
  const lines = await agreed(ada, ben);
  expect(lines).toEqual([
    "INT. STATION - NIGHT",
    "A cold platform.",
    "MARA",
    "quietly",
    "You came.",
    "KIT",
    "I did.",
    "JUNO",
    "He did!",
    "CUT TO:",
  ]);

  const saved = async (name: RegExp) => {
    const download = ada.page.waitForEvent("download");
    await ada.page.getByRole("button", { name: "More" }).click();
    await ada.page.getByRole("button", { name }).click();
    return readFile(await (await download).path(), "utf8");
  };
  const fountain = await saved(/Save as Fountain/);
  expect(fountain).toContain("A *cold* platform.");
  expect(fountain).toContain("JUNO ^\nHe did!");
  const fdx = await saved(/Save as Final Draft/);
  expect(fdx).toContain(
    '<Paragraph Type="Scene Heading"><SceneProperties Title=""/><Text>INT. STATION - NIGHT</Text></Paragraph>',
  );
  expect(fdx).toContain('<Text Style="Italic">cold</Text>');
  expect(fdx).toContain("<DualDialogue>");
});

test("a file opened without a connection is kept on the device, and goes to the others with the next one", async ({
  stage,
}) => {
  const wire = await stage.wire();
  const ada = await stage.join("Ada", { wire });
  await ada.saved();
  wire.cut();
  const chooser = ada.page.waitForEvent("filechooser");
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: /Open a Fountain/ }).click();
  await (await chooser).setFiles({ name: "visit.fountain", mimeType: "text/plain", buffer: Buffer.from(FOUNTAIN) });
  await expect(ada.page.getByRole("heading", { name: "The Visit" })).toBeVisible();
  await expect(ada.block(0)).toHaveText("INT. STATION - NIGHT");
  await ada.reaches(/^Offline · \d+ changes? kept on this device/);
  const lines = await ada.lines();
  await ada.page.reload();
  await ada.ready();
  expect(await ada.lines()).toEqual(lines);
  await ada.caret(1);
  await ada.type(" Rain.");
  wire.mend();
  await ada.saved();
  const scene = new URL(ada.page.url()).searchParams.get("scene") ?? "";
  const ben = await stage.join("Ben", { scene });
  expect(await agreed(ada, ben)).toEqual(lines.with(1, "A cold platform. Rain."));
});

test("?collab=off: each script's text is kept in this browser", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.page.goto(`${ada.page.url()}&collab=off`);
  await ada.ready();
  await ada.caret(0);
  await ada.type("INT. ALONE");
  await ada.page.getByRole("link", { name: /Four Minutes to Dusk/ }).click();
  await expect(ada.block(0)).toHaveText("FADE IN:");
  await ada.page.getByRole("link", { name: /Blank page/ }).click();
  await expect(ada.block(0)).toHaveText("INT. ALONE");
  await ada.caret(0);
  await ada.type(" - NIGHT");
  await ada.page.reload();
  await ada.ready();
  expect(await ada.lines()).toEqual(["INT. ALONE - NIGHT"]);
});

test("a file that is no script is refused with a reason, and nothing else happens", async ({ stage }) => {
  const ada = await stage.join("Ada");
  const chooser = ada.page.waitForEvent("filechooser");
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: /Open a Fountain/ }).click();
  await (await chooser).setFiles({ name: "broken.fdx", mimeType: "application/xml", buffer: Buffer.from("<no>") });
  await expect(ada.page.getByRole("alert")).toHaveText(/not a Final Draft file/);
  expect(new URL(ada.page.url()).searchParams.get("scene")).toBe("blank");
  const again = ada.page.waitForEvent("filechooser");
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: /Open a Fountain/ }).click();
  const pdf = { name: "script.fountain", mimeType: "text/plain", buffer: Buffer.from("%PDF-1.7") };
  await (await again).setFiles(pdf);
  await expect(ada.page.getByRole("alert")).toHaveText(/This is a PDF file/);
  expect(new URL(ada.page.url()).searchParams.get("scene")).toBe("blank");
});

test("a file that is not UTF-8 is read all the same, and what was left out of it is said", async ({ stage }) => {
  const ada = await stage.join("Ada");
  const chooser = ada.page.waitForEvent("filechooser");
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: /Open a Fountain/ }).click();
  const buffer = Buffer.from("SINGER ^\n~Caf\xe9\n", "latin1");
  await (await chooser).setFiles({ name: "song.fountain", mimeType: "text/plain", buffer });
  await expect(ada.page.locator(".lyrics")).toHaveText("Café");
  await expect(ada.page.getByRole("alert")).toHaveText(/not UTF-8.*line 1: “\^”/);
});
