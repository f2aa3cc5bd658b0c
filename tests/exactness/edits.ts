// What is done between two flushes: acts of people, and what applications call besides, alone or several in one turn.
import { Editor, type Element, Node, type NodeEntry, Path, Text, Transforms } from "slate";
import { CollabError } from "slate-yrs";
import { edit, mix, type Random } from "../interop/random.js";
import type { Schema } from "../scenarios/acts.mjs";
import { act } from "../scenarios/random/acts.js";
import { type Fresh, like } from "../scenarios/random/shapes.js";

/** Of all who edit here: the kinds of the shapes, and of tests/interop. */
const KINDS: Schema = { inline: ["a", "comment", "mention", "link"], void: ["image", "mention"] };

/** Without and with a normalizer that writes. */
export const SCHEMAS: readonly Schema[] = [KINDS, { ...KINDS, blocksOnly: ["li", "td", "column", "q", "quote"] }];

type Block = Element & { type: string };

const pick = <T>(next: Random, list: readonly T[]): T | undefined => list[next(list.length)];

function elements(editor: Editor, fits: (element: Block, path: Path) => boolean): NodeEntry<Block>[] {
  return ([...Node.elements(editor)].slice(1) as NodeEntry<Block>[]).filter(([element, path]) => fits(element, path));
}

function point(editor: Editor, next: Random) {
  const texts = [...Node.texts(editor)].filter(([, path]) => !Editor.void(editor, { at: path }));
  const entry = pick(next, texts);
  if (entry === undefined) return undefined;
  const offset = next(entry[0].text.length + 1);
  const isWithin = /^[\udc00-\udfff]/.test(entry[0].text.slice(offset));
  return { path: entry[1], offset: isWithin ? offset + 1 : offset };
}

function range(editor: Editor, next: Random) {
  const [anchor, focus] = [point(editor, next), point(editor, next)];
  return anchor && focus && { anchor, focus };
}

/** Calls that people's acts and those of tests/interop lack. */
const CALLS: Record<string, (editor: Editor, next: Random, fresh: Fresh) => void> = {
  lift: (editor, next) => {
    const found = pick(
      next,
      elements(editor, (element, path) => path.length > 1 && !editor.isInline(element)),
    );
    if (found) Transforms.liftNodes(editor, { at: found[1] });
  },
  unwrap: (editor, next) => {
    const found = pick(
      next,
      elements(editor, (element) => !editor.isVoid(element) && !editor.hasInlines(element)),
    );
    if (found) Transforms.unwrapNodes(editor, { at: found[1], split: next(2) === 0 });
  },
  "erase far": (editor, next) => {
    const at = range(editor, next);
    if (at) Transforms.delete(editor, { at });
  },
  "bold far": (editor, next) => {
    const at = range(editor, next);
    if (at) Transforms.setNodes(editor, { bold: next(3) > 0 } as object, { at, match: Text.isText, split: true });
  },
  "wrap far": (editor, next) => {
    const at = range(editor, next);
    if (at) Transforms.wrapNodes(editor, { type: "q", children: [] } as Element, { at, split: next(2) === 0 });
  },
  "divide containers": (editor, next) => {
    const at = point(editor, next);
    if (!at || at.path.length < 2) return;
    const height = 1 + next(at.path.length - 1);
    Transforms.splitNodes(editor, { at, always: next(2) === 0, height });
  },
  "divide between": (editor, next) => {
    const found = pick(
      next,
      elements(editor, (_, path) => path.length > 1 && path.at(-1)! > 0),
    );
    if (found) Transforms.splitNodes(editor, { at: found[1], always: true });
  },
  "join any": (editor, next) => {
    const found = pick(
      next,
      elements(editor, (element, path) => {
        if (!Path.hasPrevious(path) || editor.isVoid(element)) return false;
        const before = Node.get(editor, Path.previous(path));
        return Node.isElement(before) && !editor.isVoid(before);
      }),
    );
    if (found) Transforms.mergeNodes(editor, { at: found[1] });
  },
  "move any": (editor, next) => {
    const found = pick(
      next,
      elements(editor, () => true),
    );
    if (!found) return;
    const parents = elements(
      editor,
      (element, path) => !editor.isVoid(element) && !Path.isAncestor(found[1], path) && !Path.equals(found[1], path),
    );
    const [parent, path] = (next(4) > 0 && pick(next, parents)) || [editor, [] as Path];
    const to = [...path, next(parent.children.length + 1)];
    const isOwn = Path.equals(Path.parent(found[1]), path);
    if (isOwn && to.at(-1) === parent.children.length) to[to.length - 1]!--;
    Transforms.moveNodes(editor, { at: found[1], to, voids: true });
  },
  "move several": (editor, next) => {
    const at = range(editor, next);
    const to = pick(
      next,
      elements(editor, (element) => !editor.isInline(element)),
    )?.[1];
    if (at && to) Transforms.moveNodes(editor, { at, to, match: (node) => (node as Block).type === "p" });
  },
  "insert text nodes": (editor, next, fresh) => {
    const at = point(editor, next);
    if (at) Transforms.insertNodes(editor, [{ text: fresh.text(2) }, { text: "b", bold: true } as never], { at });
  },
  fragment: (editor, next, fresh) => {
    const at = point(editor, next);
    if (!at) return;
    const nodes = Array.from({ length: 1 + next(3) }, () => like(pick(next, FRAGMENTS)!, fresh, next));
    Transforms.insertFragment(editor, nodes, { at });
  },
  "own fragment": (editor, next) => {
    const [from, at] = [range(editor, next), point(editor, next)];
    if (from && at) Transforms.insertFragment(editor, structuredClone(Editor.fragment(editor, from)), { at });
  },
  break: (editor, next) => {
    const at = point(editor, next);
    if (!at) return;
    Transforms.select(editor, at);
    editor.insertBreak();
  },
  backspace: (editor, next) => {
    const at = point(editor, next);
    if (!at) return;
    Transforms.select(editor, at);
    if (next(2) === 0) editor.deleteBackward("character");
    else editor.deleteForward("word");
  },
  kind: (editor, next) => {
    const found = pick(
      next,
      elements(editor, (element) => !editor.isVoid(element) && !editor.isInline(element)),
    );
    const type = pick(next, ["p", "h", "action"])!;
    if (found) Transforms.setNodes(editor, { type } as object, { at: found[1] });
  },
  remove: (editor, next) => {
    const found = pick(
      next,
      elements(editor, () => true),
    );
    if (found && editor.children.length > 1) Transforms.removeNodes(editor, { at: found[1], voids: true });
  },
};

const FRAGMENTS = ["p", "li", "tr", "speech", "image", "mention"];
const NAMES = Object.keys(CALLS);
const MIX = mix(true);

function one(editor: Editor, next: Random, fresh: Fresh): string {
  const choice = next(10);
  if (choice < 5) return act(editor, next, fresh, "");
  if (choice < 7) return edit(editor, next, MIX);
  const name = pick(next, NAMES)!;
  CALLS[name]!(editor, next, fresh);
  return name;
}

/** Does what belongs to one flush; says what. Where Slate itself refuses a call, what it did before stands. */
export function edits(editor: Editor, next: Random, fresh: Fresh): string {
  const done: string[] = [];
  const several = (count: number) => {
    for (let times = 0; times < count; times++) {
      try {
        done.push(one(editor, next, fresh));
      } catch (error) {
        if (error instanceof CollabError) throw error;
        done.push("refused");
      }
    }
  };
  const way = next(4);
  if (way < 2) several(1);
  else if (way === 2) several(2 + next(5));
  else Editor.withoutNormalizing(editor, () => several(2 + next(5)));
  // Slate forgets of what to normalize when it refuses a call: text beside blocks, which no document shows so, would stay.
  if (done.includes("refused")) Editor.normalize(editor, { force: true });
  return `${way === 3 ? "together " : ""}${done.join(", ")}`;
}
