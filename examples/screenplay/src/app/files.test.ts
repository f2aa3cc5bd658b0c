// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { toFdx } from "../script/formats/fdx.ts";
import { blocksOf, textOf } from "../script/types.ts";
import { readScript, whatWasLeftOut } from "./files.ts";

/** As a browser's: jsdom's has no bytes. */
const file = (name: string, content: string | Uint8Array) => {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { name, size: bytes.length, arrayBuffer: async () => bytes.slice().buffer } as unknown as File;
};
const linesIn = async (from: File) => {
  const { script } = await readScript(from);
  return [...blocksOf(script)].map((block) => `${block.type}: ${textOf(block)}`);
};

describe("a file", () => {
  it("is named by its title, or by its own name", async () => {
    expect((await readScript(file("a.fountain", "Title: The *Visit*\n\nFADE IN:\n"))).title).toBe("The Visit");
    expect((await readScript(file("My draft.fountain", "FADE IN:\n"))).title).toBe("My draft");
  });

  it("is FDX by what is in it, whatever it is called", async () => {
    const fdx = toFdx([{ id: "a", type: "shot", children: [{ text: "CLOSE ON IT" }] }]);
    for (const name of ["a.fdx", "a.txt", "a.xml"]) {
      expect(await linesIn(file(name, fdx))).toEqual(["shot: CLOSE ON IT"]);
      expect(await linesIn(file(name, `\ufeff${fdx}`))).toEqual(["shot: CLOSE ON IT"]);
    }
    expect(await linesIn(file("a.txt", "He reads <FinalDraft>.\n"))).toEqual(["action: He reads <FinalDraft>."]);
  });

  it("says what could not be kept of it", async () => {
    const { leftOut } = await readScript(file("a.fountain", Uint8Array.from([0x4d, 0x20, 0x5e, 0x0a, 0xe9])));
    expect(whatWasLeftOut(leftOut)).toBe(
      "Some of this file is not as it was: the file is not UTF-8: it was read as windows-1252; look at accents " +
        "and quotation marks; line 1: “^”: no two speeches are there to stand side by side.",
    );
    expect(whatWasLeftOut([])).toBeNull();
    const many = Array.from({ length: 20 }, (_, index) => ({ line: index + 1, text: "x".repeat(60), reason: "y" }));
    expect(whatWasLeftOut(many)).toMatch(/: line 1: “x{40}…”: y \(and 19 more like this\)\.$/);
    const different = many.map((each, index) => ({ ...each, reason: `y${index}` }));
    expect(whatWasLeftOut(different)).toMatch(/line 8: “x{40}…”: y7; and 12 more\.$/);
  });

  it("that has no script in it, or is none, is refused", async () => {
    await expect(readScript(file("a.fountain", " \n\n"))).rejects.toThrow("There is no script in this file.");
    await expect(readScript(file("a.fountain", "%PDF-1.4"))).rejects.toThrow(/PDF/);
    await expect(readScript(file("a.fdx", "<no>"))).rejects.toThrow("This is not a Final Draft file.");
  });
});
