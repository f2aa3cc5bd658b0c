// What is measured. Every workload runs on every engine in interleaved rounds; the documents and the changes from
// elsewhere are made once, by a writer of yjs and slate-yjs, and are the same for all.
import { slateNodesToInsertDelta, slateRangeToRelativeRange, withYjs, YjsEditor } from "@slate-yjs/core";
import { createEditor, type Descendant, Editor, type Operation, Transforms } from "slate";
import * as awarenessProtocol from "y-protocols/awareness";
import * as Y from "yjs";
import { type Bound, children, type Engine, isOfFormat1, type Remote } from "./engines.ts";

/** A document and what goes with it. */
export interface Fixture {
  readonly state: Uint8Array;
  readonly blocks: number;
  /** The awareness update of twenty people, each with a caret somewhere. */
  readonly people: Uint8Array;
  /** Index of a block of one text, in the middle. */
  readonly paragraph: number;
  /** Many of them, all over the document. */
  readonly paragraphs: readonly number[];
}

export function fixture(value: Descendant[]): Fixture {
  const doc = new Y.Doc();
  const root = doc.get("content", Y.XmlText) as Y.XmlText;
  root.applyDelta(slateNodesToInsertDelta(value));
  const state = Y.encodeStateAsUpdate(doc);
  const editor = withYjs(createEditor(), root);
  YjsEditor.connect(editor);
  const everyone: [number, Record<string, unknown>][] = [];
  for (let person = 0; person < 20; person += 1) {
    const index = Math.floor(((person + 0.5) / 20) * value.length);
    const point = Editor.start(editor, [index]);
    const selection = slateRangeToRelativeRange(root, editor, { anchor: point, focus: point });
    everyone.push([1000 + person, { data: { name: `Person ${person}` }, selection }]);
  }
  const awareness = new awarenessProtocol.Awareness(doc);
  for (const [client, state] of everyone) {
    awareness.states.set(client, state);
    awareness.meta.set(client, { clock: 1, lastUpdated: Date.now() });
  }
  const people = awarenessProtocol.encodeAwarenessUpdate(
    awareness,
    everyone.map(([client]) => client),
  );
  awareness.destroy();
  const paragraphs = Array.from({ length: 200 }, (_, n) => paragraph(editor, Math.floor((n / 210) * value.length)));
  return { state, blocks: value.length, people, paragraph: paragraph(editor, middle(value.length)), paragraphs };
}

/** Someone else's edits on the document, as updates and operations; `between` ends one update. */
export function remotely(state: Uint8Array, edit: (editor: Editor, between: () => void) => void): Remote[] {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  const editor = withYjs(createEditor(), doc.get("content", Y.XmlText) as Y.XmlText);
  YjsEditor.connect(editor);
  const remotes: Remote[] = [];
  let before = Y.encodeStateVector(doc);
  let operations: Operation[] = [];
  const { apply } = editor;
  editor.apply = (operation) => {
    if (operation.type !== "set_selection") operations.push(operation);
    apply(operation);
  };
  const between = () => {
    YjsEditor.flushLocalChanges(editor);
    remotes.push({ update: Y.encodeStateAsUpdate(doc, before), operations });
    before = Y.encodeStateVector(doc);
    operations = [];
  };
  edit(editor, between);
  if (operations.length > 0) between();
  return remotes;
}

export interface Workload {
  readonly name: string;
  readonly people?: boolean;
  /** How many document sizes: all of them, or only the feature-length one. */
  readonly sizes: "all" | "feature";
  /** The document that an engine is given, if not the fixture's. */
  state?(engine: Engine["name"]): Uint8Array;
  /** Changes from elsewhere, made once per fixture; once for each engine where these have documents of their own. */
  prepare?(fixture: Fixture, engine: Engine["name"]): Remote[];
  /** How many turns, if not as many as for keys. */
  readonly turns?: number;
  /** Does the work on a fresh editor; returns ms of each repetition. */
  run?(bound: Bound, fixture: Fixture, remotes: Remote[]): Promise<number[]>;
  /** For work of many small steps, instead of `run`: one of them, in ms. The engines take turns. */
  turn?(bound: Bound, fixture: Fixture, remotes: Remote[], number: number): Promise<number>;
}

const tick = () => Promise.resolve();

async function timed(work: () => void): Promise<number> {
  const start = performance.now();
  work();
  await tick();
  return performance.now() - start;
}

const middle = (blocks: number) => Math.floor(blocks / 2);

/** The nearest block at or after `index` that is a plain paragraph with some text. */
function paragraph(editor: Editor, index: number): number {
  for (let at = index; at < editor.children.length; at += 1) {
    const block = editor.children[at];
    const first = block && "children" in block ? block.children[0] : undefined;
    if (first && "text" in first && first.text.length > 20) return at;
  }
  throw new Error("no paragraph");
}

/** How many turns each engine has for keys. The first half warms up: a writer's thousandth keystroke counts, not the first. */
export function turns({ blocks }: Fixture): number {
  return blocks > 5000 ? 300 : 2000;
}

/** Typing into one block, a keystroke at a time by each engine in turn: what the machine does meanwhile hits all. */
function keystrokes(people: boolean): Workload {
  return {
    name: people ? "keystroke, undo and 20 carets" : "keystroke",
    people,
    sizes: "all",
    async turn(bound, fixture, _remotes, key) {
      const block = fixture.paragraph;
      return timed(() => {
        Transforms.insertText(bound.editor, "e", { at: { path: [block, 0], offset: 5 + key } });
        bound.taken();
        if (people) bound.cursors();
      });
    },
  };
}

function remoteCharacters(name: string, spread: boolean): Workload {
  return {
    name,
    sizes: "feature",
    prepare(fixture) {
      return remotely(fixture.state, (editor, between) => {
        const base = paragraph(editor, middle(fixture.blocks));
        for (let key = 0; key < 1000; key += 1) {
          const block = spread ? paragraph(editor, (key * 37) % (fixture.blocks - 40)) : base;
          Transforms.insertText(editor, "x", { at: { path: [block, 0], offset: spread ? 3 : 3 + key } });
          between();
        }
      });
    },
    async run(bound, _fixture, remotes) {
      return [
        await timed(() => {
          for (const remote of remotes) bound.receive(remote);
        }),
      ];
    },
  };
}

function manyBlocks(count: number): Workload {
  return {
    name: `one update touching ${count} blocks`,
    sizes: "feature",
    prepare(fixture) {
      return remotely(fixture.state, (editor) => {
        const step = Math.max(1, Math.floor(fixture.blocks / count));
        for (let n = 0, block = 0; n < count && block < fixture.blocks; n += 1, block += step) {
          Transforms.insertText(editor, "x", { at: Editor.start(editor, [block]) });
        }
      });
    },
    async run(bound, _fixture, remotes) {
      return [
        await timed(() => {
          for (const remote of remotes) bound.receive(remote);
        }),
      ];
    },
  };
}

/** So many pieces has a line that was divided by Enter. */
const PIECES = 5000;

const dividedStates = new Map<boolean, Uint8Array>();

/** In format 1 one strand with breaks; what else divides a line leaves as many blocks. */
function dividedState(engine: Engine["name"]): Uint8Array {
  const isOne = isOfFormat1(engine);
  let state = dividedStates.get(isOne);
  if (!state) {
    const doc = new Y.Doc();
    const root = doc.get("content", Y.XmlText) as Y.XmlText;
    if (isOne) {
      const line = new Y.XmlText();
      root.insertEmbed(0, line);
      line.setAttribute("type", "action");
      const pieces = Array.from({ length: PIECES }, (_, n) => {
        const divider = new Y.XmlText();
        divider.setAttribute("@", "break");
        return n === 0 ? [{ insert: "four" }] : [{ insert: divider }, { insert: "four" }];
      });
      line.applyDelta(pieces.flat());
    } else {
      const block = { type: "action", children: [{ text: "four" }] };
      root.applyDelta(slateNodesToInsertDelta(Array.from({ length: PIECES }, () => block) as Descendant[]));
    }
    state = Y.encodeStateAsUpdate(doc);
    dividedStates.set(isOne, state);
  }
  return state;
}

/** A peer's keys in one piece of a divided line. */
function dividedRemotely(engine: Engine["name"], piece: number, keys: number): Remote[] {
  const state = dividedState(engine);
  const remotes = remotely(dividedState("slate-yjs"), (editor, between) => {
    for (let key = 0; key < keys; key += 1) {
      Transforms.insertText(editor, "x", { at: { path: [piece, 0], offset: 2 + key } });
      between();
    }
  });
  if (!isOfFormat1(engine)) return remotes;
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  const line = (doc.get("content", Y.XmlText) as Y.XmlText).toDelta()[0].insert as Y.XmlText;
  return remotes.map(({ operations }, key) => {
    const before = Y.encodeStateVector(doc);
    line.insert(piece * 5 + 2 + key, "x");
    return { update: Y.encodeStateAsUpdate(doc, before), operations };
  });
}

/** Work in one line that was divided into thousands by Enter. */
function divided(where: string): Workload[] {
  const first = { start: 1, middle: PIECES / 2, end: PIECES - 2 }[where]!;
  const name = (what: string) => `${what} at the ${where} of a line divided into 5,000`;
  return [
    {
      name: name("keystroke"),
      sizes: "feature",
      turns: 200,
      state: dividedState,
      turn: (bound, _fixture, _remotes, key) =>
        timed(() => {
          Transforms.insertText(bound.editor, "e", { at: { path: [first, 0], offset: 2 + key } });
          bound.taken();
        }),
    },
    {
      name: name("Enter"),
      sizes: "feature",
      turns: 20,
      state: dividedState,
      turn: (bound, _fixture, _remotes, number) => {
        // In pieces that were not divided yet: at the end from the last on, elsewhere to the right.
        const block = where === "end" ? first - number : first + 2 * number;
        return timed(() => {
          Transforms.splitNodes(bound.editor, { at: { path: [block, 0], offset: 2 } });
          bound.taken();
        });
      },
    },
    {
      name: name("remote keystroke"),
      sizes: "feature",
      turns: 100,
      state: dividedState,
      prepare: (_fixture, engine) => dividedRemotely(engine, first, 100),
      turn: (bound, _fixture, remotes, number) => timed(() => bound.receive(remotes[number]!)),
    },
  ];
}

/** All text is deleted, and taken back; then that. */
function deleteAll(what: "undo" | "redo"): Workload {
  return {
    name: `${what} of deleting all`,
    people: true,
    sizes: "feature",
    async run(bound) {
      const { editor } = bound;
      Transforms.delete(editor, { at: Editor.range(editor, []) });
      bound.taken();
      await tick();
      const undone = await timed(() => bound.undo());
      return [what === "undo" ? undone : await timed(() => bound.redo())];
    },
  };
}

/** Backspace in text that was there before, now here, now there. */
const backspaces: Workload = {
  name: "backspace in old text",
  sizes: "all",
  async turn(bound, fixture, _remotes, key) {
    const block = fixture.paragraphs[key % fixture.paragraphs.length]!;
    return timed(() => {
      Transforms.delete(bound.editor, { at: { path: [block, 0], offset: 1 } });
      bound.taken();
    });
  },
};

export const workloads: readonly Workload[] = [
  ...["start", "middle", "end"].flatMap(divided),
  keystrokes(false),
  keystrokes(true),
  backspaces,
  {
    name: "200 splits",
    sizes: "feature",
    async run(bound, fixture) {
      const block = paragraph(bound.editor, middle(fixture.blocks));
      Transforms.insertText(bound.editor, "word ".repeat(80), { at: { path: [block, 0], offset: 0 } });
      await tick();
      return [
        await timed(() => {
          for (let n = 0; n < 200; n += 1) {
            Transforms.splitNodes(bound.editor, { at: { path: [block + n, 0], offset: 2 } });
            bound.taken();
          }
        }),
      ];
    },
  },
  {
    name: "100 merges",
    sizes: "feature",
    async run(bound, fixture) {
      const start = middle(fixture.blocks);
      return [
        await timed(() => {
          for (let n = 0; n < 100; n += 1) {
            const at = paragraph(bound.editor, start);
            const next = bound.editor.children[at + 1];
            if (!next || !("children" in next) || !("text" in (next.children[0] as object))) {
              Transforms.removeNodes(bound.editor, { at: [at + 1] });
            } else {
              Transforms.mergeNodes(bound.editor, { at: [at + 1] });
            }
            bound.taken();
          }
        }),
      ];
    },
  },
  {
    name: "bold on 50 blocks",
    sizes: "feature",
    async run(bound, fixture) {
      const { editor } = bound;
      const start = middle(fixture.blocks);
      const at = { anchor: Editor.start(editor, [start]), focus: Editor.end(editor, [start + 49]) };
      return [
        await timed(() => {
          Transforms.setNodes(editor, { bold: true } as object, { at, match: (node) => "text" in node, split: true });
          bound.taken();
        }),
      ];
    },
  },
  {
    name: "paste of 500 blocks",
    sizes: "feature",
    async run(bound, fixture) {
      const blocks = children(fixture.state).slice(0, 500);
      return [
        await timed(() => {
          Transforms.insertNodes(bound.editor, blocks, { at: [middle(fixture.blocks)] });
          bound.taken();
        }),
      ];
    },
  },
  {
    name: "one remote keystroke",
    sizes: "all",
    prepare(fixture) {
      return remotely(fixture.state, (editor, between) => {
        const block = fixture.paragraph;
        for (let key = 0; key < turns(fixture); key += 1) {
          Transforms.insertText(editor, "x", { at: { path: [block, 0], offset: 3 + key } });
          between();
        }
      });
    },
    async turn(bound, _fixture, remotes, number) {
      const remote = remotes[number]!;
      return timed(() => bound.receive(remote));
    },
  },
  remoteCharacters("1,000 remote characters, one block", false),
  remoteCharacters("1,000 remote characters, spread", true),
  manyBlocks(300),
  manyBlocks(3000),
  {
    name: "20 carets resolved",
    people: true,
    sizes: "all",
    async run(bound) {
      const samples: number[] = [];
      for (let n = 0; n < 30; n += 1) {
        Transforms.insertText(bound.editor, "y", { at: Editor.start(bound.editor, [n]) });
        bound.taken();
        await tick();
        samples.push(await timed(() => bound.cursors()));
      }
      return samples.slice(5);
    },
  },
  {
    name: "undo of a paragraph",
    people: true,
    sizes: "feature",
    async run(bound, fixture) {
      const samples: number[] = [];
      for (const block of fixture.paragraphs.slice(0, 10)) {
        // Everything that is undone is one group: longer ago than what is undone together.
        await new Promise((wake) => setTimeout(wake, 600));
        for (let key = 0; key < 100; key += 1) {
          Transforms.insertText(bound.editor, "z", { at: { path: [block, 0], offset: key } });
          bound.taken();
          await tick();
        }
        samples.push(await timed(() => bound.undo()));
      }
      return samples.slice(2);
    },
  },
  {
    name: "one block moved over 1,000 others",
    sizes: "feature",
    turns: 40,
    turn: (bound, _fixture, _remotes, number) =>
      timed(() => {
        Transforms.moveNodes(bound.editor, { at: [100 + number], to: [1100 + number] });
        bound.taken();
      }),
  },
  {
    name: "500 blocks wrapped",
    sizes: "feature",
    async run(bound, fixture) {
      const { editor } = bound;
      const start = middle(fixture.blocks);
      const at = { anchor: Editor.start(editor, [start]), focus: Editor.end(editor, [start + 499]) };
      const quote = { type: "quote", children: [] } as unknown as Parameters<typeof Transforms.wrapNodes>[1];
      return [
        await timed(() => {
          Transforms.wrapNodes(editor, quote, { at, match: (_node, path) => path.length === 1 });
          bound.taken();
        }),
      ];
    },
  },
  {
    name: "a word made bold and not, 400 times",
    sizes: "feature",
    async run(bound, fixture) {
      const { editor } = bound;
      const block = fixture.paragraph;
      const at = { anchor: { path: [block, 0], offset: 5 }, focus: { path: [block, 0], offset: 10 } };
      const start = performance.now();
      for (let n = 0; n < 400; n += 1) {
        Transforms.setNodes(editor, { bold: true } as object, { at, match: (node) => "text" in node, split: true });
        bound.taken();
        await tick();
        Transforms.unsetNodes(editor, "bold" as never, { at: [block, 1] });
        bound.taken();
        await tick();
      }
      return [performance.now() - start];
    },
  },
  deleteAll("undo"),
  deleteAll("redo"),
];

/** Opening is measured on its own: it makes the editor. */
export async function opening(engine: Engine, fixture: Fixture): Promise<number> {
  const start = performance.now();
  const bound = await engine.open(fixture.state, null);
  const took = performance.now() - start;
  await bound.close();
  return took;
}
