// A document as somebody writes it: what could be one element was one, and has been divided by Enter.
import { createEditor, type Descendant, Editor, type Element, Node, Operation, type Path, Transforms } from "slate";
import { withSchema } from "../acts.mjs";
import { SCHEMA } from "./shapes.js";

/** What is there before anything is divided, and the operations that make `value` of it, in groups of one division. */
export function written(value: readonly Descendant[]): { start: Descendant[]; divisions: Operation[][] } {
  const editor = withSchema(createEditor(), SCHEMA);
  editor.children = structuredClone([...value]);
  Editor.normalize(editor, { force: true });
  let done: Operation[] = [];
  const { apply } = editor;
  editor.apply = (operation) => {
    done.push(operation);
    apply(operation);
  };
  const divisions: Operation[][] = [];
  const isBlock = (node: Node): node is Element => "type" in node && !editor.isInline(node as Element);
  const holdsBlocks = (element: Element) => element.children.some(isBlock);
  const kind = ({ children, ...rest }: Element) => JSON.stringify([rest, children.some(isBlock)]);
  const merge = (parent: Path) => {
    const children = () => (Node.get(editor, parent) as Element).children;
    for (let index = children().length - 1; index > 0; index--) {
      const [one, two] = [children()[index - 1]!, children()[index]!];
      if (!isBlock(one) || !isBlock(two) || editor.isVoid(one) || kind(one) !== kind(two)) continue;
      done = [];
      Transforms.mergeNodes(editor, { at: [...parent, index] });
      divisions.unshift(done.map(Operation.inverse).reverse());
    }
    children().forEach((child, index) => {
      if (isBlock(child) && holdsBlocks(child)) merge([...parent, index]);
    });
  };
  merge([]);
  return { start: editor.children, divisions };
}
