// Locked pages keep their numbers, whatever is written on them: 12A behind 12, and 12-13 where 13 is gone.
import { Editor, Transforms } from "slate";
import { describe, expect, it } from "vitest";
import { createScriptEditor, toggleDual } from "./editor.ts";
import { generateScript, random } from "./generator.ts";
import { labelPages, pageStarts } from "./locked-pages.ts";
import { arePagesLocked, lockPages, lockScenes, unlockPages, unlockScenes } from "./locking.ts";
import { moveScene, scenesOf } from "./outline.ts";
import { labelBetween, labelOrder } from "./page-labels.ts";
import { LINES_PER_PAGE, Paginator, paginate } from "./paginate.ts";
import { withRevisions } from "./revising.ts";
import { sheetsOf } from "./sheets.ts";
import type { ScriptEditor } from "./slate.ts";
import { type Block, type BlockType, blocksOf, type Script, textOf } from "./types.ts";

const block = (id: string, type: BlockType, text: string, more: Partial<Block> = {}): Block => ({
  id,
  type,
  children: [{ text }],
  ...more,
});
const lines = (count: number, word = "line"): string =>
  Array.from({ length: count }, (_, n) => `${word} ${n + 1}`).join("\n");

function editing(value: Script): ScriptEditor {
  let ids = 0;
  return withRevisions(createScriptEditor(value, () => `n${++ids}`));
}

const pagesOf = (editor: ScriptEditor): string[] =>
  sheetsOf(editor.children as Script).map(({ page, label, lines }) => {
    const texts = lines
      .filter(({ column }) => column !== 37)
      .map(({ spans }) => spans.map(({ text }) => text).join(""));
    return `${label ?? page}: ${texts[0] ?? ""} … ${texts.at(-1) ?? ""}`;
  });

/** Four pages: one line above, and action of a page each. */
const four = (): Script =>
  ["a", "b", "c", "d"].map((id) => block(id, "action", lines(50, id), id === "a" ? {} : { startsNewPage: true }));

describe("the numbers of pages", () => {
  it("are in the order of the trade", () => {
    const order = ["1", "2", "11", "12", "12aA", "12bA", "12A", "12aB", "12B", "12Z", "12AA", "13"];
    for (const [n, label] of order.entries()) {
      for (const [m, other] of order.entries())
        expect(Math.sign(labelOrder(label, other)), `${label} ${other}`).toBe(Math.sign(n - m));
    }
  });

  it.each([
    ["12", "13", "12A"],
    ["12A", "13", "12B"],
    ["12Z", "13", "12AA"],
    ["12", undefined, "12A"],
    ["12", "12A", "12aA"],
    ["12aA", "12A", "12bA"],
    ["12A", "12B", "12aB"],
    ["12A", "12C", "12B"],
    ["12", "20", "12A"],
  ])("between %s and %s comes %s", (last, next, label) => {
    expect(labelBetween(last, next)).toBe(label);
  });

  it("of pages that are gone go to the one before", () => {
    const shown = (...pages: string[][]) => labelPages(pages).map((page) => page.shown);
    expect(shown(["1"], ["2"], ["3"])).toEqual(["1", "2", "3"]);
    expect(shown(["1"], ["2"], ["4"], [])).toEqual(["1", "2-3", "4", "4A"]);
    expect(shown(["1"], ["2"], [], ["5"])).toEqual(["1", "2", "2A-4", "5"]);
    expect(shown(["3"], ["4", "5"], ["6"])).toEqual(["1-3", "4-5", "6"]);
    expect(shown(["1"], ["12"], ["12A"], ["13"])).toEqual(["1-11", "12", "12A", "13"]);
  });
});

describe("locked pages", () => {
  it("are laid out as before they were locked", () => {
    const editor = editing(generateScript({ scenes: 60, seed: 5 }));
    const before = sheetsOf(editor.children as Script);
    lockPages(editor);
    expect(arePagesLocked(editor.children as Script)).toBe(true);
    const after = sheetsOf(editor.children as Script);
    expect(after.map(({ label }) => label)).toEqual(before.map((_, n) => String(n + 1)));
    expect(after.map(({ lines }) => JSON.stringify(lines).replace(/,"page":"[^"]*"/g, ""))).toEqual(
      before.map(({ lines }) => JSON.stringify(lines)),
    );
    unlockPages(editor);
    expect(arePagesLocked(editor.children as Script)).toBe(false);
    expect(JSON.stringify(editor.children)).toBe(JSON.stringify(generateScript({ scenes: 60, seed: 5 })));
  });

  it("get a page 2A for what does not fit, and all others keep their numbers", () => {
    const editor = editing(four());
    lockPages(editor);
    Transforms.select(editor, Editor.end(editor, [1]));
    editor.insertText(`\n${lines(20, "new")}`);
    expect(pagesOf(editor)).toEqual([
      "1: a 1 … a 50",
      "2: b 1 … new 4",
      "2A: new 5 … new 20",
      "3: c 1 … c 50",
      "4: d 1 … d 50",
    ]);
    // Locked again, 2A is one of them: what comes before it is 2aA.
    lockPages(editor);
    Transforms.select(editor, Editor.start(editor, [1]));
    editor.insertText(`${lines(10, "more")}\n`);
    expect(pagesOf(editor).map((page) => page.split(":")[0])).toEqual(["1", "2", "2aA", "2A", "3", "4"]);
  });

  it("do not fill up from the next page", () => {
    const editor = editing(four());
    lockPages(editor);
    Transforms.select(editor, { anchor: Editor.start(editor, [1]), focus: { path: [1, 0], offset: 60 } });
    editor.deleteFragment();
    expect(pagesOf(editor).map((page) => page.split(":")[0])).toEqual(["1", "2", "3", "4"]);
    expect(pagesOf(editor)[2]).toBe("3: c 1 … c 50");
  });

  it("of which all is deleted are named by the one before", () => {
    const editor = editing(four());
    lockPages(editor);
    Transforms.select(editor, { anchor: Editor.start(editor, [2]), focus: Editor.end(editor, [2]) });
    editor.deleteFragment();
    editor.deleteBackward("character");
    expect(pagesOf(editor)).toEqual(["1: a 1 … a 50", "2-3: b 1 … b 50", "4: d 1 … d 50"]);
  });

  it("begin with what follows, where their first line is gone", () => {
    const editor = editing([...four(), block("e", "action", "end"), block("f", "action", "end")]);
    editor.children = editor.children.toSpliced(3, 0, block("x", "action", "short"));
    lockPages(editor);
    const label = (id: string) =>
      (editor.children.find((node) => (node as Block).id === id) as Block | undefined)?.page;
    expect(["c", "d", "x"].map(label)).toEqual(["3", "4", undefined]);
    Transforms.select(editor, { anchor: Editor.start(editor, [2]), focus: Editor.end(editor, [2]) });
    editor.deleteFragment();
    editor.deleteBackward("character");
    expect(label("x")).toBe("3");
    expect(pagesOf(editor).slice(1, 3)).toEqual(["2: b 1 … b 50", "3: short … short"]);
  });

  it("begin within a line that was joined with the one before", () => {
    const editor = editing(four());
    lockPages(editor);
    Transforms.unsetNodes(editor, "startsNewPage", { at: [1] });
    Transforms.select(editor, Editor.start(editor, [1]));
    editor.deleteBackward("character");
    expect(editor.children).toHaveLength(3);
    expect(pagesOf(editor).map((page) => page.split(":")[0])).toEqual(["1", "2", "3", "4"]);
  });

  it("begin within a line: written before and behind, deleted, divided", () => {
    const speech = [block("m", "character", "MARA"), block("s", "dialogue", lines(100)), block("z", "action", "z")];
    const editor = editing(speech);
    lockPages(editor);
    expect(pagesOf(editor).map((page) => page.split(" …")[0])).toEqual(["1: line 1", "2: line 54"]);
    Transforms.select(editor, Editor.start(editor, [1]));
    editor.insertText(`${lines(3, "new")}\n`);
    expect(pagesOf(editor).map((page) => page.split(" …")[0])).toEqual(["1: new 1", "1A: line 51", "2: line 54"]);
    // All of the speech that is on page 2 is deleted: it begins with the action that follows.
    const { children } = editor.children[1] as Block;
    expect(children.map(({ page }) => page)).toEqual([undefined, "2"]);
    Transforms.select(editor, { anchor: { path: [1, 1], offset: 0 }, focus: Editor.end(editor, [1]) });
    editor.deleteFragment();
    expect(pagesOf(editor).map((page) => page.split(" …")[0])).toEqual(["1: new 1", "1A: line 51", "2: z"]);
  });

  it("stay where they are when a scene that begins one is moved", () => {
    const scene = (n: number) => [
      block(`h${n}`, "scene_heading", `INT. ${n}`, n > 1 ? { startsNewPage: true } : {}),
      block(`t${n}`, "action", lines(20, `t${n}`)),
      block(`u${n}`, "action", lines(20, `u${n}`)),
    ];
    const editor = editing([1, 2, 3, 4].flatMap(scene));
    lockPages(editor);
    // Scene 3 to the front: page 3 has nothing left of its own.
    moveScene(editor, 2, 0);
    expect(scenesOf(editor.children).map(({ title }) => title)).toEqual(["INT. 3", "INT. 1", "INT. 2", "INT. 4"]);
    expect(pagesOf(editor).map((page) => page.split(":")[0])).toEqual(["1", "1A", "2-3", "4"]);
    expect((editor.children[0] as Block).page).toBeUndefined();
  });

  it("begin with two speeches that were set side by side", () => {
    const editor = editing([
      block("a", "action", lines(10)),
      block("c", "character", "ADA", { startsNewPage: true }),
      block("d", "dialogue", "One"),
      block("e", "character", "BEN"),
      block("f", "dialogue", "Two"),
    ]);
    lockPages(editor);
    Transforms.select(editor, Editor.end(editor, [4]));
    toggleDual(editor);
    expect((editor.children[1] as Block).page).toBe("2");
    toggleDual(editor);
    expect((editor.children[1] as Block).page).toBe("2");
  });

  it("are passed over where two people have put them out of order", () => {
    const script = ["1", "5", "2", "3", "x", "4", "3"].map((page, n) => block(`b${n}`, "action", page, { page }));
    expect(pageStarts(script).map(({ label }) => label)).toEqual(["1", "2", "3", "4"]);
  });

  it("are all looked at again where one that is far away counts for another", () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => block(`m${count}-${n}`, "action", "x"));
    const script = (last: Partial<Block>) => [
      block("one", "action", "x", { page: "1" }),
      ...before,
      block("five", "action", "x", { page: "5" }),
      ...between,
      block("three", "action", "x", last),
    ];
    const [before, between] = [many(10), many(300)];
    const paginator = new Paginator();
    const [both, without] = [script({ page: "3" }), script({})];
    without.splice(0, without.length - 1, ...both.slice(0, -1));
    expect(paginator.update(both).breaks.has("five")).toBe(false);
    expect(paginator.update(without).breaks.has("five")).toBe(true);
    expect(paginator.update(both)).toEqual(paginate(both));
  });

  it("are counted on the screen as on paper, after any edits", () => {
    const dice = random(11);
    const roll = (below: number) => Math.floor(dice() * below);
    const editor = editing(generateScript({ scenes: 12, seed: 3 }));
    lockPages(editor);
    const locked = pageStarts(editor.children as Script).length;
    const paginator = new Paginator();
    for (let turn = 0; turn < 120; turn += 1) {
      const index = roll(editor.children.length);
      const point = roll(2) ? Editor.start(editor, [index]) : Editor.end(editor, [index]);
      Transforms.select(editor, point);
      const what = roll(6);
      if (what === 0) editor.insertBreak();
      else if (what === 1) editor.deleteBackward("character");
      else if (what === 2) {
        Transforms.select(editor, {
          anchor: point,
          focus: Editor.end(editor, [Math.min(editor.children.length - 1, index + roll(6))]),
        });
        editor.deleteFragment();
      } else if (what === 3)
        moveScene(editor, roll(scenesOf(editor.children).length), roll(scenesOf(editor.children).length));
      else editor.insertText(`${"more words ".repeat(roll(60))}.`);
      const script = editor.children as Script;
      const pages = paginator.update(script);
      expect(pages, `turn ${turn}`).toEqual(paginate(script));
      const sheets = sheetsOf(script);
      expect(sheets.map(({ label }) => label)).toEqual(pages.labels?.map(({ shown }) => shown) ?? [undefined]);
      expect(Math.max(...sheets.flatMap((sheet) => sheet.lines.map(({ row }) => row)))).toBeLessThanOrEqual(
        LINES_PER_PAGE,
      );
      const words = (text: string) => text.replace(/\s+/g, "").toUpperCase();
      const printed = words(
        sheets.flatMap((sheet) => sheet.lines.flatMap(({ spans }) => spans.map(({ text }) => text))).join(""),
      );
      for (const written of blocksOf(script)) expect(printed).toContain(words(textOf(written)).slice(0, 12));
      const starts = pageStarts(script).map(({ label }) => label);
      expect(starts).toEqual([...starts].sort((a, b) => labelOrder(a, b)));
      if (turn < 5) expect(starts.length).toBeGreaterThan(locked - 4);
    }
  });
});

it("scene numbers are locked as they are, and free again", () => {
  const editor = editing(["a", "b", "c"].map((id) => block(id, "scene_heading", `INT. ${id}`)));
  lockScenes(editor);
  Transforms.insertNodes(editor, block("x", "scene_heading", "INT. x"), { at: [1] });
  expect(scenesOf(editor.children).map(({ number }) => number)).toEqual(["1", "1A", "2", "3"]);
  lockScenes(editor);
  expect((editor.children[1] as Block).sceneNumber).toBe("1A");
  unlockScenes(editor);
  expect(scenesOf(editor.children).map(({ number }) => number)).toEqual(["1", "2", "3", "4"]);
});
