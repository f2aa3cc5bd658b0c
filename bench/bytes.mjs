// `npm run bench:bytes`: how many bytes an edit is on its way to the others, and a document that lived: its blocks were typed,
// and some of them moved, divided, joined and removed. In Node, in both formats and in slate-yjs, as they are built. Bytes are
// the same on any machine, but for the length of client ids, which are drawn; of opening the median of nine, in turns.
// Writes the parts of docs/BENCHMARKS.md between its markers.
// `--blocks 20000`, `--dry` (prints, writes nothing).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { slateNodesToInsertDelta, withYjs, YjsEditor } from "@slate-yjs/core";
import { createEditor, Editor, Transforms } from "slate";
import { open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";
import * as Y from "yjs";
import { root, say } from "../scripts/process.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const blocks = Number(option("blocks", "20000"));
const OPENINGS = 9;

const p = (text, type = "paragraph") => ({ type, children: [{ text }] });
const list = (...items) => ({ type: "ul", children: items.map((item) => ({ type: "li", children: [p(item)] })) });
const script = () => [
  p("one line of the script"),
  p("another line of it"),
  list("first", "second", "third"),
  list(..."abcdefghij"),
  p("the end"),
];

/** What makes a document one of format 1: slate-yjs' layout reads as such. */
function flag() {
  const doc = new Y.Doc();
  doc.getMap("slate-yrs:doc").set("format", 1);
  return Y.encodeStateAsUpdate(doc);
}

function written(value) {
  const doc = new Y.Doc();
  doc.get("content", Y.XmlText).applyDelta(slateNodesToInsertDelta(value));
  return Y.encodeStateAsUpdate(doc);
}

/** By name: from a state to an editor; `flush` gives the bytes of what was done. */
const ENGINES = {
  "slate-yjs": async (state) => {
    const doc = new Y.Doc();
    if (state) Y.applyUpdate(doc, state);
    let bytes = 0;
    doc.on("update", (update) => {
      bytes += update.length;
    });
    const editor = withYjs(createEditor(), doc.get("content", Y.XmlText));
    YjsEditor.connect(editor);
    const flush = async () => {
      YjsEditor.flushLocalChanges(editor);
      const taken = bytes;
      bytes = 0;
      return taken;
    };
    return { editor, flush, state: () => Y.encodeStateAsUpdate(doc), close: () => doc.destroy() };
  },
  "format 0": (state) => ours(state, 0),
  "format 1": (state) => ours(state, 1),
};

let opened = 0;
async function ours(state, format) {
  opened += 1;
  const collab = await open({ id: `bytes-${opened}`, offline: false, format });
  if (format === 1 && !state) collab.applyUpdate(flag());
  if (state) collab.applyUpdate(state);
  let bytes = 0;
  collab.on("update", ({ update, origin }) => {
    if (origin === "local") bytes += update.length;
  });
  const editor = withCollab(createEditor(), collab);
  const flush = async () => {
    await Promise.resolve();
    const taken = bytes;
    bytes = 0;
    return taken;
  };
  return { editor, flush, state: () => collab.encodeState(), close: () => collab.close() };
}

const at = (path, offset) => ({ path, offset });
const isBlock = (_node, path) => path.length === 1;
const word = { anchor: at([0, 0], 4), focus: at([0, 0], 8) };
const isText = (node) => "text" in node;
/** What is done, and what before it, of which the bytes do not count. */
const EDITS = {
  letter: [(editor) => Transforms.insertText(editor, "x", { at: at([0, 0], 3) })],
  "Enter in the middle": [(editor) => Transforms.splitNodes(editor, { at: at([0, 0], 8) })],
  "Enter at the end": [(editor) => Transforms.insertNodes(editor, p(""), { at: [1] })],
  "Enter in an item": [
    (editor) =>
      Transforms.splitNodes(editor, { at: at([2, 1, 0, 0], 3), match: (node) => node.type === "li", always: true }),
  ],
  "Backspace between two halves": [(editor) => Transforms.mergeNodes(editor, { at: [1] }), "Enter in the middle"],
  "Backspace between two lines": [(editor) => Transforms.mergeNodes(editor, { at: [1] })],
  "a line moved": [(editor) => Transforms.moveNodes(editor, { at: [0], to: [4] })],
  "a list of ten moved": [(editor) => Transforms.moveNodes(editor, { at: [3], to: [0] })],
  "three blocks wrapped": [
    (editor) => {
      const range = { anchor: at([0, 0], 0), focus: Editor.end(editor, [2]) };
      Transforms.wrapNodes(editor, { type: "quote", children: [] }, { at: range, match: isBlock });
    },
  ],
  "a line removed": [(editor) => Transforms.removeNodes(editor, { at: [0] })],
  "a word made bold": [
    (editor) => Transforms.setNodes(editor, { bold: true }, { at: word, match: isText, split: true }),
  ],
  "the same taken back": [(editor) => Transforms.unsetNodes(editor, "bold", { at: [0, 1] }), "a word made bold"],
  "a line made a heading": [(editor) => Transforms.setNodes(editor, { type: "heading" }, { at: [0] })],
};

async function bytesOf(engine, name) {
  const [edit, before] = EDITS[name];
  const state = written(script());
  const bound = await ENGINES[engine](engine === "format 1" ? Y.mergeUpdates([flag(), state]) : state);
  if (before) EDITS[before][0](bound.editor);
  await bound.flush();
  edit(bound.editor);
  const bytes = await bound.flush();
  await bound.close();
  return bytes;
}

/** Always the same. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** So much is done at once, and of a hundred blocks so many are then moved, divided, joined and removed. */
const AT_ONCE = 100;
const OF_A_HUNDRED = 10;

/** Counted up when something about the life changes. */
const LIFE_VERSION = 1;

const TEXT = "He looks up from the page, and the room is quite another one. ";

const LIFE = {
  moved: (editor, draw) => {
    const to = draw(editor.children.length);
    Transforms.moveNodes(editor, { at: [draw(editor.children.length)], to: [to] });
  },
  divided: (editor, draw) => {
    const block = draw(editor.children.length);
    const length = Editor.string(editor, [block]).length;
    if (length > 1) Transforms.splitNodes(editor, { at: at([block, 0], 1 + draw(length - 1)) });
  },
  joined: (editor, draw) => Transforms.mergeNodes(editor, { at: [1 + draw(editor.children.length - 1)] }),
  removed: (editor, draw) => Transforms.removeNodes(editor, { at: [draw(editor.children.length)] }),
};

/** The state of a document after its life; that of slate-yjs, which takes long, is kept in `target/` for the next time. */
async function lived(engine) {
  if (engine !== "slate-yjs") return await live(engine);
  const kept = join(root, "target/bench", `life-${blocks}-${LIFE_VERSION}.json`);
  if (existsSync(kept)) {
    say(`Kept from before: ${kept}`);
    const { state, shown } = JSON.parse(readFileSync(kept, "utf8"));
    return { state: new Uint8Array(Buffer.from(state, "base64")), shown };
  }
  const life = await live(engine);
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, JSON.stringify({ state: Buffer.from(life.state).toString("base64"), shown: life.shown }));
  return life;
}

async function live(engine) {
  const bound = await ENGINES[engine](engine === "format 1" ? flag() : undefined);
  const { editor } = bound;
  const draw = random(1);
  const together = async (count, act) => {
    for (let done = 0; done < count; done += AT_ONCE) {
      Editor.withoutNormalizing(editor, () => {
        for (let n = done; n < Math.min(count, done + AT_ONCE); n += 1) act(n);
      });
      await bound.flush();
    }
  };
  await together(blocks, (n) => {
    Transforms.insertNodes(editor, p(""), { at: [Math.min(n, editor.children.length)] });
    Transforms.insertText(editor, TEXT.slice(0, 20 + draw(TEXT.length - 20)), { at: at([n, 0], 0) });
  });
  for (const act of Object.values(LIFE)) await together((blocks * OF_A_HUNDRED) / 100, () => act(editor, draw));
  const state = bound.state();
  const shown = JSON.stringify(editor.children);
  await bound.close();
  return { state, shown };
}

async function opening(engine, state) {
  const start = performance.now();
  const bound = await ENGINES[engine](state);
  const took = performance.now() - start;
  await bound.close();
  return took;
}

const names = Object.keys(ENGINES);
const table = (head, rows) =>
  [`| ${[head, ...names].join(" | ")} |`, `|---|${names.map(() => "--:|").join("")}`, ...rows].join("\n");
const row = (name, cells) => `| ${[name, ...cells].join(" | ")} |`;

const edits = [];
for (const name of Object.keys(EDITS)) {
  const bytes = [];
  for (const engine of names) bytes.push(await bytesOf(engine, name));
  edits.push(row(name, bytes));
}
const lives = {};
for (const engine of names) {
  say(`A life of ${blocks} blocks: ${engine}`);
  lives[engine] = await lived(engine);
  if (lives[engine].shown !== lives[names[0]].shown) throw new Error(`${engine} shows something else`);
}
const took = Object.fromEntries(names.map((engine) => [engine, []]));
for (let n = 0; n < OPENINGS; n += 1) {
  for (const engine of n % 2 ? [...names].reverse() : names)
    took[engine].push(await opening(engine, lives[engine].state));
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const ofLife = [
  row(
    "bytes of the document",
    names.map((engine) => lives[engine].state.length.toLocaleString("en")),
  ),
  row(
    "opening, ms",
    names.map((engine) => median(took[engine]).toFixed(0)),
  ),
];
const parts = {
  "bench, bytes": table("bytes", edits),
  "bench, life": table(`a life of ${blocks.toLocaleString("en")} blocks`, ofLife),
};
console.log(`\n${Object.values(parts).join("\n\n")}`);

if (!process.argv.includes("--dry")) {
  const file = join(root, "docs/BENCHMARKS.md");
  let text = readFileSync(file, "utf8");
  for (const [part, content] of Object.entries(parts)) {
    const [begin, end] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
    if (!text.includes(begin)) throw new Error(`${file} has no ${begin}`);
    text = text.replace(new RegExp(`${begin}[\\s\\S]*${end}`), () => `${begin}\n${content}\n${end}`);
  }
  writeFileSync(file, text);
  say("Written: docs/BENCHMARKS.md");
}
process.exit(0);
