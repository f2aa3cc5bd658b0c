// A version of the script to read, with what has been added and removed since. Not an editor: plain elements that look
// like the page.
import { Fragment, type ReactNode } from "react";
import type { Version } from "slate-yrs";
import { type Block, type FormattedText, isBlock, isDual, textOf } from "../script/types.ts";

/** What `history.compare` puts on a leaf besides its marks. */
type ComparedText = FormattedText & { added?: string | true; removed?: string | true };
export type ComparedScript = Block[];

export function VersionPage(props: {
  version: Version;
  script: ComparedScript;
  onRestoreScene: (headingId: string) => void;
}): ReactNode {
  const { version, script, onRestoreScene } = props;
  return (
    <article className="paper version" aria-label={`Version of ${new Date(version.at).toLocaleString()}`}>
      {script.map((node, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a version does not change, and removed blocks share ids
        <Fragment key={index}>{nodeView(node, onRestoreScene)}</Fragment>
      ))}
    </article>
  );
}

function nodeView(node: unknown, onRestoreScene: (headingId: string) => void): ReactNode {
  if (isDual(node)) {
    return (
      <div className="dual">
        {node.children.map((column) => (
          <div className="column" key={column.id}>
            {column.children.map((block) => (
              <div className={`block ${block.type}`} key={block.id}>
                {block.children.map(leafView)}
              </div>
            ))}
          </div>
        ))}
      </div>
    );
  }
  if (!isBlock(node)) return null;
  const scene = node.type === "scene_heading";
  return (
    <div className={`block ${node.type}`}>
      {node.children.map(leafView)}
      {scene && textOf(node) !== "" && (
        <button type="button" className="secondary small restore" onClick={() => onRestoreScene(node.id)}>
          Restore this scene
        </button>
      )}
    </div>
  );
}

function leafView(leaf: ComparedText, index: number): ReactNode {
  let content: ReactNode = leaf.text;
  if (leaf.bold) content = <strong>{content}</strong>;
  if (leaf.italic) content = <em>{content}</em>;
  if (leaf.underline) content = <u>{content}</u>;
  const change = leaf.added ?? leaf.removed;
  // The mark is the author, where the server knows.
  const title = typeof change === "string" ? change : undefined;
  if (leaf.added)
    return (
      <ins key={index} title={title}>
        {content}
      </ins>
    );
  if (leaf.removed)
    return (
      <del key={index} title={title}>
        {content}
      </del>
    );
  return <span key={index}>{content}</span>;
}
