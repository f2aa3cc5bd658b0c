// The empty block that an editor shows where its document is empty.
import type { Descendant, Editor } from "slate";
import { isElement, isText } from "./neutral.js";

/** The empty block of one editor. */
export class Blank {
  /** The page's, or one that was assigned to the editor. `null`: nothing is shown where the document is empty. */
  block: Descendant | null = null;
  /** It is in the editor, and not in the document. */
  isShown = false;
}

/** Whether the value is one block without any text: what slate-react shows where there is nothing. */
export function isBlank(children: Editor["children"]): boolean {
  const [block, ...others] = children;
  if (block === undefined || others.length > 0 || !isElement(block)) return false;
  return block.children.length === 1 && isText(block.children[0]!) && block.children[0].text === "";
}
