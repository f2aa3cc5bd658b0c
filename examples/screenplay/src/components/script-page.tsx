// The sheet of paper: Slate's `Editable` with the elements and marks of a script.
// Slate renders the blocks in chunks, and chunks off screen are neither laid out nor painted (`content-visibility`).
// It is set on chunks, not on blocks: the browser watches each such box at each frame, and 3,300 cost 10 ms a keystroke.
import {
  type CSSProperties,
  memo,
  type ReactElement,
  type ReactNode,
  use,
  useCallback,
  useEffect,
  useRef,
} from "react";
import { type DecoratedRange, Editor, Node, type NodeEntry, Path, Transforms } from "slate";
import {
  Editable,
  ReactEditor,
  type RenderChunkProps,
  type RenderElementProps,
  type RenderLeafProps,
  useSlateSelection,
  useSlateSelector,
  useSlateStatic,
} from "slate-react";
import { useRemembered } from "../app/remembered.ts";
import { useWrittenMarks } from "../app/written.ts";
import { emptyBlock } from "../script/editor.ts";
import { ELEMENTS } from "../script/elements.ts";
import type { PageBreak } from "../script/paginate.ts";
import { headerOf } from "../script/revisions.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { type Block, type DualDialogueBlock, isBlock, isColumn, isDual, type RevisionSet } from "../script/types.ts";
import { useAddition, useFirstPage, useLockedNumbers, usePageBreaks } from "./insights.ts";
import { lookOf } from "./look.ts";
import { marked } from "./marked.tsx";
import { RevisionContext } from "./revision-look.ts";
import { RevisionMarks } from "./revision-marks.tsx";
import { useFoundMarks } from "./searching.ts";
import { entered, pressed } from "./shortcuts.ts";
import { suggesterIn } from "./suggester.ts";
import { SuggestionList } from "./suggestion-list.tsx";

const renderElement = (props: RenderElementProps) => <ElementView {...props} />;
const renderChunk = ({ attributes, lowest, children }: RenderChunkProps) => (
  <div {...attributes} className={lowest ? "chunk" : undefined}>
    {children}
  </div>
);
export const renderLeaf = (props: RenderLeafProps): ReactElement => <LeafView {...props} />;

/** What may be drawn into the text besides. */
export interface PageExtras {
  decorate?: (entry: NodeEntry) => DecoratedRange[];
  renderLeaf?: (props: RenderLeafProps) => ReactElement;
}

/**
 * Before each commit, React notes the selection of a focused `contenteditable` as two offsets, for which it walks through
 * every node in it: 5 ms in a feature film, several times per keystroke. It does so where the property `contentEditable`
 * reads "true". Nothing is lost: Slate keeps the selection itself, and the browser goes by the attribute.
 */
function spareTheWalk(page: HTMLElement | null): void {
  if (page) Object.defineProperty(page, "contentEditable", { configurable: true, get: () => "inherit" });
}

export const ScriptPage = memo(function ScriptPage(props: { readOnly: boolean } & PageExtras): ReactNode {
  const { readOnly } = props;
  const editor = useSlateStatic();
  const decorate = useFoundMarks(editor, useWrittenMarks(editor, props.decorate));
  const [spelling] = useRemembered("spelling");
  const [numbers] = useRemembered("numbers");
  const locked = useLockedNumbers();
  const [continued] = useRemembered("continued");
  const onKeyDown = useCallback(
    (event: React.KeyboardEvent) => {
      if (suggesterIn(editor).pressed(event)) event.preventDefault();
      else pressed(editor, event);
    },
    [editor],
  );
  useHowOneCame(editor);
  const { sets } = use(RevisionContext);
  const first = useFirstPage((revision) => headerOf(sets, revision));
  return (
    <>
      <Editable
        ref={spareTheWalk}
        className="paper"
        aria-label="Script"
        {...(readOnly ? { role: "document" } : { role: "textbox", "aria-multiline": true })}
        tabIndex={0}
        data-numbers={locked ? "on" : (numbers ?? "off")}
        data-continueds={continued ?? "on"}
        data-first={first || undefined}
        readOnly={readOnly}
        spellCheck={spelling === "on"}
        aria-describedby={readOnly ? undefined : "page-keys"}
        autoCapitalize="sentences"
        renderElement={renderElement}
        renderLeaf={props.renderLeaf ?? renderLeaf}
        {...(decorate && { decorate })}
        renderChunk={renderChunk}
        onKeyDown={onKeyDown}
      />
      <p id="page-keys" className="hidden">
        Tab changes what kind of line it is. Escape, then Tab, leaves the page. Where a list of suggestions is open, Tab
        takes the first one, arrows choose.
      </p>
      <CurrentBlock />
      {!readOnly && <SuggestionList />}
      {!readOnly && <FirstLine />}
    </>
  );
});

/** Tells the keys whether the page was reached by Tab, and whether somebody has pointed into it since. */
function useHowOneCame(editor: ScriptEditor): void {
  useEffect(() => {
    let tab = false;
    const key = (event: KeyboardEvent) => {
      tab = event.key === "Tab";
    };
    const pointer = () => {
      tab = false;
      entered(editor, false);
    };
    const focus = ({ target }: FocusEvent) => {
      if (target instanceof HTMLElement && target.dataset.slateEditor) entered(editor, tab);
    };
    document.addEventListener("keydown", key, true);
    document.addEventListener("pointerdown", pointer, true);
    document.addEventListener("focusin", focus);
    return () => {
      document.removeEventListener("keydown", key, true);
      document.removeEventListener("pointerdown", pointer, true);
      document.removeEventListener("focusin", focus);
    };
  }, [editor]);
}

function ElementView({ attributes, children, element }: RenderElementProps): ReactNode {
  if (isDual(element)) {
    return (
      <DualView attributes={attributes} dual={element}>
        {children}
      </DualView>
    );
  }
  if (isColumn(element)) {
    return (
      <div {...attributes} className="column">
        {children}
      </div>
    );
  }
  return (
    <BlockView attributes={attributes} block={element}>
      {children}
    </BlockView>
  );
}

function DualView(props: {
  attributes: RenderElementProps["attributes"];
  dual: DualDialogueBlock;
  children: ReactNode;
}): ReactNode {
  const { attributes, dual, children } = props;
  const top = usePageBreaks(dual.id)?.find(({ line }) => line === 0);
  const { sets } = use(RevisionContext);
  return (
    <div {...attributes} className="dual" data-id={dual.id} data-page={top && pageLabel(top, sets)}>
      {sets.length > 0 && <RevisionMarks node={dual} />}
      {children}
    </div>
  );
}

function BlockView(props: {
  attributes: RenderElementProps["attributes"];
  block: Block;
  children: ReactNode;
}): ReactNode {
  const { attributes, block, children } = props;
  const breaks = usePageBreaks(block.id);
  const top = breaks?.[0]?.line === 0 ? breaks[0] : undefined;
  const type = isBlock(block) ? block.type : "general";
  const addition = useAddition(block.id, type);
  const { hint } = ELEMENTS[type];
  const { sets } = use(RevisionContext);
  const empty = block.children.length === 1 && block.children[0]?.text === "";
  return (
    <div
      {...attributes}
      className={`block ${type}`}
      style={lookOf(block, type === "scene_heading" ? addition : undefined)}
      data-scene-color={block.color && type === "scene_heading" ? "" : undefined}
      data-id={block.id}
      data-page={top && pageLabel(top, sets)}
      data-hint={empty ? hint : undefined}
      data-number={type === "scene_heading" ? addition : undefined}
      data-continued={type === "character" && addition ? "" : undefined}
    >
      {breaks?.map(
        (at) =>
          at.line > 0 && (
            // Drawn over the text, without text of its own: it is no part of the script.
            <i
              key={at.page}
              className="page-break"
              contentEditable={false}
              data-page={pageLabel(at, [])}
              data-header={headerOf(sets, at.revision) || undefined}
              data-number={`${at.label ?? at.page}.`}
              style={{ "--lines": at.line } as CSSProperties}
            />
          ),
      )}
      {sets.length > 0 && <RevisionMarks node={block} />}
      {children}
    </div>
  );
}

function pageLabel({ page, label, speaker, revision }: PageBreak, sets: readonly RevisionSet[]): string {
  const header = headerOf(sets, revision);
  const more = speaker === null ? "" : `(MORE) ${speaker} (CONT’D) `;
  return `${header === "" ? "" : `${header} · `}${more}${label ?? page}.`;
}

function LeafView({ attributes, children, leaf }: RenderLeafProps): ReactNode {
  let content = marked(leaf, children);
  const { found, by, byColor } = leaf as { found?: number; by?: string; byColor?: string };
  if (by !== undefined) {
    content = (
      <span className="by" title={by} style={{ "--author": byColor } as CSSProperties}>
        {content}
      </span>
    );
  }
  if (found !== undefined) {
    content = (
      <mark className="found" data-start={found}>
        {content}
      </mark>
    );
  }
  return (
    <span {...attributes} className={leaf.aside ? "aside" : undefined}>
      {content}
    </span>
  );
}

/** Where there is nothing at all (another program emptied the script), there is nowhere to put the caret. */
function FirstLine(): ReactNode {
  const editor = useSlateStatic();
  const nothing = useSlateSelector((current) => current.children.length === 0);
  if (!nothing) return null;
  const begin = () => {
    Transforms.insertNodes(editor, emptyBlock(editor, "scene_heading"), { at: [0] });
    Transforms.select(editor, Editor.start(editor, []));
    ReactEditor.focus(editor);
  };
  return (
    <button type="button" className="first-line" onClick={begin}>
      Begin with a scene: INT. SOMEWHERE - DAY
    </button>
  );
}

/** Marks the block with the caret, past React: the caret moves all the time, and nothing has to be rendered for it. */
function CurrentBlock(): null {
  const editor = useSlateStatic();
  const selection = useSlateSelection();
  const marked = useRef<HTMLElement | null>(null);
  const path = selection ? Path.parent(selection.focus.path) : undefined;
  useEffect(() => {
    let element: HTMLElement | null = null;
    if (path && Node.has(editor, path)) {
      try {
        element = ReactEditor.toDOMNode(editor, Node.get(editor, path));
      } catch {
        // Not on the page yet: the next selection finds it.
      }
    }
    if (element === marked.current) return;
    marked.current?.removeAttribute("data-current");
    element?.setAttribute("data-current", "");
    marked.current = element;
  });
  return null;
}
