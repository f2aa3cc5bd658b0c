// @vitest-environment jsdom
// Revision sets and locked pages are in FDX as Final Draft has them, and are read as they were.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { bare } from "../../../corpus/count.ts";
import { createScriptEditor } from "../editor.ts";
import { generateScript, random } from "../generator.ts";
import { pageStarts } from "../locked-pages.ts";
import { lockPages } from "../locking.ts";
import { setText } from "../revising.ts";
import { nextSet } from "../revisions.ts";
import { sheetsOf } from "../sheets.ts";
import { type Block, blocksOf, isBlock, type RevisionSet, type Script, textOf } from "../types.ts";
import { fromFdx, toFdx } from "./fdx.ts";

let ids = 0;
const newId = () => `x${++ids}`;

it("a file's sets, what belongs to them, and where its pages begin", () => {
  const file = join(dirname(fileURLToPath(import.meta.url)), "../../../corpus/made/revisions.fdx");
  const { script, leftOut } = fromFdx(readFileSync(file, "utf8"), newId);
  expect(leftOut).toEqual([]);
  expect((script[0] as Block).revisions).toEqual([
    { id: 1, color: "blue", name: "Blue Rev.", date: "5/12/26", mark: "+", open: false },
    { id: 2, color: "pink", name: "Second Pink", date: "", mark: "*", open: true },
  ]);
  const revised = [...blocksOf(script)].flatMap(({ children }) => children.filter((leaf) => leaf.revision));
  expect(revised.map(({ text, revision }) => `${text} ${revision}`)).toEqual([
    "no longer 1",
    "not 2",
    "EXT. YARD - NIGHT 2",
  ]);
  const starts = pageStarts(script).map(({ index, offset, label }) => [
    label,
    textOf(script[index] as Block).slice(offset, offset + 8),
  ]);
  expect(starts).toEqual([
    ["1", "INT. HAL"],
    ["2", "I said n"],
    ["2A", "said it "],
  ]);
});

it("sets that nothing belongs to, as each file of Final Draft has them, are none; what belongs to an unknown one has one", () => {
  const file = (id: number) =>
    `<FinalDraft><Content><Paragraph Type="Action"><Text RevisionID="${id}">Words</Text></Paragraph></Content>` +
    '<Revisions ActiveSet="1" RevisionMode="No"><Revision ID="1" Mark="*" Name="Blue"/></Revisions></FinalDraft>';
  const revisions = (id: number) =>
    (fromFdx(file(id), newId).script[0] as Block).revisions?.map((set) => `${set.id} ${set.name}`);
  expect(revisions(0)).toBeUndefined();
  expect(revisions(1)).toEqual(["1 Blue"]);
  expect(revisions(3)).toEqual(["1 Blue", "3 Yellow Rev."]);
});

it.each([1, 2, 3])("a script that is revised and locked is the same after FDX (seed %i)", (seed) => {
  const dice = random(seed);
  const roll = (below: number) => Math.floor(dice() * below);
  const editor = createScriptEditor(generateScript({ scenes: 25, seed }));
  lockPages(editor);
  const sets: RevisionSet[] = [];
  for (let n = 0; n < 3; n += 1) sets.push({ ...nextSet(sets, new Date(2026, 1, 3 + n)), open: false });
  for (let n = 0; n < 60; n += 1) {
    const index = roll(editor.children.length);
    const node = editor.children[index];
    if (!isBlock(node)) continue;
    const length = textOf(node).length;
    const [from, to] = [roll(length), roll(length)].sort((a, b) => a - b) as [number, number];
    if (from < to) setText(editor, { path: [index], from, to }, { revision: 1 + roll(3) });
  }
  const script = editor.children as Script;
  const again = fromFdx(toFdx(script, "T", [], sets), newId).script;
  const { revisions, titlePage: _, ...first } = again[0] as Block;
  expect(revisions).toEqual(sets);
  expect(bare([first, ...again.slice(1)])).toEqual(bare(script));
  expect(sheetsOf(again).map(({ label }) => label)).toEqual(sheetsOf(script).map(({ label }) => label));
});
