// Keeps the structure of a script valid: blocks at the top level, or in one of the two columns of a dual dialogue.
//
// Every client runs this on every change, its own and remote ones. So each rule only removes, lifts or moves what is
// there, and never adds a node: two clients that mend the same thing at the same time must not mend it twice.
// A valid script is left alone (nothing is written just because a document was opened).
import { type Editor, Element, type NodeEntry, Text, Transforms } from "slate";
import { isBlock, isColumn, isDual } from "./types.ts";

/** Mends one thing about the node, if something is wrong with it. Returns whether it did. */
export function normalizeScript(editor: Editor, [node, path]: NodeEntry): boolean {
  if (Text.isText(node) || !Element.isElement(node)) return false;
  if (isDual(node)) return normalizeDual(editor, [node, path]);
  if (isColumn(node)) return normalizeColumn(editor, [node, path]);
  // A block, or an element of a kind that is not known here (it is left as it is): text only.
  for (const [index, child] of node.children.entries()) {
    if (Element.isElement(child) && !editor.isInline(child)) {
      const allText = node.children.every((other) => Element.isElement(other) || other.text === "");
      if (allText) Transforms.unwrapNodes(editor, { at: path });
      else Transforms.unwrapNodes(editor, { at: [...path, index] });
      return true;
    }
  }
  return false;
}

function normalizeDual(editor: Editor, [dual, path]: NodeEntry): boolean {
  if (path.length > 1) {
    Transforms.unwrapNodes(editor, { at: path });
    return true;
  }
  const children = (dual as Element).children;
  for (const [index, child] of children.entries()) {
    if (isColumn(child)) continue;
    if (isBlock(child)) Transforms.liftNodes(editor, { at: [...path, index] });
    else if (Element.isElement(child)) Transforms.unwrapNodes(editor, { at: [...path, index] });
    // An emptied element holds an empty text; with nothing in it there is nothing to keep.
    else if (children.length > 1) Transforms.removeNodes(editor, { at: [...path, index] });
    else Transforms.removeNodes(editor, { at: path });
    return true;
  }
  if (children.length === 2) return false;
  if (children.length === 0) Transforms.removeNodes(editor, { at: path });
  else if (children.length === 1) Transforms.unwrapNodes(editor, { at: path });
  else Transforms.mergeNodes(editor, { at: [...path, 2] });
  return true;
}

function normalizeColumn(editor: Editor, [column, path]: NodeEntry): boolean {
  const parent = path.length === 2 ? editor.children[path[0] ?? 0] : undefined;
  const children = (column as Element).children;
  if (!children.some((child) => Element.isElement(child))) {
    Transforms.removeNodes(editor, { at: path });
    return true;
  }
  if (!isDual(parent)) {
    Transforms.unwrapNodes(editor, { at: path });
    return true;
  }
  for (const [index, child] of children.entries()) {
    if (isBlock(child)) continue;
    const at = [...path, index];
    if (Element.isElement(child) && (isColumn(child) || isDual(child))) Transforms.unwrapNodes(editor, { at });
    else if (Element.isElement(child)) continue;
    else Transforms.removeNodes(editor, { at });
    return true;
  }
  return false;
}
