import { expect, it } from "vitest";
import { saidChanges } from "./value-changes.ts";

it("what has changed beside the text is said in the editor's own words, and what others keep as it is", () => {
  const set = { id: 1, color: "blue", name: "Blue Rev.", date: "5/12/26", mark: "*", open: true };
  expect(
    saidChanges([
      { map: "settings", key: "title", before: "Old", after: "New" },
      { map: "title", key: "Author", after: { name: "Author", text: "Ada", at: 1 } },
      { map: "title", key: "Notes 2", before: { name: "Notes", text: "Gone", at: 4 } },
      { map: "revisions", key: "set 1", before: { ...set, name: "First" }, after: { ...set, open: false } },
      { map: "theirs", key: "k", before: [1], after: { a: null } },
    ]),
  ).toEqual([
    { what: "Name of the script", before: "Old", after: "New" },
    { what: "Title page, Author", before: null, after: "Ada" },
    { what: "Title page, Notes", before: "Gone", after: null },
    {
      what: "Revision set 1",
      before: "First, 5/12/26, blue, *, open",
      after: "Blue Rev., 5/12/26, blue, *, closed",
    },
    { what: "theirs, k", before: "[1]", after: '{"a":null}' },
  ]);
});
