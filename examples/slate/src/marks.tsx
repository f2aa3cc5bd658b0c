// Bold, italic, underline and code: keys, buttons and looks.
import type { JSX, KeyboardEvent, ReactNode } from "react";
import { Editor } from "slate";
import { type RenderLeafProps, useSlate } from "slate-react";
import type { Mark } from "./types.ts";

const KEYS: Record<string, Mark> = { b: "bold", i: "italic", u: "underline", "`": "code" };

const isMarked = (editor: Editor, mark: Mark) => Editor.marks(editor)?.[mark] === true;

export function toggleMark(editor: Editor, mark: Mark): void {
  if (isMarked(editor, mark)) Editor.removeMark(editor, mark);
  else Editor.addMark(editor, mark, true);
}

export function markKeys(editor: Editor, event: KeyboardEvent): void {
  const mark = event.ctrlKey || event.metaKey ? KEYS[event.key] : undefined;
  if (mark === undefined) return;
  event.preventDefault();
  toggleMark(editor, mark);
}

export function MarkButton({ mark }: { mark: Mark }): ReactNode {
  const editor = useSlate();
  return (
    <Button pressed={isMarked(editor, mark)} onPress={() => toggleMark(editor, mark)}>
      {mark}
    </Button>
  );
}

export function Button(props: { pressed?: boolean; onPress: () => void; children: ReactNode }): ReactNode {
  return (
    <button
      type="button"
      aria-pressed={props.pressed}
      // The editor keeps its selection.
      onMouseDown={(event) => event.preventDefault()}
      onClick={props.onPress}
    >
      {props.children}
    </button>
  );
}

export function renderLeaf({ attributes, children, leaf }: RenderLeafProps): JSX.Element {
  let shown: ReactNode = children;
  if (leaf.bold) shown = <strong>{shown}</strong>;
  if (leaf.italic) shown = <em>{shown}</em>;
  if (leaf.underline) shown = <u>{shown}</u>;
  if (leaf.code) shown = <code>{shown}</code>;
  return <span {...attributes}>{shown}</span>;
}
