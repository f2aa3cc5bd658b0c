// A batch of operations leaves the editor as if they were applied one by one, dirty paths included, without moving each
// path past each operation.
import { createEditor, type Descendant, Editor, Node, type Operation, Path, Transforms } from "slate";
import { describe, expect, it, vi } from "vitest";
import { applyAll } from "../../js/slate/batch.js";
import { block } from "./fake.js";

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Any of the operations, such that it fits. */
function operation(editor: Editor, below: (n: number) => number): Operation | null {
  const all = [...Node.nodes(editor)].slice(1);
  const [node, path] = all[below(all.length)]!;
  const properties = {};
  const text = Node.isText(node);
  switch (below(8)) {
    case 0:
      return { type: "insert_node", path, node: text ? { text: "new" } : block("new") };
    case 1:
      return editor.children.length > 2 ? { type: "remove_node", path, node } : null;
    case 2:
      return { type: "split_node", path, position: 0, properties };
    case 3: {
      const before = Path.hasPrevious(path) ? Node.get(editor, Path.previous(path)) : null;
      if (before === null || Node.isText(before) !== text) return null;
      const position = Node.isText(before)
        ? before.text.length
        : (before as { children: Descendant[] }).children.length;
      return { type: "merge_node", path, position, properties };
    }
    case 4: {
      const [, newPath] = all[below(all.length)]!;
      return Path.isAncestor(path, newPath) ? null : { type: "move_node", path, newPath };
    }
    case 5:
      return { type: "set_node", path, properties, newProperties: { bold: true } as Partial<Node> };
    default:
      return text ? { type: "insert_text", path, offset: 0, text: "x" } : null;
  }
}

/** What is visited, in order, when the dirty paths are normalized. */
function visited(editor: Editor): Path[] {
  const paths: Path[] = [];
  editor.normalizeNode = ([, path]) => void paths.push(path);
  Editor.normalize(editor);
  return paths;
}

const start = () => [
  block("one"),
  { type: "list", children: [block("two"), block("three")] } as Descendant,
  block("4"),
];

function unnormalized(work: (editor: Editor) => void): Editor {
  const editor = createEditor();
  editor.children = start();
  Editor.setNormalizing(editor, false);
  work(editor);
  Editor.setNormalizing(editor, true);
  return editor;
}

describe("a batch", () => {
  it("leaves the same value and the same paths dirty as its operations one by one", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const below = random(seed);
      const operations: Operation[] = [];
      const earlier: Operation = { type: "insert_text", path: [2, 0], offset: 0, text: "dirty before" };
      const one = unnormalized((editor) => {
        editor.apply(earlier);
        for (let n = 0; n < 12; n += 1) {
          const op = operation(editor, below);
          if (op === null) continue;
          operations.push(op);
          editor.apply(op);
        }
      });
      const other = unnormalized((editor) => {
        editor.apply(earlier);
        applyAll(editor, operations);
      });
      expect(other.children, `seed ${seed}`).toEqual(one.children);
      expect(visited(other), `seed ${seed}`).toEqual(visited(one));
    }
  });

  it("moves no path past blocks that come behind it", () => {
    const editor = createEditor();
    const blocks = Array.from({ length: 200 }, (_, n) => block(`${n}`));
    Editor.setNormalizing(editor, false);
    const transform = vi.spyOn(Path, "transform");
    applyAll(
      editor,
      blocks.map((node, index) => ({ type: "insert_node", path: [index], node })),
    );
    expect(transform).not.toHaveBeenCalled();
    transform.mockRestore();
    Editor.setNormalizing(editor, true);
    expect(editor.children).toEqual(blocks);
    expect(visited(editor)).toHaveLength(401);
  });

  it("heeds an application's own rule of what is dirty, and leaves it in place", () => {
    const editor = createEditor();
    editor.children = start();
    const rule = vi.fn((): Path[] => []);
    editor.getDirtyPaths = rule;
    Editor.withoutNormalizing(editor, () => {
      applyAll(editor, [
        { type: "insert_node", path: [0], node: block("a") },
        { type: "insert_node", path: [1], node: block("b") },
      ]);
    });
    expect(rule).toHaveBeenCalledTimes(2);
    expect(editor.getDirtyPaths).toBe(rule);
    Transforms.insertNodes(editor, block("c"), { at: [2] });
    expect(visited(editor)).toEqual([]);
  });
});
