// A panic in the engine, with edits that are nowhere but here. The engine is that in `target/testing`, which has
// an export that panics.
import type { Descendant, Operation } from "slate";
import type { Collab, CollabError } from "slate-yrs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { EngineHandle } from "../../js/engine.ts";

type Package = typeof import("slate-yrs");
interface Glue {
  trap(later: boolean): void;
  Engine: { prototype: { insertText(): void; select(words: Uint32Array): void } };
}

const at = (path: string) => import(new URL(`../../target/testing/${path}`, import.meta.url).href);
const slate = (await at("dist/index.js")) as Package;
const { engine } = (await at("dist/engine.js")) as { engine: symbol };
const { Engine, trap } = (await at("pkg/slate_yrs.js")) as Glue;

const opened: Collab[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((collab) => collab.close()));
});

const handle = (collab: Collab) => (collab as unknown as Record<symbol, EngineHandle>)[engine]!;
const block = (text: string): Descendant => ({ type: "action", id: "1", children: [{ text }] }) as Descendant;
const insert = (text: string, offset = 0): Operation => ({ type: "insert_text", path: [0, 0], offset, text });
const tick = () => new Promise<void>((resolve) => setTimeout(resolve));

async function local(id: string, text: string, format?: 0): Promise<Collab> {
  const collab = await slate.open({ id, initialValue: [block(text)], format });
  opened.push(collab);
  return collab;
}

const { insertText } = Engine.prototype;

/** Flushes, and panics as soon as that is in the engine. */
function trapInFlush(collab: Collab): void {
  Engine.prototype.insertText = () => trap(false);
  handle(collab).flush();
  Engine.prototype.insertText = insertText;
}

describe("a trap", () => {
  it("is survived by every open document, with what the editor has just done", async () => {
    const a = await local("a", "one");
    const b = await local("b", "two");
    handle(a).edit(insert("first "));
    await tick();
    const errors: CollabError[] = [];
    const diverged = vi.fn();
    a.on("error", (error) => errors.push(error));
    handle(b).onDiverged(diverged);
    // Not in the document yet, and the engine dies before it is.
    handle(a).edit(insert("second ", 6));
    trapInFlush(a);
    await tick();
    expect(errors.map(({ code }) => code)).toContain("wasm");
    expect(a.value()).toEqual([block("first second one")]);
    expect(b.value()).toEqual([block("two")]);
    expect(diverged).toHaveBeenCalled();
    handle(b).edit(insert("still "));
    expect(b.value()).toEqual([block("still two")]);
    expect(a.status.connection).toBe("offline");
    expect(a.clientId).toBeGreaterThan(0);
  });

  it("is survived with thousands of edits that nobody else has, and typing stays as quick", async () => {
    const a = await local("many", "");
    for (let count = 0; count < 9_000; count += 1) {
      handle(a).edit(insert("x", count));
      handle(a).flush();
    }
    handle(a).edit(insert("last "));
    trapInFlush(a);
    await tick();
    expect(a.value()).toEqual([block(`last ${"x".repeat(9_000)}`)]);
  });

  it("is survived by the selection", async () => {
    const collab = await local("selected", "one two");
    const range = { anchor: { path: [0, 0], offset: 1 }, focus: { path: [0, 0], offset: 3 } };
    handle(collab).select(range);
    handle(collab).edit(insert("x", 7));
    const { select } = Engine.prototype;
    const told: Uint32Array[] = [];
    Engine.prototype.select = function (words) {
      told.push(words);
      select.call(this, words);
    };
    trapInFlush(collab);
    await tick();
    Engine.prototype.select = select;
    expect(told).toHaveLength(1);
    handle(collab).select(range);
    expect(handle(collab).anchor(range)).toBeTruthy();
    expect(collab.value()).toEqual([block("one twox")]);
  });

  it("F14: nothing is called saved before it is known again", async () => {
    const collab = await local("unknown", "one");
    handle(collab).edit(insert("x"));
    await tick();
    const seen: string[] = [];
    collab.on("status", ({ saved }) => seen.push(saved));
    Engine.prototype.insertText = () => trap(false);
    handle(collab).edit(insert("y"));
    handle(collab).flush();
    Engine.prototype.insertText = insertText;
    expect(collab.status.saved).toBe("memory");
    await tick();
    expect(seen).not.toContain("server");
    expect(seen).not.toContain("local");
  });

  it("is survived by a document that is closed before the engine is there again", async () => {
    // In format 1 the flag that the next engine writes is told to nobody: docs/RELIABILITY.md.
    const collab = await local("closing", "one", 0);
    const updates: Uint8Array[] = [];
    collab.on("update", ({ update }) => updates.push(update));
    handle(collab).edit(insert("last "));
    trapInFlush(collab);
    await collab.close();
    const other = await slate.open({ id: "other", initialValue: [block("one")] });
    opened.push(other);
    for (const update of updates) other.applyUpdate(update);
    expect(other.value()).toEqual([block("last one")]);
  });

  it("again and again ends in an error, not in a loop", async () => {
    const collab = await local("a", "one");
    Engine.prototype.insertText = () => trap(false);
    for (let round = 0; round < 10; round += 1) {
      handle(collab).edit(insert("x"));
      await tick();
    }
    Engine.prototype.insertText = insertText;
    expect(collab.status.connection).toBe("closed");
    expect(collab.status.error?.code).toBe("wasm");
    expect(() => collab.value()).toThrow(expect.objectContaining({ code: "closed" }));
    handle(collab).edit(insert("the editor goes on"));
    await collab.close();
  });
});
