// A version of the script to read, with what has been added and removed since, and by whom. Not an editor: plain
// elements that look like the page. Added is underlined, removed is struck through; colours and initials say who it was.
import { type CSSProperties, Fragment, type ReactNode } from "react";
import type { Version } from "slate-yrs";
import type { AuthorOf } from "../app/authors.ts";
import { initials } from "../app/person.ts";
import { type Block, blocksOf, type FormattedText, isBlock, isDual, textOf } from "../script/types.ts";
import { lookOf } from "./look.ts";
import { marked } from "./marked.tsx";

/** What `history.compare` puts on a leaf besides its marks. */
type ComparedText = FormattedText & { added?: string | true; removed?: string | true };
export type ComparedScript = Block[];

interface Look {
  authorOf: AuthorOf;
  scenes: ReadonlySet<string>;
  onRestoreScene: ((headingId: string) => void) | undefined;
}

export function VersionPage(props: {
  version: Version;
  script: ComparedScript;
  authorOf: AuthorOf;
  /** The ids of the headings that the version has: scenes that came later cannot be restored from it. */
  scenes: ReadonlySet<string>;
  /** Without it the version can only be read. */
  onRestoreScene?: (headingId: string) => void;
}): ReactNode {
  const { version, script, authorOf, scenes } = props;
  const look: Look = { authorOf, scenes, onRestoreScene: props.onRestoreScene };
  const authors = authorsOf([...blocksOf(script)]);
  const changed = [...blocksOf(script)].some((block) => block.children.some((leaf) => changeOf(leaf) !== undefined));
  return (
    <article className="paper version" aria-label={`Version of ${new Date(version.at).toLocaleString()}`}>
      <header className="version-legend">
        <p>
          {changed ? "What has changed since " : "Nothing has changed since "}
          <b>
            {version.label ?? new Date(version.at).toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" })}
          </b>
        </p>
        {changed && (
          <p className="legend-marks">
            <ins>added</ins> <del>removed</del>
            {authors.map((author) => (
              <span key={author} className="author" style={styleOf(authorOf, author)}>
                {authorOf(author).name}
              </span>
            ))}
          </p>
        )}
      </header>
      {script.map((node, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a version does not change, and removed blocks share ids
        <Fragment key={index}>{nodeView(node, look)}</Fragment>
      ))}
    </article>
  );
}

function nodeView(node: unknown, look: Look): ReactNode {
  if (isDual(node)) {
    return (
      <div className="dual">
        {node.children.map((column) => (
          <div className="column" key={column.id}>
            {column.children.map((block, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: see above
              <Fragment key={index}>{blockView(block, look)}</Fragment>
            ))}
          </div>
        ))}
      </div>
    );
  }
  return isBlock(node) ? blockView(node, look) : null;
}

function blockView(block: Block, { authorOf, scenes, onRestoreScene }: Look): ReactNode {
  const scene = block.type === "scene_heading" && textOf(block) !== "" && scenes.has(block.id);
  const authors = authorsOf([block]);
  return (
    <div className={`block ${block.type}`} style={lookOf(block)}>
      {block.children.map((leaf, index) => leafView(leaf, index, authorOf))}
      {authors.length > 0 && (
        <span className="changed-by">
          {authors.map((author) => (
            <span key={author} style={styleOf(authorOf, author)} title={authorOf(author).name}>
              <span aria-hidden="true">{initials(authorOf(author).name)}</span>
              <span className="hidden">(changed by {authorOf(author).name})</span>
            </span>
          ))}
        </span>
      )}
      {scene && onRestoreScene && (
        <button type="button" className="secondary small restore" onClick={() => onRestoreScene(block.id)}>
          Restore this scene
        </button>
      )}
    </div>
  );
}

function leafView(leaf: ComparedText, index: number, authorOf: AuthorOf): ReactNode {
  let content = marked(leaf, leaf.text);
  if (leaf.aside) content = <span className="aside">{content}</span>;
  const change = changeOf(leaf);
  if (change === undefined) return <span key={index}>{content}</span>;
  const Tag = leaf.added ? "ins" : "del";
  const who = typeof change === "string" ? authorOf(change).name : undefined;
  return (
    <Tag
      key={index}
      style={typeof change === "string" ? styleOf(authorOf, change) : undefined}
      title={who && `${leaf.added ? "Added" : "Removed"} by ${who}`}
    >
      {content}
    </Tag>
  );
}

/** The mark is the author, where the server knows. */
const changeOf = (leaf: ComparedText): string | true | undefined => leaf.added ?? leaf.removed;

function authorsOf(blocks: readonly Block[]): string[] {
  const authors = new Set<string>();
  for (const { children } of blocks) {
    for (const leaf of children) {
      const change = changeOf(leaf);
      if (typeof change === "string") authors.add(change);
    }
  }
  return [...authors];
}

const styleOf = (authorOf: AuthorOf, author: string) => ({ "--author": authorOf(author).color }) as CSSProperties;
