// Which operations the document cannot see: it has no empty text leaves, and does not divide text with equal marks.
// Slate's own normalizer mostly makes such operations (spacers around inlines), and every editor may make them for
// itself, because nothing is written to the document. Pure.
import { type Descendant, type Editor, type Element, Node, type Operation, Path, type Text } from "slate";
import { equal } from "../json.js";

/** Whether `op`, about to be applied to `editor`, leaves the document as it is. An impossible operation does not. */
export function isNeutral(editor: Editor, op: Operation): boolean {
  switch (op.type) {
    case "set_selection":
      return true;
    case "insert_text":
    case "remove_text":
      return op.text === "";
    case "insert_node":
      return isEmptyText(op.node);
    case "remove_node":
      return isEmptyText(nodeAt(editor, op.path));
    // A leaf that leaves its block is the first step of something larger: the block would be left without a leaf.
    case "move_node":
      return isEmptyText(nodeAt(editor, op.path)) && Path.equals(Path.parent(op.path), Path.parent(op.newPath));
    case "set_node":
      return setsNothing(nodeAt(editor, op.path), op.newProperties, op.properties);
    case "split_node":
      return splitsNothing(nodeAt(editor, op.path), op.position, op.properties);
    case "merge_node":
      return (
        Path.hasPrevious(op.path) && mergesNothing(nodeAt(editor, Path.previous(op.path)), nodeAt(editor, op.path))
      );
    default:
      return false;
  }
}

/** The node at a path; null: none. */
export function nodeAt(editor: Editor, path: Path): Node | null {
  return Node.has(editor, path) ? Node.get(editor, path) : null;
}

function isEmptyText(node: Node | null): boolean {
  return node !== null && isText(node) && node.text === "";
}

function setsNothing(node: Node | null, next: Partial<Node>, previous: Partial<Node>): boolean {
  if (node === null) return false;
  if (isEmptyText(node)) return true;
  const has = properties(node);
  const wanted = { ...has };
  for (const key of Object.keys(previous)) if (!(key in next)) delete wanted[key];
  for (const [key, value] of Object.entries(next)) {
    if (value == null) delete wanted[key];
    else wanted[key] = value;
  }
  return equal(has, wanted);
}

function splitsNothing(node: Node | null, position: number, properties: Partial<Node>): boolean {
  if (node === null || !isText(node)) return false;
  return position >= node.text.length || equal(marks(node), marks({ ...properties, text: "" }));
}

function mergesNothing(left: Node | null, right: Node | null): boolean {
  if (left === null || right === null || !isText(left) || !isText(right)) return false;
  return right.text === "" || equal(marks(left), marks(right));
}

/** Whether a node is a leaf; unlike Slate's own test, the same in every version. */
export const isText = (node: Node): node is Text => typeof (node as Text).text === "string";

/** Whether a node is an element. Nothing here asks this of an editor. */
export const isElement = (node: Node): node is Element => Array.isArray((node as Element).children);

/** The marks of a leaf: all its properties but `text`. */
export function marks(node: Text): Record<string, unknown> {
  const { text: _, ...rest } = node;
  return rest;
}

/** A node's properties: marks of a leaf, or everything but the children of an element. */
export function properties(node: Descendant | Node): Record<string, unknown> {
  if (isText(node)) return marks(node);
  const { children: _, ...rest } = node as { children: Descendant[] };
  return rest;
}
