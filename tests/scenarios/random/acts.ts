// Random acts of people, by Slate's own transforms, near a place that they share.
import {
  Editor,
  type Element,
  Element as Elements,
  Node,
  type NodeEntry,
  Path,
  type Text,
  Text as Texts,
  Transforms,
} from "slate";
import { type Fresh, like, type Random } from "./shapes.js";

type Block = Element & { type: string };

/** What an act may choose from. */
class Here {
  readonly texts: NodeEntry<Text>[];
  readonly blocks: NodeEntry<Block>[];

  constructor(
    readonly editor: Editor,
    readonly next: Random,
    /** Letters of the element at which all are busy. */
    hot: string,
  ) {
    const texts = [...Node.texts(editor)].filter(([, path]) => !Editor.void(editor, { at: path }));
    const at = texts.findIndex(([{ text }]) => [...text].some((letter) => hot.includes(letter)));
    // Three of four acts are there or next to it.
    this.texts = at >= 0 && next(4) > 0 ? texts.slice(Math.max(0, at - 1), at + 2) : texts;
    const near = (path: Path) => this.texts.some(([, text]) => Path.isCommon(path, text));
    const elements = [...Node.elements(editor)].slice(1) as NodeEntry<Block>[];
    const blocks = elements.filter(([element]) => !editor.isInline(element));
    const close = blocks.filter(([, path]) => near(path));
    this.blocks = close.length > 0 ? close : blocks;
  }

  pick<T>(list: readonly T[]): T | null {
    return list[this.next(list.length)] ?? null;
  }

  block(fits: (block: Block, path: Path) => boolean): NodeEntry<Block> | null {
    return this.pick(this.blocks.filter(([block, path]) => fits(block, path)));
  }

  /** A place in a text. */
  point(): { path: Path; offset: number } | null {
    const text = this.pick(this.texts);
    return text === null ? null : { path: text[1], offset: whole(text[0].text, this.next(text[0].text.length + 1)) };
  }

  /** Some letters of one text. */
  range() {
    const text = this.pick(this.texts.filter(([{ text }]) => text.length > 0));
    if (text === null) return null;
    const [{ text: letters }, path] = text;
    const from = this.next(letters.length);
    const to = from + 1 + this.next(letters.length - from);
    return { anchor: { path, offset: whole(letters, from) }, focus: { path, offset: whole(letters, to) } };
  }

  isLowest(block: Block): boolean {
    return !this.editor.isVoid(block) && this.editor.hasInlines(block);
  }
}

/** A caret is never within a surrogate pair. */
const whole = (text: string, offset: number): number =>
  /^[\udc00-\udfff]/.test(text.slice(offset)) ? offset + 1 : offset;

type Act = (here: Here, fresh: Fresh) => boolean;

const before = (editor: Editor, path: Path): Block | null =>
  Path.hasPrevious(path) ? (Node.get(editor, Path.previous(path)) as Block) : null;

/** By name. False: there was nothing to do it with. `again` of them in the bag. */
const ACTS: Record<string, { again: number; act: Act }> = {
  type: {
    again: 6,
    act: (here, fresh) => {
      const { editor } = here;
      const at = here.point();
      if (at !== null) Transforms.insertText(editor, fresh.letter(), { at });
      return at !== null;
    },
  },
  enter: {
    again: 4,
    act: (here) => {
      const { editor } = here;
      const at = here.point();
      if (at === null) return false;
      Transforms.splitNodes(editor, {
        at,
        always: true,
        match: (node) => Elements.isElement(node) && Editor.isBlock(editor, node),
        mode: "lowest",
      });
      return true;
    },
  },
  "enter in an item": {
    again: 2,
    act: (here) => {
      const { editor } = here;
      const at = here.point();
      const item = at && Editor.above(editor, { at, match: (node) => (node as Block).type === "li" });
      if (!item) return false;
      Transforms.splitNodes(editor, { at, always: true, match: (node) => node === item[0] });
      return true;
    },
  },
  join: {
    again: 4,
    act: (here) => {
      const { editor } = here;
      const found = here.block((block, path) => {
        const other = before(editor, path);
        return other?.type === block.type && !editor.isVoid(block) && here.isLowest(block) === here.isLowest(other);
      });
      if (found !== null) Transforms.mergeNodes(editor, { at: found[1] });
      return found !== null;
    },
  },
  erase: {
    again: 2,
    act: (here) => {
      const { editor } = here;
      const at = here.range();
      if (at !== null) Transforms.delete(editor, { at });
      return at !== null;
    },
  },
  remove: {
    again: 1,
    act: (here) => {
      const found = here.block((_, path) => (Node.parent(here.editor, path) as Block).children.length > 1);
      if (found !== null) Transforms.removeNodes(here.editor, { at: found[1] });
      return found !== null;
    },
  },
  move: {
    again: 3,
    act: (here) => {
      const { editor } = here;
      const found = here.block((_, path) => (Node.parent(editor, path) as Block).children.length > 1);
      if (found === null) return false;
      const [{ type }, at] = found;
      const others = here.blocks.filter(([block, path]) => block.type === type && !Path.isCommon(at, path));
      const to = here.pick(others.filter(([, path]) => !Path.isCommon(path, at)))?.[1];
      if (to === undefined) return false;
      Transforms.moveNodes(editor, { at, to });
      return true;
    },
  },
  wrap: {
    again: 1,
    act: (here) => {
      const found = here.block(({ type }) => type === "p");
      if (found !== null) Transforms.wrapNodes(here.editor, { type: "q", children: [] } as Element, { at: found[1] });
      return found !== null;
    },
  },
  unwrap: {
    again: 1,
    act: (here) => {
      const found = here.block(({ type }) => type === "q");
      if (found !== null) Transforms.unwrapNodes(here.editor, { at: found[1] });
      return found !== null;
    },
  },
  insert: {
    again: 3,
    act: (here, fresh) => {
      const found = here.block(({ type }) => !["ul", "table", "columns", "dual", "q"].includes(type));
      if (found === null) return false;
      const at = here.next(2) === 0 ? found[1] : Path.next(found[1]);
      Transforms.insertNodes(here.editor, like(found[0].type, fresh, here.next), { at });
      return true;
    },
  },
  indent: {
    again: 1,
    act: (here) => {
      const { editor } = here;
      const found = here.block(({ type }, path) => type === "li" && before(editor, path)?.type === "li");
      if (found === null) return false;
      const [, path] = found;
      Editor.withoutNormalizing(editor, () => {
        Transforms.wrapNodes(editor, { type: "ul", children: [] } as Element, { at: path });
        Transforms.moveNodes(editor, { at: path, to: [...Path.previous(path), before(editor, path)!.children.length] });
      });
      return true;
    },
  },
  property: {
    again: 1,
    act: (here) => {
      const found = here.block(() => true);
      if (found !== null) Transforms.setNodes(here.editor, { align: here.next(9) } as object, { at: found[1] });
      return found !== null;
    },
  },
  bold: {
    again: 3,
    act: (here) => {
      const at = here.range();
      if (at === null) return false;
      const bold = here.next(3) > 0 ? true : undefined;
      if (bold) Transforms.setNodes(here.editor, { bold } as object, { at, match: Texts.isText, split: true });
      else Transforms.unsetNodes(here.editor, "bold" as never, { at, match: Texts.isText, split: true });
      return true;
    },
  },
  link: {
    again: 1,
    act: (here) => {
      const { editor } = here;
      const at = here.range();
      if (at === null || Editor.above(editor, { at, match: (node) => (node as Block).type === "a" })) return false;
      Transforms.wrapNodes(editor, { type: "a", children: [] } as Element, { at, split: true, match: Texts.isText });
      return true;
    },
  },
  mention: {
    again: 1,
    act: (here, fresh) => {
      const at = here.point();
      if (at !== null) Transforms.insertNodes(here.editor, like("mention", fresh, here.next), { at });
      return at !== null;
    },
  },
};

const BAG = Object.entries(ACTS).flatMap(([name, { again }]) => Array.from({ length: again }, () => name));

/** Does something; returns what. */
export function act(editor: Editor, next: Random, fresh: Fresh, hot: string): string {
  for (let tries = 0; tries < 20; tries++) {
    const name = BAG[next(BAG.length)]!;
    const here = new Here(editor, next, hot);
    if (ACTS[name]!.act(here, fresh)) return name;
  }
  return "nothing";
}
