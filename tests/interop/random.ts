// Seeded chance and random edits: what people do in an editor, by Slate's own transforms.
import { type Descendant, Editor, type Element, Node, Path, type Point, type Range, Text, Transforms } from "slate";

/** Whole numbers from 0 to below `below`; the same sequence for the same seed. */
export type Random = (below: number) => number;

/** mulberry32. */
export function random(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const PIECES = ["a", "b ", "cde", "’", "—", "\u{1f600}", "\u{1f468}\u200d\u{1f469}", "é", "\u4e2d"];
const TYPES = ["action", "dialogue", "character", "shot"];
const MARKS: [string, unknown][] = [
  ["bold", true],
  ["bold", false],
  ["size", 0],
  ["font", ""],
  ["comment", { by: "Ada", at: [1, 2] }],
  ["comment", { by: "Grace" }],
];

/** Inline links, inline void mentions, block void images. */
export function withKinds<T extends Editor>(editor: T): T {
  editor.isInline = (element) => ["link", "mention"].includes((element as { type?: string }).type ?? "");
  editor.isVoid = (element) => ["mention", "image"].includes((element as { type?: string }).type ?? "");
  return editor;
}

const element = (type: string, children: unknown[]): Descendant => ({ type, children }) as never;

export const START: Descendant[] = [
  element("shot", [{ text: "INT. KITCHEN — NIGHT" }]),
  element("action", [{ text: "A kettle " }, { text: "screams", bold: true }, { text: ". Nobody moves." }]),
  element("character", [{ text: "ADA" }]),
  element("dialogue", [{ text: "Well \u{1f600}, “say” something." }]),
];

type Edit = (editor: Editor, next: Random) => void;

const pick = <T>(next: Random, list: readonly T[]): T | undefined => list[next(list.length)];

/** A caret is never within a surrogate pair: Yjs would make two replacement characters of it. */
function offset(text: string, next: Random): number {
  const at = next(text.length + 1);
  return /^[\udc00-\udfff]/.test(text.slice(at)) ? at + 1 : at;
}

function texts(editor: Editor): [Text, Path][] {
  const entries = Editor.nodes<Text>(editor, { at: [], match: Text.isText });
  return [...entries].filter(([, path]) => Editor.void(editor, { at: path }) === undefined);
}

function blocks(editor: Editor): [Element, Path][] {
  const match = (node: Node) => Node.isElement(node) && Editor.isBlock(editor, node);
  return [...Editor.nodes<Element>(editor, { at: [], match, voids: true })];
}

function point(editor: Editor, next: Random): Point | undefined {
  const entry = pick(next, texts(editor));
  return entry && { path: entry[1], offset: offset(entry[0].text, next) };
}

/** Within one leaf, or from one leaf to one of the next three. */
function range(editor: Editor, next: Random): Range | undefined {
  const all = texts(editor);
  const from = next(all.length);
  const to = Math.min(all.length - 1, from + (next(2) ? 0 : next(4)));
  const ends = [from, to].map((index) => {
    const entry = all[index];
    return entry && { path: entry[1], offset: offset(entry[0].text, next) };
  });
  return ends[0] && ends[1] && { anchor: ends[0], focus: ends[1] };
}

const EDITS: Record<string, Edit> = {
  type: (editor, next) => {
    const at = point(editor, next);
    if (at) Transforms.insertText(editor, pick(next, PIECES)!, { at });
  },
  erase: (editor, next) => {
    const entry = pick(next, texts(editor));
    if (!entry || entry[0].text === "") return;
    const at = { path: entry[1], offset: offset(entry[0].text, next) };
    Transforms.delete(editor, { at, distance: 1 + next(3), reverse: next(2) === 1 });
  },
  eraseRange: (editor, next) => {
    const at = range(editor, next);
    if (at) Transforms.delete(editor, { at });
  },
  enter: (editor, next) => {
    const at = point(editor, next);
    if (at) Transforms.splitNodes(editor, { at, always: true });
  },
  backspace: (editor, next) => {
    const entry = pick(
      next,
      blocks(editor).filter(([node, path]) => {
        if (!Path.hasPrevious(path) || editor.isVoid(node) || !Editor.hasInlines(editor, node)) return false;
        // Text beside a block, while somebody else's normalizer is waited for.
        const before = Node.get(editor, Path.previous(path));
        return Node.isElement(before) && !editor.isVoid(before) && Editor.hasInlines(editor, before);
      }),
    );
    if (entry) Transforms.mergeNodes(editor, { at: entry[1] });
  },
  setType: (editor, next) => {
    const entry = pick(next, blocks(editor));
    if (entry && !editor.isVoid(entry[0])) {
      Transforms.setNodes(editor, { type: pick(next, TYPES) } as never, { at: entry[1] });
    }
  },
  setData: (editor, next) => {
    const entry = pick(next, blocks(editor));
    if (!entry) return;
    const value = pick(next, [null, 0, "", { deep: [1, { x: next(3) }] }, next(10)]);
    if (next(4)) Transforms.setNodes(editor, { data: value } as never, { at: entry[1] });
    else Transforms.unsetNodes(editor, "data" as never, { at: entry[1] });
  },
  mark: (editor, next) => {
    const at = range(editor, next);
    const mark = pick(next, MARKS)!;
    if (at) Transforms.setNodes(editor, { [mark[0]]: mark[1] } as never, { at, match: Text.isText, split: true });
  },
  unmark: (editor, next) => {
    const at = range(editor, next);
    const mark = pick(next, MARKS)!;
    if (at) Transforms.unsetNodes(editor, mark[0] as never, { at, match: Text.isText, split: true });
  },
  insertBlock: (editor, next) => {
    const node = next(5)
      ? element(pick(next, TYPES)!, [{ text: pick(next, PIECES)! }])
      : element("image", [{ text: "" }]);
    Transforms.insertNodes(editor, node, { at: [next(editor.children.length + 1)] });
  },
  removeBlock: (editor, next) => {
    if (editor.children.length > 2) Transforms.removeNodes(editor, { at: [next(editor.children.length)] });
  },
  moveBlock: (editor, next) => {
    const { length } = editor.children;
    if (length > 1) Transforms.moveNodes(editor, { at: [next(length)], to: [next(length)] });
  },
  mention: (editor, next) => {
    const at = point(editor, next);
    if (at) Transforms.insertNodes(editor, element("mention", [{ text: "" }]), { at });
  },
  link: (editor, next) => {
    const at = point(editor, next);
    if (at) Transforms.insertNodes(editor, element("link", [{ text: pick(next, PIECES)! }]), { at });
  },
  wrap: (editor, next) => {
    const entry = pick(next, blocks(editor));
    if (entry && entry[1].length < 3) Transforms.wrapNodes(editor, element("quote", []) as Element, { at: entry[1] });
  },
  lift: (editor, next) => {
    const entry = pick(
      next,
      blocks(editor).filter(([, path]) => path.length > 1),
    );
    if (entry) Transforms.liftNodes(editor, { at: entry[1] });
  },
  // The rest moves inlines or leaves about.
  wrapInline: (editor, next) => {
    const entry = pick(next, texts(editor));
    if (!entry || entry[0].text.length < 2) return;
    const [path, { text }] = [entry[1], entry[0]];
    const ends = [offset(text, next), offset(text, next)].sort((a, b) => a - b);
    if (ends[0] === ends[1]) return;
    const [anchor, focus] = [
      { path, offset: ends[0]! },
      { path, offset: ends[1]! },
    ];
    Transforms.wrapNodes(editor, element("link", []) as Element, { at: { anchor, focus }, split: true });
  },
  unwrapInline: (editor, next) => {
    const found = Editor.nodes<Element>(editor, {
      at: [],
      match: (node) => (node as { type?: string }).type === "link",
    });
    const entry = pick(next, [...found]);
    if (entry) Transforms.unwrapNodes(editor, { at: entry[1], match: (node) => node === entry[0] });
  },
  moveInline: (editor, next) => {
    const inlines = Editor.nodes<Element>(editor, {
      at: [],
      match: (node) => Node.isElement(node) && editor.isInline(node),
      voids: true,
    });
    const entry = pick(next, [...inlines]);
    if (!entry) return;
    const [parent, path] = Editor.parent(editor, entry[1]);
    Transforms.moveNodes(editor, { at: entry[1], to: [...path, next(parent.children.length)], voids: true });
  },
};

export type EditName = keyof typeof EDITS & string;

const OFTEN: EditName[] = ["type", "type", "type", "type", "erase", "enter", "backspace"];
const INLINE_MOVES: EditName[] = ["wrapInline", "unwrapInline", "moveInline"];
const ALL = Object.keys(EDITS);

/** What an author does: everything, or everything but what moves inlines and leaves. */
export const mix = (inlineMoves: boolean): EditName[] => [
  ...OFTEN,
  ...ALL.filter((name) => inlineMoves || !INLINE_MOVES.includes(name)),
];

/** The random edits by name. */
export function perform(name: EditName, editor: Editor, next: Random): void {
  EDITS[name]!(editor, next);
}

/** A place where somebody could type. */
export const somewhere = point;

/** One random edit. Returns its name, for a report. */
export function edit(editor: Editor, next: Random, names: readonly EditName[]): EditName {
  const name = pick(next, names)!;
  EDITS[name]!(editor, next);
  return name;
}
