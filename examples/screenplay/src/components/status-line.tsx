// The line at the foot: where the caret is, what Enter and Tab will do, how long the script is.
import type { ReactNode } from "react";
import { useSlateSelector } from "slate-react";
import { blockAt } from "../script/editor.ts";
import { afterTab, ELEMENTS } from "../script/elements.ts";
import { textOf } from "../script/types.ts";
import { useInsight } from "./insights.ts";

export function StatusLine(): ReactNode {
  const { count } = useInsight("pages");
  const words = useInsight("words");
  const type = useSlateSelector((editor) => blockAt(editor)?.[0].type ?? null);
  const empty = useSlateSelector((editor) => {
    const block = blockAt(editor)?.[0];
    return block ? textOf(block) === "" : false;
  });
  const enter = type && (empty ? "action" : ELEMENTS[type].next);
  return (
    <footer className="statusline">
      {type && enter && (
        <span className="next">
          <kbd>Enter</kbd> {ELEMENTS[enter].label} <kbd>Tab</kbd> {ELEMENTS[afterTab(type, false)].label}
        </span>
      )}
      <span className="length">
        {counted(count, "page")} · {counted(words, "word")}
      </span>
    </footer>
  );
}

const counted = (count: number, what: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? what : `${what}s`}`;
