// Most transactions are one insertion or removal of text at a short path. These go to the engine as plain arguments,
// without being encoded.
import type { Operation } from "slate";
import { checkIndex, checkString } from "./codec.js";
import type { Engine } from "./wasm.js";

type TextOperation = Extract<Operation, { type: "insert_text" | "remove_text" }>;

/** Whether {@link commitText} takes this operation. */
export function isShortText(operation: Operation): operation is TextOperation {
  return (operation.type === "insert_text" || operation.type === "remove_text") && operation.path?.length <= 3;
}

/** Commits the operation as one transaction. */
export function commitText(to: Engine, { type, path, offset, text }: TextOperation): void {
  for (const index of path) checkIndex(index);
  checkIndex(offset);
  checkString(text, "text");
  const [a = 0, b = 0, c = 0] = path;
  if (type === "insert_text") to.insertText(path.length, a, b, c, offset, text);
  else to.removeText(path.length, a, b, c, offset, text);
}
