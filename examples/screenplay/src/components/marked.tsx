// Text as its marks have it.
import type { ReactNode } from "react";
import type { Mark } from "../script/types.ts";

/** `content` with the marks of a piece of text around it. */
export function marked(marks: Partial<Record<Mark, boolean>>, content: ReactNode): ReactNode {
  let shown = content;
  if (marks.bold) shown = <strong>{shown}</strong>;
  if (marks.italic) shown = <em>{shown}</em>;
  if (marks.underline) shown = <u>{shown}</u>;
  if (marks.strike) shown = <s>{shown}</s>;
  return shown;
}

/** Pieces of one text, one after the other. */
export function MarkedText({ pieces }: { pieces: readonly ({ text: string } & Partial<Record<Mark, boolean>>)[] }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other name
  return pieces.map((piece, index) => <span key={index}>{marked(piece, piece.text)}</span>);
}
