// The marks at the right of lines that were changed in a revision. Drawn beside the text, without text of their own.
import { type CSSProperties, type ReactNode, use } from "react";
import { revisedLines } from "../script/revised-lines.ts";
import { markOf, PAPERS } from "../script/revisions.ts";
import type { ScriptNode } from "../script/types.ts";
import { RevisionContext } from "./revision-look.ts";

export function RevisionMarks({ node }: { node: ScriptNode }): ReactNode {
  const { sets, marks } = use(RevisionContext);
  return revisedLines(node).map(({ line, revision }) => {
    const set = markOf(sets, revision, marks);
    if (!set) return null;
    const style = { "--lines": line, "--revision": PAPERS[set.color].mark } as CSSProperties;
    return <i key={line} className="revision-mark" contentEditable={false} data-mark={set.mark} style={style} />;
  });
}
