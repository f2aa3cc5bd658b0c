import { describe, expect, it } from "vitest";
import { titlePageOf, withTitlePage } from "../script/formats/title-page.ts";
import type { Script, TitlePage } from "../script/types.ts";
import { entriesOf, fieldsOf } from "./title-page.tsx";

const PAGE: TitlePage = [
  ["Title", "One\nTwo"],
  ["Author", "Ada"],
  ["Notes", "first"],
  ["Notes", "second"],
  ["Contact", "Street"],
];

describe("the title page as values", () => {
  it("keeps its order, and entries of one name", () => {
    const fields = fieldsOf(PAGE);
    expect(fields.map(([key]) => key)).toEqual(["Title", "Author", "Notes", "Notes 2", "Contact"]);
    expect(entriesOf(new Map([...fields].reverse()))).toEqual(PAGE);
  });

  it("passes over what is no entry", () => {
    const odd = new Map<string, unknown>([
      ["a", "text"],
      ["b", null],
      ["c", { name: "Title", text: 1, at: 0 }],
      ["d", { name: "Title", text: "x", at: 0 }],
    ]);
    expect(entriesOf(odd)).toEqual([["Title", "x"]]);
  });

  it("goes onto the first line of a copy, and nowhere else", () => {
    const script: Script = [
      { id: "a", type: "action", children: [{ text: "x" }] },
      { id: "b", type: "action", titlePage: [["Title", "Old"]], children: [{ text: "y" }] },
    ];
    const copy = withTitlePage(script, PAGE);
    expect(titlePageOf(copy)).toEqual(PAGE);
    expect(copy[1]).not.toHaveProperty("titlePage");
    expect(titlePageOf(withTitlePage(script, []))).toEqual([]);
  });
});
