// What is shown comes apart from the document: between engine and document, and between editor and engine. The engine is
// that in `target/testing`, which has an export that spoils it.
import { createEditor, type Descendant, Node, Transforms } from "slate";
import type { Collab, CollabError, Status } from "slate-yrs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CollabEditor } from "../../js/slate.ts";

type Package = typeof import("slate-yrs");
interface Spoiled {
  spoil(path: Uint32Array, text: string): void;
}
interface Glue {
  Engine: { prototype: { select(this: Spoiled, words: Uint32Array): void } };
}

const at = (path: string) => import(new URL(`../../target/testing/${path}`, import.meta.url).href);
const { open } = (await at("dist/index.js")) as Package;
const { withCollab } = (await at("dist/slate.js")) as typeof import("slate-yrs/slate");
const { engine } = (await at("dist/engine.js")) as { engine: symbol };
const { Engine } = (await at("pkg/slate_yrs.js")) as Glue;

const block = (text: string): Descendant => ({ type: "action", children: [{ text }] }) as Descendant;
const texts = (nodes: readonly Descendant[]) => nodes.map((node) => Node.string(node));
const opened: Collab[] = [];

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(async () => {
  const closing = Promise.all(opened.splice(0).map((collab) => collab.close()));
  await vi.runAllTimersAsync();
  await closing;
  vi.useRealTimers();
});

async function local(value: Descendant[]): Promise<Collab> {
  // What is spoiled is the tree, which documents of format 0 have.
  const opening = open({ id: `check-${Math.random()}`, offline: false, initialValue: value, format: 0 });
  await vi.advanceTimersByTimeAsync(100);
  const collab = await opening;
  opened.push(collab);
  // All of it has been looked at.
  await vi.advanceTimersByTimeAsync(60_000);
  return collab;
}

/** What the engine has in the place of a text, from now on, and the document has not. */
function spoil(collab: Collab, path: number[], text: string): void {
  const { select } = Engine.prototype;
  Engine.prototype.select = function () {
    this.spoil(Uint32Array.from(path), text);
  };
  (collab as unknown as Record<symbol, { select(range: null): void }>)[engine]!.select(null);
  Engine.prototype.select = select;
}

/** What the application is told. */
function told(collab: Collab) {
  const all = { errors: [] as CollabError[], statuses: [] as Status[], updates: [] as string[] };
  collab.on("error", (error) => all.errors.push(error));
  collab.on("status", (status) => all.statuses.push(status));
  collab.on("update", ({ origin }) => all.updates.push(origin));
  return all;
}

describe("what is shown and is not in the document", () => {
  it("is mended while one types elsewhere, counted and told, and nothing is written", async () => {
    const collab = await local([block("one"), block("two"), block("three")]);
    spoil(collab, [2, 0], "thrxee");
    // The user sees it.
    const editor = withCollab(createEditor(), collab) as ReturnType<typeof createEditor> & CollabEditor;
    expect(texts(editor.children)).toEqual(["one", "two", "thrxee"]);
    const events = told(collab);
    const untouched = editor.children[1];
    Transforms.select(editor, { path: [2, 0], offset: 6 });
    Transforms.insertText(editor, "!", { at: { path: [0, 0], offset: 3 } });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(texts(editor.children)).toEqual(["one!", "two", "three"]);
    expect(texts(collab.value())).toEqual(["one!", "two", "three"]);
    expect(editor.children[1]).toBe(untouched);
    expect(editor.selection?.focus).toEqual({ path: [2, 0], offset: 5 });
    expect(events.updates).toEqual(["local"]);
    expect(events.errors.map(({ code }) => code)).toEqual(["invalid-update"]);
    expect(events.statuses.at(-1)?.divergences).toBe(1);
    expect(collab.status.error).toBe(events.errors[0]);
    // Editor and engine agreed all the time.
    expect(editor.divergences).toBe(0);
    collab.undo();
    expect(texts(editor.children)).toEqual(["one", "two", "three"]);
    expect(collab.canUndo).toBe(false);
  });

  it("is mended where only the engine is wrong and the editor is right", async () => {
    const collab = await local([block("one"), block("two")]);
    const editor = withCollab(createEditor(), collab) as ReturnType<typeof createEditor> & CollabEditor;
    spoil(collab, [1, 0], "something else");
    Transforms.insertText(editor, "!", { at: { path: [0, 0], offset: 3 } });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(texts(editor.children)).toEqual(["one!", "two"]);
    expect(texts(collab.value())).toEqual(["one!", "two"]);
    expect(collab.status.divergences).toBeGreaterThan(0);
  });

  it("is mended where only the editor is wrong, and counted in the same place", async () => {
    const collab = await local([block("one"), block("two")]);
    const editor = withCollab(createEditor(), collab) as ReturnType<typeof createEditor> & CollabEditor;
    const events = told(collab);
    // Not assigned, which would be noticed at once.
    editor.children[1] = block("something else");
    Transforms.insertText(editor, "!", { at: { path: [0, 0], offset: 3 } });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(texts(editor.children)).toEqual(["one!", "two"]);
    expect(events.updates).toEqual(["local"]);
    expect([collab.status.divergences, editor.divergences, events.errors.length]).toEqual([1, 1, 1]);
    expect(collab.status.error).toBe(events.errors[0]);
  });

  it("is never found where all is well, and the looking comes to rest", async () => {
    const collab = await local(
      Array.from({ length: 300 }, (_, index) => block(`A line of some length, number ${index}`)),
    );
    const editor = withCollab(createEditor(), collab) as ReturnType<typeof createEditor> & CollabEditor;
    Transforms.splitNodes(editor, { at: { path: [7, 0], offset: 3 } });
    Transforms.removeNodes(editor, { at: [100] });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([collab.status.divergences, collab.status.error]).toEqual([0, null]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
