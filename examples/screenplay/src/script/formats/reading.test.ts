// @vitest-environment jsdom
// What the reader makes of the edges of Fountain's grammar, and of files that are something else.
import { describe, expect, it } from "vitest";
import { isDual, type ScriptNode, textOf } from "../types.ts";
import { decodeText } from "./decode.ts";
import { FormatError, fromFdx, toFdx } from "./fdx.ts";
import { fountainLines, fromFountain } from "./fountain.ts";

let ids = 0;
const newId = () => `r${++ids}`;
const lineOf = (node: ScriptNode): string =>
  isDual(node)
    ? node.children.map((column) => column.children.map(lineOf).join(", ")).join(" | ")
    : `${node.type}: ${textOf(node)}`;
const lines = (source: string) => fromFountain(source, newId).script.map(lineOf);

describe("a cue with ^", () => {
  it("that stands alone takes nothing away from it, nor from what is read next", () => {
    expect(lines("MARA ^\nAlone.\n")).toEqual(["character: MARA", "dialogue: Alone."]);
    expect(lines("KIT\nFirst.\n\nAction.\n\nMARA\nLast.\n")).toEqual([
      "character: KIT",
      "dialogue: First.",
      "action: Action.",
      "character: MARA",
      "dialogue: Last.",
    ]);
  });

  it("three speeches in a row, two with it: the first two are beside each other", () => {
    const { script, leftOut } = fromFountain("ONE\nA.\n\nTWO ^\nB.\n\nTHREE ^\nC.\n", newId);
    expect(script.map(lineOf)).toEqual([
      "character: ONE, dialogue: A. | character: TWO, dialogue: B.",
      "character: THREE",
      "dialogue: C.",
    ]);
    expect(leftOut).toEqual([{ line: 7, text: "^", reason: "no two speeches are there to stand side by side" }]);
  });
});

describe("lines", () => {
  it.each<[string, string[]]>([
    ["SINGER\n~la la\n", ["character: SINGER", "lyrics: la la"]],
    ["McCLANE\nGo!\n", ["action: McCLANE\nGo!"]],
    ["@McCLANE\nGo!\n", ["character: McCLANE", "dialogue: Go!"]],
    ["EXT/INT. BOAT\n", ["scene_heading: EXT/INT. BOAT"]],
    ["I/E CAR\n", ["scene_heading: I/E CAR"]],
    ["est la vie\n", ["action: est la vie"]],
    ["Est. in 1920\n", ["scene_heading: Est. in 1920"]],
    ["SILENCE\nNobody moves.\n", ["character: SILENCE", "dialogue: Nobody moves."]],
    ["!SILENCE\nNobody moves.\n", ["action: SILENCE\nNobody moves."]],
    ["   INT. HALL\n\n   Words.\n", ["scene_heading: INT. HALL", "action:    Words."]],
    ["[[old]]INT. HALL #4#\n", ["scene_heading: INT. HALL [[old]]"]],
    ["INT. HALL #4# [[new]]\n", ["scene_heading: INT. HALL [[new]]"]],
    ["A\n  \nB\n", ["character: A", "dialogue: \nB"]],
    ["MARA\nOne.\n  \nTwo.\n", ["character: MARA", "dialogue: One.\n\nTwo."]],
    ["[[x]] # Part\n", ["section: [[x]] Part"]],
    ["a_b_c and _d_\n", ["action: a_b_c and d"]],
  ])("%j", (source, expected) => {
    expect(lines(source)).toEqual(expected);
  });

  it("that fail to be read are plain text, and it is said", () => {
    let calls = 0;
    const failing = () => {
      calls += 1;
      if (calls === 2) throw new Error("planted");
      return `x${calls}`;
    };
    const { script, leftOut } = fromFountain("INT. HALL\n\nMARA\nNo.\n", failing);
    expect(script.map(lineOf)).toEqual(["action: INT. HALL", "action: MARA\nNo."]);
    expect(leftOut).toEqual([{ line: 0, text: "", reason: "it could be read as plain text only" }]);
    calls = 0;
    expect(fountainLines("INT. HALL\n\nMARA\nNo.\n", failing).map(lineOf)).toEqual(script.map(lineOf));
  });

  it("of many brackets, stars and comments that are not closed take no long time", () => {
    for (const sign of ["[[", "/*", "*a ", "**a ", "_a ", "\\", "(", "[[a]]", "#", "> "]) {
      const source = sign.repeat(40_000);
      expect(textOf(fromFountain(source, newId).script[0] as never).length).toBeGreaterThan(0);
    }
  });
});

describe("files", () => {
  const bytes = (...numbers: number[]) => new Uint8Array(numbers);

  it("that are not UTF-8 are read as Windows-1252, and it is said", () => {
    const { text, leftOut } = decodeText(bytes(0x93, 0x43, 0x61, 0x66, 0xe9, 0x94, 0x20, 0x96, 0x20, 0x80));
    expect(text).toBe("“Café” – €");
    expect(leftOut[0]?.reason).toMatch(/not UTF-8.*windows-1252/);
  });

  it("of UTF-16 and UTF-8 with a mark are read", () => {
    expect(decodeText(bytes(0xff, 0xfe, 0x41, 0, 0xe9, 0)).text).toBe("Aé");
    expect(decodeText(bytes(0, 0x41, 0, 0xe9, 0, 0x42)).text).toBe("AéB");
    expect(decodeText(bytes(0xef, 0xbb, 0xbf, 0x41)).text).toBe("A");
  });

  it("of other kinds are refused with their name", () => {
    const refused = (file: Uint8Array) => {
      try {
        return decodeText(file).text;
      } catch (error) {
        return error instanceof FormatError ? error.message : "?";
      }
    };
    expect(refused(new TextEncoder().encode("%PDF-1.7 and more"))).toMatch(/^This is a PDF file/);
    expect(refused(bytes(0x50, 0x4b, 3, 4, 20, 0))).toMatch(/ZIP archive or a Word/);
    expect(refused(bytes(0x89, 0x50, 0x4e, 0x47, 13, 10))).toMatch(/picture/);
    expect(refused(Uint8Array.from({ length: 400 }, (_, index) => (index * 7) % 256))).toMatch(/not text/);
  });

  it("of FDX that are damaged give their words", () => {
    const fdx = toFdx(fromFountain("INT. HALL\n\nMARA\nNo & yes.\n", newId).script);
    const { script, leftOut } = fromFdx(fdx.slice(0, fdx.indexOf("</Content>")), newId);
    expect(script.map(lineOf)).toEqual(["scene_heading: INT. HALL", "character: MARA", "dialogue: No & yes."]);
    expect(leftOut[0]?.reason).toMatch(/damaged/);
  });

  it("of FDX say in which line they have what has no place", () => {
    const source =
      '<FinalDraft>\n<Content>\n<Paragraph Type="Action">\n<Text Background="#FFFF">Words</Text></Paragraph></Content></FinalDraft>';
    expect(fromFdx(source, newId).leftOut).toEqual([
      { line: 3, text: 'Background="#FFFF"', reason: "no place for it in <Text>" },
    ]);
  });
});

describe("FDX has what Final Draft expects", () => {
  const { script } = fromFountain(
    "Title: T\n\nINT. HALL - DAY #1# [[color: #ff0000]]\n\n= They meet.\n\nMARA (V.O.)\nNo. [[why?]]\n\nCUT TO:\n",
    newId,
  );
  const xml = new DOMParser().parseFromString(toFdx(script, "T"), "application/xml");
  const texts = (selector: string) => [...xml.querySelectorAll(selector)].map((element) => element.textContent);

  it("settings of each element in it", () => {
    const types = [...xml.querySelectorAll("ElementSettings")].map((element) => element.getAttribute("Type"));
    for (const paragraph of xml.querySelectorAll("FinalDraft > Content > Paragraph")) {
      expect(types).toContain(paragraph.getAttribute("Type"));
    }
    expect(xml.querySelectorAll("ElementSettings > ParagraphSpec")).toHaveLength(types.length);
  });

  it("names, places and times to complete from", () => {
    expect(texts("SmartType Character")).toEqual(["MARA"]);
    expect(texts("SmartType Location")).toEqual(["HALL"]);
    expect(texts("SmartType TimeOfDay")).toContain("DAY");
    expect(texts("SmartType Transition")).toEqual(["CUT TO:"]);
  });

  it("properties of scenes, notes and a title page", () => {
    expect(xml.querySelector("SceneProperties")?.getAttribute("Color")).toBe("#FFFF00000000");
    expect(texts("SceneProperties > Summary > Paragraph")).toEqual(["They meet."]);
    expect(texts("ScriptNote")).toEqual(["why?"]);
    expect(texts('TitlePage > Content > Paragraph[Alignment="Center"]')).toEqual(["T"]);
  });
});
