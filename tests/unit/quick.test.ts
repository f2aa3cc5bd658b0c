// What Slate's normalizer may skip at the top of a document: an editor that skips is always what one that does not is.
import { createEditor, type Descendant, Editor, type Element, Node, type Operation, Text, Transforms } from "slate";
import { withReact } from "slate-react";
import { describe, expect, it, vi } from "vitest";
import { withCollab, withQuickNormalizing } from "../../js/slate.js";
import { edit, mix, type Random, random, START, withKinds } from "../interop/random.js";
import { block, Fake } from "./fake.js";

const value = (): Descendant[] => structuredClone(START);
const link = (text: string) => ({ type: "link", children: [{ text }] }) as Descendant;

function open<T extends Editor>(editor: T, children = value()): T {
  editor.children = children;
  return editor;
}

/** How often it is asked whether something is an inline while `body` runs. */
function asked(editor: Editor, body: () => void): number {
  const isInline = vi.spyOn(editor, "isInline");
  // Another `isInline` is reason enough to look at everything.
  Editor.normalize(editor, { force: true });
  isInline.mockClear();
  body();
  const { length } = isInline.mock.calls;
  isInline.mockRestore();
  return length;
}

const many = () => Array.from({ length: 500 }, () => block("a line"));

/** Edits that put the top level out of order, each of its kind. */
const DISORDER: ((editor: Editor, next: Random) => void)[] = [
  (editor, next) => Transforms.insertNodes(editor, link("x"), { at: [next(editor.children.length + 1)] }),
  (editor, next) => Transforms.insertNodes(editor, { text: "x" }, { at: [next(editor.children.length + 1)] }),
  (editor, next) => Transforms.setNodes(editor, { type: "link" } as never, { at: [next(editor.children.length)] }),
  (editor, next) => {
    const at = next(editor.children.length);
    const properties = { type: "link" } as Partial<Element>;
    const { length } = (editor.children[at] as Element).children;
    editor.apply({ type: "split_node", path: [at], position: next(length + 1), properties });
  },
  (editor, next) => {
    const texts = [...Editor.nodes(editor, { at: [], match: Text.isText })];
    const found = texts[next(texts.length)];
    if (found) Transforms.moveNodes(editor, { at: found[1], to: [next(editor.children.length + 1)] });
  },
  (editor) => {
    editor.children = [...editor.children, link("assigned")];
  },
  (editor) => {
    editor.children = [{ text: "assigned" }, ...editor.children];
  },
  (editor, next) => {
    const shots = next(2) === 1;
    const { isInline } = editor;
    editor.isInline = (element) => isInline(element) || (shots && (element as { type?: string }).type === "shot");
  },
];

describe("normalizing what can be out of order only", () => {
  it("comes to what Slate comes to, whatever happens", () => {
    for (let seed = 0; seed < 150; seed += 1) {
      const editors = [withQuickNormalizing(createEditor()), createEditor()].map((editor) => open(withKinds(editor)));
      for (let step = 0; step < 60; step += 1) {
        const results = editors.map((editor) => {
          const next = random(seed * 1_000 + step);
          const group = next(8) === 0;
          try {
            const one = () => {
              if (next(6) === 0) DISORDER[next(DISORDER.length)]!(editor, next);
              else if (editor.children.length > 0) edit(editor, next, mix(true));
            };
            if (group) {
              Editor.withoutNormalizing(editor, () => {
                for (let count = 0; count < 3; count += 1) one();
              });
            } else one();
          } catch (error) {
            return String(error);
          }
          return editor.children;
        });
        expect(results[0], `seed ${seed}, step ${step}`).toEqual(results[1]);
      }
    }
  });

  it("does not look at the other blocks after a key, nor after Enter", () => {
    const editor = open(withQuickNormalizing(createEditor()), many());
    const type = () => Transforms.insertText(editor, "x", { at: { path: [7, 0], offset: 1 } });
    expect(asked(editor, type)).toBeLessThan(20);
    expect(asked(editor, () => Transforms.splitNodes(editor, { at: { path: [7, 0], offset: 3 } }))).toBeLessThan(60);
    expect(asked(editor, () => Transforms.mergeNodes(editor, { at: [8] }))).toBeLessThan(60);
    const plain = open(createEditor(), many());
    const there = () => Transforms.insertText(plain, "x", { at: { path: [7, 0], offset: 1 } });
    expect(asked(plain, there)).toBeGreaterThan(500);
  });

  it("leaves rules for the whole document alone, and a normalization that is forced", () => {
    const editor = open(withQuickNormalizing(createEditor()));
    const { normalizeNode } = editor;
    editor.normalizeNode = (entry, options) => {
      const last = editor.children[editor.children.length - 1]!;
      if (entry[1].length === 0 && Node.string(last) !== "") {
        Transforms.insertNodes(editor, block(""), { at: [editor.children.length] });
      } else normalizeNode(entry, options);
    };
    Transforms.insertText(editor, "x", { at: { path: [0, 0], offset: 0 } });
    expect(editor.children).toHaveLength(START.length + 1);
    Transforms.insertText(editor, "x", { at: { path: [START.length, 0], offset: 0 } });
    expect(editor.children).toHaveLength(START.length + 2);
    expect(asked(editor, () => Editor.normalize(editor, { force: true }))).toBeGreaterThan(START.length);
  });

  it("looks again at everything after an operation that failed", () => {
    const editor = open(withQuickNormalizing(createEditor()), many());
    const fails: Operation = { type: "remove_text", path: [900, 0], offset: 0, text: "x" };
    const then = () => {
      expect(() => editor.apply(fails)).toThrow();
      Transforms.insertText(editor, "x", { at: { path: [7, 0], offset: 1 } });
    };
    expect(asked(editor, then)).toBeGreaterThan(500);
  });

  it("comes with withCollab unless a plugin has its own normalizer beneath", () => {
    const typed = (editor: Editor) =>
      asked(editor, () => Transforms.insertText(editor, "x", { at: { path: [7, 0], offset: 1 } }));
    expect(typed(withCollab(createEditor(), new Fake(many()).collab))).toBeLessThan(20);
    expect(typed(withCollab(withReact(createEditor()), new Fake(many()).collab))).toBeLessThan(20);
    const withRules = (editor: Editor) => {
      const { normalizeNode } = editor;
      editor.normalizeNode = (...given) => normalizeNode(...given);
      return editor;
    };
    expect(typed(withCollab(withRules(createEditor()), new Fake(many()).collab))).toBeGreaterThan(500);
    const beneath = withRules(withQuickNormalizing(createEditor()));
    expect(typed(withCollab(beneath, new Fake(many()).collab))).toBeLessThan(20);
  });
});
