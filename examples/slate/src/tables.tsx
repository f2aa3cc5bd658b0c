// A table whose cells are lines: Enter and deletions at a cell's edges do nothing.
import { Editor, Element, Point, Range } from "slate";
import type { Example } from "./example.ts";
import { markKeys } from "./marks.tsx";
import type { Block } from "./types.ts";

const row = (...cells: string[]): Block => ({
  type: "table-row",
  children: cells.map((text): Block => ({ type: "table-cell", children: [{ text }] })),
});

const isOf = (type: Block["type"]) => (node: unknown) => Element.isElement(node) && node.type === type;

/** Whether a caret is at this end of its cell. */
function isAtEdge(editor: Editor, edge: "start" | "end"): boolean {
  const { selection } = editor;
  if (selection === null || !Range.isCollapsed(selection)) return false;
  const cell = Editor.above(editor, { match: isOf("table-cell") });
  return cell !== undefined && Point.equals(selection.anchor, Editor.point(editor, cell[1], { edge }));
}

/** Whether anything that is selected stands in a table. */
function touchesTable(editor: Editor): boolean {
  const { selection } = editor;
  if (selection === null) return false;
  const [table] = Editor.nodes(editor, { at: selection, match: isOf("table") });
  return table !== undefined;
}

export const tables: Example = {
  title: "Tables",
  initialValue: [
    {
      type: "paragraph",
      children: [{ text: "Slate can hold tables, " }, { text: "nested", bold: true }, { text: " blocks." }],
    },
    {
      type: "table",
      children: [row("", "Human", "Dog", "Cat"), row("# of feet", "2", "4", "4"), row("# of lives", "1", "1", "9")],
    },
    { type: "paragraph", children: [{ text: "This one is plain; it can be edited by several people at once." }] },
  ],
  plugin: (editor) => {
    const { deleteBackward, deleteForward, deleteFragment, insertBreak } = editor;
    editor.deleteBackward = (unit) => {
      if (!isAtEdge(editor, "start")) deleteBackward(unit);
    };
    editor.deleteForward = (unit) => {
      if (!isAtEdge(editor, "end")) deleteForward(unit);
    };
    editor.insertBreak = () => {
      if (!touchesTable(editor)) insertBreak();
    };
    editor.deleteFragment = (options) => {
      // Over the edges of cells nothing is deleted: the table stays whole.
      const { selection } = editor;
      const cell = Editor.above(editor, { match: isOf("table-cell") });
      const within =
        cell !== undefined && selection !== null && Range.includes(Editor.range(editor, cell[1]), selection.anchor);
      if (!touchesTable(editor) || (within && Range.includes(Editor.range(editor, cell[1]), selection.focus))) {
        deleteFragment(options);
      }
    };
    return editor;
  },
  onKeyDown: markKeys,
  renderElement: ({ attributes, children, element }) => {
    switch (element.type) {
      case "table":
        return (
          <table>
            <tbody {...attributes}>{children}</tbody>
          </table>
        );
      case "table-row":
        return <tr {...attributes}>{children}</tr>;
      case "table-cell":
        return <td {...attributes}>{children}</td>;
      default:
        return <p {...attributes}>{children}</p>;
    }
  },
};
