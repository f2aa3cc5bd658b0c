// Documents in Node, without a server: opening, editing, exchanging updates, closing, and bad input to everything.
import { createEditor, type Descendant, type Operation, Transforms } from "slate";
import { type Collab, CollabError, type CollabErrorCode, init, type OpenOptions, open } from "slate-yrs";
import { anchor, resolve, withCollab, withoutSaving } from "slate-yrs/slate";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type EngineHandle, engine } from "../../dist/engine.js";

const opened: Collab[] = [];
const handle = (collab: Collab): EngineHandle => (collab as unknown as { [engine]: EngineHandle })[engine];

async function local(options: Partial<OpenOptions> = {}): Promise<Collab> {
  const collab = await open({ id: "scene", ...options });
  opened.push(collab);
  return collab;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((collab) => collab.close()));
});

const block = (id: string, ...children: Descendant[]): Descendant => ({ type: "action", id, children }) as Descendant;
const value = (): Descendant[] => [block("1", { text: "FADE IN" }), block("2", { text: "He “waits” 🙂" })];

/** Applies operations as an editor would have. */
function edit(collab: Collab, ...operations: Operation[]): void {
  for (const operation of operations) handle(collab).edit(operation);
}

const point = (offset: number) => ({ anchor: { path: [0, 0], offset }, focus: { path: [0, 0], offset } });
const insert = (text: string, offset = 0, path = [0, 0]): Operation => ({ type: "insert_text", path, offset, text });

describe("opening", () => {
  it("takes the initial value, and says where edits are kept", async () => {
    const collab = await local({ initialValue: value() });
    expect(collab.value()).toEqual(value());
    expect(collab.status).toMatchObject({ connection: "offline", storage: "memory", error: null, conflict: null });
    expect(collab.clientId).toBeGreaterThan(0);
    expect(collab.id).toBe("scene");
  });

  it("F3: without one, it is empty and nothing is written", async () => {
    const collab = await local();
    expect(collab.value()).toEqual([]);
    expect([...collab.stateVector()]).toEqual([0]);
  });

  it("F1: opened twice, seeded once", async () => {
    const [a, b] = await Promise.all([local({ initialValue: value() }), local({ initialValue: value() })]);
    a.applyUpdate(b.encodeState());
    b.applyUpdate(a.encodeState());
    expect(a.value()).toEqual(value());
    expect(b.value()).toEqual(value());
  });

  it("init may be called any number of times", async () => {
    const instantiate = vi.spyOn(WebAssembly, "instantiate");
    await Promise.all([init(), init()]);
    await init();
    // Once, be it here or before.
    expect(instantiate.mock.calls.length).toBeLessThanOrEqual(1);
    instantiate.mockRestore();
  });

  const bad: [string, unknown][] = [
    ["nothing", undefined],
    ["no id", {}],
    ["an empty id", { id: "" }],
    ["an id that is a path", { id: ".." }],
    ["an id that is a number", { id: 7 }],
    ["half of a surrogate pair", { id: "\ud83d" }],
    ["an id of 257 bytes", { id: `${"é".repeat(128)}!` }],
    ["an id with a control character", { id: "a\u0085" }],
    ["an address that is none", { id: "a", url: "here" }],
    ["an address of mail", { id: "a", url: "mailto:a@b" }],
    ["a root that is a number", { id: "a", root: 1 }],
    ["an empty root", { id: "a", root: "" }],
    ["a token that is a number", { id: "a", token: 5 }],
    ["a presence that is a string", { id: "a", presence: "me" }],
    ["a presence with a bigint", { id: "a", presence: { name: 1n } }],
    ["a capture timeout of NaN", { id: "a", undo: { captureTimeout: Number.NaN } }],
    ["a value that is no array", { id: "a", initialValue: "text" }],
    ["a value with something else in it", { id: "a", initialValue: [1] }],
    ["a value with a mark without a name", { id: "a", initialValue: [{ children: [{ text: "a", "": true }] }] }],
  ];
  for (const [name, options] of bad) {
    it(`refuses ${name}`, async () => {
      const error = await open(options as OpenOptions).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(CollabError);
      expect((error as CollabError).code).toBe("protocol");
    });
  }
});

describe("editing", () => {
  it("is in the document after the tick, as one change and one update", async () => {
    const collab = await local({ initialValue: value() });
    const changes = vi.fn();
    const updates = vi.fn();
    collab.on("change", changes);
    collab.on("update", updates);
    edit(collab, insert("A"), insert("B", 1));
    expect(updates).not.toHaveBeenCalled();
    await Promise.resolve();
    expect(updates).toHaveBeenCalledTimes(1);
    expect(updates.mock.calls[0]![0]).toMatchObject({ origin: "local" });
    expect(changes.mock.calls).toEqual([[{ origin: "local", operations: [insert("A"), insert("B", 1)] }]]);
    expect(collab.value()[0]).toEqual(block("1", { text: "ABFADE IN" }));
  });

  it("is in what is read, even before the tick ends", async () => {
    const collab = await local({ initialValue: value() });
    edit(collab, insert("A"));
    expect(collab.value()[0]).toEqual(block("1", { text: "AFADE IN" }));
  });

  it("reaches another document by its updates alone", async () => {
    const a = await local({ initialValue: value() });
    const b = await local();
    b.applyUpdate(a.encodeState());
    const editor = createEditor();
    editor.children = a.value();
    const apply = editor.apply;
    editor.apply = (operation) => {
      apply(operation);
      handle(a).edit(operation);
    };
    const replica = createEditor();
    replica.children = b.value();
    handle(b).onOperations((operations) => {
      for (const operation of operations) replica.apply(operation);
    });
    a.on("update", ({ update }) => b.applyUpdate(update));
    Transforms.insertText(editor, "early ", { at: { path: [1, 0], offset: 3 } });
    Transforms.splitNodes(editor, { at: { path: [1, 0], offset: 4 } });
    Transforms.setNodes(editor, { bold: true } as object, { at: [0, 0], match: () => true });
    Transforms.insertNodes(editor, block("9", { text: "“New”" }), { at: [0] });
    Transforms.moveNodes(editor, { at: [0], to: [2] });
    Transforms.removeNodes(editor, { at: [1] });
    await Promise.resolve();
    const text = (nodes: Descendant[]) => JSON.stringify(nodes).replaceAll(/"id":"[^"]*"/g, "");
    expect(text(b.value())).toBe(text(a.value()));
    expect(replica.children).toEqual(b.value());
    expect(b.value().length).toBe(3);
  });

  it("F12: a split gives the new block an id of its own", async () => {
    const collab = await local({ initialValue: value() });
    const answers: Operation[] = [];
    handle(collab).onOperations((operations, origin) => {
      expect(origin).toBe("local");
      answers.push(...operations);
    });
    edit(
      collab,
      { type: "split_node", path: [0, 0], position: 4, properties: {} },
      { type: "split_node", path: [0], position: 1, properties: { type: "action", id: "1" } as never },
    );
    await Promise.resolve();
    const [first, second] = collab.value() as unknown as { id: string }[];
    expect(first!.id).toBe("1");
    expect(second!.id).not.toBe("1");
    expect(answers).toMatchObject([{ type: "set_node", path: [1], newProperties: { id: second!.id } }]);
  });

  it("set_selection changes nothing", async () => {
    const collab = await local({ initialValue: value() });
    const before = collab.stateVector();
    edit(collab, {
      type: "set_selection",
      properties: null,
      newProperties: { anchor: { path: [0, 0], offset: 1 } },
    } as never);
    expect(collab.stateVector()).toEqual(before);
  });

  it("a range is found again after edits before it", async () => {
    const collab = await local({ initialValue: value() });
    const { anchor, resolve } = handle(collab);
    const mark = anchor({ anchor: { path: [0, 0], offset: 2 }, focus: { path: [1, 0], offset: 5 } });
    edit(collab, insert("12345"));
    expect(resolve(mark)).toEqual({ anchor: { path: [0, 0], offset: 7 }, focus: { path: [1, 0], offset: 5 } });
    expect(resolve("not an anchor")).toBeNull();
    expect(() => anchor({ anchor: { path: [7], offset: 0 }, focus: { path: [7], offset: 0 } })).toThrow(CollabError);
  });
});

describe("undo", () => {
  it("takes back, and repeats", async () => {
    const collab = await local({ initialValue: value() });
    expect([collab.canUndo, collab.undo()]).toEqual([false, false]);
    edit(collab, insert("A"));
    await Promise.resolve();
    const selections = vi.fn();
    handle(collab).onSelect(selections);
    expect([collab.canUndo, collab.undo(), collab.canUndo, collab.canRedo]).toEqual([true, true, false, true]);
    expect(collab.value()).toEqual(value());
    expect([collab.redo(), collab.canRedo]).toEqual([true, false]);
    expect(collab.value()[0]).toEqual(block("1", { text: "AFADE IN" }));
  });
});

describe("snapshots", () => {
  it("are frozen, and the same until something changes", async () => {
    const collab = await local({ initialValue: value() });
    await Promise.resolve();
    const { status, peers } = collab;
    expect(collab.status).toBe(status);
    expect(collab.peers).toBe(peers);
    expect(Object.isFrozen(status) && Object.isFrozen(peers)).toBe(true);
    const seen = vi.fn();
    const stop = collab.on("status", seen);
    collab.disconnect();
    edit(collab, insert("A"));
    await Promise.resolve();
    for (const [snapshot] of seen.mock.calls) expect(snapshot).not.toBe(status);
    expect(collab.status).toEqual(seen.mock.calls.at(-1)?.[0] ?? collab.status);
    stop();
  });
});

describe("F31: listeners that call back in", () => {
  it("read and write without disturbing the loop", async () => {
    const a = await local({ initialValue: value() });
    const b = await local();
    const seen: unknown[] = [];
    b.on("update", ({ origin }) => {
      seen.push([origin, b.value().length]);
      b.setPresence({ name: "B" });
      expect(b.canRedo).toBe(false);
      expect(b.encodeState().length).toBeGreaterThan(2);
    });
    handle(b).onOperations((operations, origin) => {
      if (origin !== "remote") return;
      seen.push(operations.length);
      edit(b, insert("!"));
      b.applyUpdate(a.encodeState());
    });
    b.applyUpdate(a.encodeState());
    await Promise.resolve();
    expect(seen).toContainEqual(["remote", 2]);
    expect(b.value()[0]).toEqual(block("1", { text: "!FADE IN" }));
  });

  it("that throw stop neither the others nor the document", async () => {
    const collab = await local({ initialValue: value() });
    const errors = vi.spyOn(console, "error").mockImplementation(() => {});
    collab.on("update", () => {
      throw new Error("mine");
    });
    const later = vi.fn();
    collab.on("update", later);
    edit(collab, insert("A"));
    await Promise.resolve();
    expect(later).toHaveBeenCalledTimes(1);
    expect(errors).toHaveBeenCalledTimes(1);
    errors.mockRestore();
    edit(collab, insert("B"));
    expect(collab.value()[0]).toEqual(block("1", { text: "BAFADE IN" }));
  });
});

describe("F32: closing", () => {
  it("may happen any number of times, and what comes after is an error or nothing", async () => {
    const collab = await local({ initialValue: value() });
    edit(collab, insert("A"));
    const { edit: late } = handle(collab);
    const first = collab.close();
    expect(collab.close()).toBe(first);
    await first;
    await collab.close();
    expect(collab.status.connection).toBe("closed");
    expect(collab.status).toBe(collab.status);
    expect(collab.peers).toEqual([]);
    expect([collab.canUndo, collab.canRedo]).toEqual([false, false]);
    expect(() => late(insert("B"))).not.toThrow();
    handle(collab).flush();
    handle(collab).select(null);
    const closed: (() => unknown)[] = [
      () => collab.value(),
      () => collab.undo(),
      () => collab.redo(),
      () => collab.connect(),
      () => collab.disconnect(),
      () => collab.setPresence({ name: "x" }),
      () => collab.stateVector(),
      () => collab.encodeState(),
      () => collab.applyUpdate(new Uint8Array([0, 0])),
      () => collab.exportPending(),
      () => handle(collab).resolve("x"),
    ];
    for (const call of closed) expect(call).toThrow(expect.objectContaining({ code: "closed" }));
    await expect(collab.deleteLocal()).rejects.toMatchObject({ code: "closed" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(() => collab.value()).toThrow(CollabError);
  });

  it("from within a listener", async () => {
    const collab = await local({ initialValue: value() });
    const done = new Promise<void>((resolve) => {
      collab.on("update", () => void collab.close().then(resolve));
    });
    edit(collab, insert("A"));
    await done;
    expect(collab.status.connection).toBe("closed");
  });

  it("F5: 100 documents one after the other, typing all the while", async () => {
    for (let scene = 0; scene < 100; scene += 1) {
      const collab = await open({ id: `scene ${scene}`, initialValue: [block("1", { text: `${scene}` })] });
      edit(collab, insert("x"));
      if (scene % 2 === 0) await Promise.resolve();
      expect(collab.value()).toEqual([block("1", { text: `x${scene}` })]);
      edit(collab, insert("y"));
      void collab.close();
    }
  });

  it("whenSynced and whenSaved say that there is no server", async () => {
    const collab = await local();
    await expect(collab.whenSynced()).rejects.toBeInstanceOf(CollabError);
    await expect(collab.whenSaved()).rejects.toBeInstanceOf(CollabError);
  });
});

describe("bad input is an error, and the document lives on", () => {
  const path = [0, 0];
  const misfits: [string, unknown][] = [
    ["a path that does not exist", insert("x", 0, [9, 9])],
    ["a path into a text", insert("x", 0, [0, 0, 0])],
    ["a path that is far too deep", insert("x", 0, new Array(150).fill(0))],
    ["an offset past the end", insert("x", 4294967295)],
    ["an offset of NaN", insert("x", Number.NaN)],
    ["an offset below zero", insert("x", -1)],
    ["a removal past the end", { type: "remove_text", path, offset: 5, text: "longer than what is there" }],
    ["the removal of something not there", { type: "remove_node", path: [7], node: { text: "" } }],
    ["the removal of everything", { type: "remove_node", path: [], node: { children: [] } }],
    ["a node after the end", { type: "insert_node", path: [99], node: { text: "x" } }],
    ["a split past the end", { type: "split_node", path, position: 1000, properties: {} }],
    ["a split of everything", { type: "split_node", path: [], position: 0, properties: {} }],
    ["a merge of the first", { type: "merge_node", path: [0], position: 0, properties: {} }],
    ["a merge of everything", { type: "merge_node", path: [], position: 0, properties: {} }],
    ["a move into itself", { type: "move_node", path: [0], newPath: [0, 0, 0] }],
    ["a move from nowhere", { type: "move_node", path: [50], newPath: [0] }],
    ["a move of everything", { type: "move_node", path: [], newPath: [0] }],
    ["a property of everything", { type: "set_node", path: [], properties: {}, newProperties: { a: 1 } }],
    ["a property of nothing", { type: "set_node", path: [4, 4, 4], properties: {}, newProperties: { a: 1 } }],
    ["no operation", { type: "explode" }],
    ["nothing", null],
  ];
  // They are done at the end, as Slate does them.
  const clamped = new Set([
    "an offset past the end",
    "a removal past the end",
    "a node after the end",
    "a split past the end",
  ]);
  for (const [name, operation, format] of misfits.flatMap(([name, operation]) =>
    [0, 1].map((format) => [name, operation, format] as const),
  )) {
    it(`operation: ${name}, in format ${format}`, async () => {
      const collab = await local({ initialValue: value(), format: format as 0 | 1 });
      expect(collab.status.format).toBe(format);
      const errors: CollabError[] = [];
      const diverged = vi.fn();
      collab.on("error", (error) => errors.push(error));
      handle(collab).onDiverged(diverged);
      if (operation === null) expect(() => edit(collab, operation as never)).toThrow();
      else {
        edit(collab, operation as Operation);
        await Promise.resolve();
        if (clamped.has(name)) {
          expect([errors, diverged.mock.calls]).toEqual([[], []]);
          return;
        }
        expect(errors.length).toBe(1);
        expect(errors[0]).toBeInstanceOf(CollabError);
        expect(diverged).toHaveBeenCalled();
      }
      edit(collab, insert("still here: "));
      expect(collab.value()[0]).toEqual(block("1", { text: "still here: FADE IN" }));
    });
  }

  const random = (length: number, seed: number) => {
    let state = seed;
    return Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
  };

  it("F23: updates, state vectors and anchors of garbage", async () => {
    const collab = await local({ initialValue: value() });
    const whole = collab.encodeState();
    const before = collab.value();
    let refused = 0;
    for (let seed = 1; seed <= 400; seed += 1) {
      const bytes = seed % 2 === 0 ? random(seed % 60, seed) : whole.slice();
      // Cut, not bent: a bent update may well be an update.
      const garbage = seed % 2 === 0 ? bytes : bytes.subarray(0, seed % bytes.length);
      for (const call of [() => collab.applyUpdate(garbage), () => collab.encodeState(garbage)]) {
        try {
          call();
        } catch (error) {
          refused += 1;
          expect((error as CollabError).code).toBe("invalid-update");
        }
      }
      handle(collab).resolve(String.fromCharCode(...garbage.subarray(0, 20)));
    }
    expect(refused).toBeGreaterThan(300);
    edit(collab, insert("!"));
    expect(collab.value().length).toBeGreaterThanOrEqual(before.length);
  });

  const wrong: [string, (collab: Collab) => unknown][] = [
    ["applyUpdate of a string", (c) => c.applyUpdate("abc" as never)],
    ["applyUpdate of nothing", (c) => c.applyUpdate(undefined as never)],
    ["applyUpdate of an array", (c) => c.applyUpdate([0, 0] as never)],
    ["encodeState for a number", (c) => c.encodeState(5 as never)],
    ["setPresence of a number", (c) => c.setPresence(5 as never)],
    ["setPresence of null", (c) => c.setPresence(null as never)],
    ["setPresence of an array", (c) => c.setPresence([] as never)],
    ["setPresence of a function", (c) => c.setPresence((() => 1) as never)],
    ["setPresence of more than servers pass on", (c) => c.setPresence({ name: "x".repeat(17_000) })],
    ["an editor bound to nothing", () => withCollab(createEditor(), null as never)],
    ["an anchor in an editor that is not bound", () => anchor(createEditor() as never, point(0))],
    ["resolving in an editor that is not bound", () => resolve(createEditor() as never, "")],
    ["withoutSaving in an editor that is not bound", () => withoutSaving(createEditor() as never, () => {})],
    ["an unknown event", (c) => c.on("nothing" as never, () => {})],
    ["a listener that is none", (c) => c.on("status", "no" as never)],
    ["an anchor of nothing", (c) => handle(c).anchor(undefined as never)],
    ["resolving a number", (c) => handle(c).resolve(5 as never)],
  ];
  for (const [name, call] of wrong) {
    it(name, async () => {
      const collab = await local({ initialValue: value() });
      expect(() => call(collab)).toThrow(CollabError);
      expect(collab.value()).toEqual(value());
    });
  }

  const options: [string, CollabErrorCode, Partial<OpenOptions>][] = [
    ["a root of the engine's", "protocol", { root: "slate-yrs:doc" }],
    ["a database without a name", "protocol", { offline: { database: 5 as never } }],
    ["a durability that there is not", "protocol", { offline: { durability: "lax" as never } }],
    ["a presence that no server passes on", "too-large", { presence: { name: "ü".repeat(9_000) } }],
  ];
  for (const [name, code, wrong] of options) {
    it(`open: ${name}`, async () => {
      await expect(local(wrong)).rejects.toMatchObject({ name: "CollabError", code });
    });
  }

  it("a presence is as large as it may be", async () => {
    const collab = await local({ presence: { name: "x".repeat(16_000) } });
    expect(() => collab.setPresence({ color: "y".repeat(400) })).toThrow(CollabError);
    collab.setPresence({ name: "Ada" });
    collab.setPresence({ color: "y".repeat(400) });
  });

  it("a selection that is none is reported and nothing else", async () => {
    const collab = await local({ initialValue: value() });
    const errors = vi.fn();
    collab.on("error", errors);
    const far = { path: [99, 99], offset: 4294967295 };
    handle(collab).select({ anchor: far, focus: far });
    handle(collab).select({ anchor: { path: [-1], offset: 0 }, focus: far });
    handle(collab).select(5 as never);
    expect(errors.mock.calls.length).toBe(2);
    expect(collab.value()).toEqual(value());
  });
});
