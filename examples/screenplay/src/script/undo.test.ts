// Undo of a whole script that was pasted, or deleted: one step, all of it, in either format of the document.
// `UNDO_FIGURES=1 npx vitest run --project newest examples/screenplay/src/script/undo.test.ts` says what each takes of the
// processor.
import { Editor, Transforms } from "slate";
import type { Collab } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";
import { openTogether } from "slate-yrs/testing";
import { afterEach, expect, it } from "vitest";
import { createScriptEditor, insertBlocks } from "./editor.ts";
import { generateScript } from "./generator.ts";
import { lockPages } from "./locking.ts";
import { paginate } from "./paginate.ts";
import { reviseIn, withRevisions } from "./revising.ts";
import { type Block, blocksOf, type Script, textOf } from "./types.ts";

const SEED = 126;
const SCENES = 143;
const opened: Collab[] = [];

afterEach(async () => {
  for (const collab of opened.splice(0)) await collab.close();
});

async function two(initialValue: Script) {
  const { documents } = await openTogether(2, { initialValue });
  opened.push(...documents);
  const [one, other] = documents as [Collab, Collab];
  let ids = 0;
  const editor = withCollab(withRevisions(createScriptEditor([], () => `n${++ids}`)), one);
  return { editor, one, other };
}

const tick = () => new Promise((done) => setTimeout(done));

async function timed(what: string, run: () => void): Promise<void> {
  const from = process.cpuUsage();
  run();
  await tick();
  const { user, system } = process.cpuUsage(from);
  if (process.env.UNDO_FIGURES) console.log(`${what}: ${((user + system) / 1000).toFixed(0)} ms`);
}

const line: Block = { id: "first", type: "action", children: [{ text: "" }] };
const words = (value: readonly unknown[]) => [...blocksOf(value)].map(textOf);

it("of a pasted script of 126 pages, and redo", async () => {
  const script = generateScript({ seed: SEED, scenes: SCENES });
  expect(paginate(script).count).toBe(126);
  const { editor, one, other } = await two([line]);
  const before = structuredClone(editor.children);
  reviseIn(editor, 1);
  Transforms.select(editor, Editor.start(editor, []));
  await timed("paste", () => insertBlocks(editor, script));
  expect(words(editor.children)).toEqual(words(script));
  await timed("undo of the paste", () => editor.undo());
  expect(editor.children).toEqual(before);
  expect(one.undo()).toBe(false);
  await timed("redo of the paste", () => editor.redo());
  expect(words(editor.children)).toEqual(words(script));
  expect(other.value()).toEqual(editor.children);
  expect(editor.divergences).toBe(0);
});

it("of a deleted script of 126 pages, whose pages are locked, and redo", async () => {
  const script = generateScript({ seed: SEED, scenes: SCENES });
  const { editor, one, other } = await two(script);
  await timed("lock the pages", () => lockPages(editor));
  one.stopCapturing();
  const before = structuredClone(editor.children);
  Transforms.select(editor, { anchor: Editor.start(editor, []), focus: Editor.end(editor, []) });
  await timed("delete all", () => editor.deleteFragment());
  expect(words(editor.children)).toEqual([""]);
  await timed("undo of the deletion", () => editor.undo());
  expect(editor.children).toEqual(before);
  await timed("redo of the deletion", () => editor.redo());
  expect(words(editor.children)).toEqual([""]);
  editor.undo();
  // The step before is that of locking.
  await timed("undo of locking", () => editor.undo());
  expect(editor.children).toEqual(script);
  await tick();
  expect(other.value()).toEqual(editor.children);
  expect(editor.divergences).toBe(0);
});
