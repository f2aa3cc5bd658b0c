// Who wrote what, shown in the page; and what one wrote, taken back.
import { createHmac } from "node:crypto";
import { agreed, expect, test, type Writer } from "./fixtures.ts";

const SECRET = "a secret that is long enough for tests";

function token(user: string, admin = false): string {
  const part = (what: object) => Buffer.from(JSON.stringify(what)).toString("base64url");
  const claims = { sub: user, documents: ["blank"], exp: Math.floor(Date.now() / 1_000) + 3_600, admin };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** What the page shows to be whose, by blocks. */
function shown(writer: Writer): Promise<string[]> {
  return writer.page.evaluate(() =>
    [...document.querySelectorAll(".paper .block")].map((block) => {
      const found: [string, string][] = [];
      for (const piece of block.querySelectorAll<HTMLElement>(".by")) {
        const last = found.at(-1);
        const text = (piece.textContent ?? "").replaceAll("\ufeff", "");
        if (last?.[0] === piece.title) last[1] += text;
        else found.push([piece.title, text]);
      }
      return found.map(([name, text]) => `${name}:${text}`).join("|");
    }),
  );
}

test.use({ serverFlags: ["--jwt-secret", SECRET, "--keep-edits-hours", "0"] });

test("each word has its author's colour, and what one wrote is taken back", async ({ stage }) => {
  const ada = await stage.join("Ada", { token: token("Ada") });
  await ada.caret(0);
  await ada.type("INT. HOUSE\nOne line by Ada.");
  await ada.saved();
  const ben = await stage.join("Ben", { token: token("Ben") });
  await agreed(ada, ben);
  // Into it, and over it: the line is divided in the middle of what Ben wrote, and joined again.
  await ben.place(1, 8);
  await ben.type(" of Ben");
  await ben.saved();
  await agreed(ada, ben);
  await ada.place(1, 11);
  await ada.press("Enter");
  await ada.press("Backspace");
  await ada.saved();
  await ben.caret(1);
  await ben.type("\nAll his own.");
  await ben.saved();
  const lines = await agreed(ada, ben);
  expect(lines[1]).toBe("One line of Ben by Ada.");

  const compacted = await fetch(`${stage.server.page}api/admin/compact?token=${token("root", true)}`, {
    method: "POST",
  });
  expect((await compacted.json()).rowsMerged).toBeGreaterThan(1);

  await ada.page.getByRole("button", { name: "More" }).click();
  await ada.page.getByRole("button", { name: "History" }).click();
  const panel = ada.page.getByRole("complementary", { name: "History" });
  await panel.getByRole("button", { name: "Who wrote this" }).click();
  const bar = ada.page.getByRole("region", { name: "Who wrote this" });
  await expect(bar.getByRole("listitem")).toHaveText(["Ada", "Ben"]);
  await expect
    .poll(() => shown(ada))
    .toEqual(["Ada:INT. HOUSE", "Ada:One line|Ben: of Ben|Ada: by Ada.", "Ben:All his own."]);
  await ada.place(1, 11);
  await expect(bar.getByText("At the caret: Ben")).toBeVisible();
  // What comes is shown a moment later.
  await ben.type("!");
  await ben.saved();
  await expect.poll(() => shown(ada)).toEqual([expect.anything(), expect.anything(), "Ben:All his own.!"]);

  await panel.getByText("Take back what somebody wrote…").click();
  const form = panel.getByRole("form", { name: "Take back what somebody wrote" });
  await form.getByRole("combobox", { name: "Take back what" }).selectOption("Ben");
  await form.getByRole("button", { name: "Take it back" }).click();
  await expect(form.getByRole("status")).toHaveText(/Taken back: 20 letters of Ben went, 0 letters came back/);
  await expect.poll(() => ben.lines()).toEqual(["INT. HOUSE", "One line by Ada."]);
  await agreed(ada, ben);
  await expect.poll(() => shown(ada)).toEqual(["Ada:INT. HOUSE", "Ada:One line by Ada."]);
  await bar.getByRole("button", { name: "Do not show who wrote this" }).click();
  expect(await shown(ada)).toEqual(["", ""]);
});
