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
  expect(fdx).toContain('<Paragraph Type="Scene Heading"><Text>INT. STATION - NIGHT</Text></Paragraph>');
  expect(fdx).toContain('<Text Style="Italic">cold</Text>');
  expect(fdx).toContain("<DualDialogue>");
});

test("a file that is no script is refused with a reason, and nothing else happens", async ({ stage }) => {
  const ada = await stage.join("Ada");
  const chooser = ada.page.waitForEvent("filechooser");
  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: /Open a Fountain/ }).click();
  await (await chooser).setFiles({ name: "broken.fdx", mimeType: "application/xml", buffer: Buffer.from("<no>") });
  await expect(ada.page.getByRole("alert")).toHaveText(/not a Final Draft file/);
  expect(new URL(ada.page.url()).searchParams.get("scene")).toBe("blank");
});
