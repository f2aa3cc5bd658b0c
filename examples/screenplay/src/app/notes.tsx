// Script notes: comments on the words of the script, in a column beside the page, and marked in it.
import {
  createContext,
  type KeyboardEvent,
  type ReactNode,
  use,
  useCallback,
  useEffect,
  useMemo,
  useState,
} from "react";
import { Editor, Range, Transforms } from "slate";
import { ReactEditor, type RenderLeafProps } from "slate-react";
import type { Collab } from "slate-yrs";
import type { Thread } from "slate-yrs/comments";
import { CommentForm, CommentHighlights, ThreadList, useThreads } from "slate-yrs/react";
import type { CollabEditor } from "slate-yrs/slate";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import type { PageExtras } from "../components/script-page.tsx";
import { useStatusPart } from "../hooks/use-yjs-collaboration.ts";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { Icon } from "../ui/icons.tsx";
import { notesOf } from "./noted.ts";
import { PanelHead } from "./panel-parts.tsx";

interface NotesState {
  open: boolean;
  /** The id of the thread that is looked at. */
  active: string | null;
  setOpen(open: boolean): void;
  setActive(thread: string | null): void;
}

const NotesContext = createContext<NotesState | null>(null);

/** Around the editor: whether the notes are open, and which one is looked at. */
export function NotesProvider({ children }: { children: ReactNode }): ReactNode {
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState<string | null>(null);
  const state = useMemo(() => ({ open, active, setOpen, setActive }), [open, active]);
  return <NotesContext value={state}>{children}</NotesContext>;
}

type Shared = ScriptEditor & CollabEditor;

/** Draws the page with the words of notes marked. */
export function NotedPage(props: {
  editor: BoundEditor;
  renderLeaf: (props: RenderLeafProps) => React.ReactElement;
  children: (given: PageExtras) => ReactNode;
}): ReactNode {
  const state = use(NotesContext);
  const activate = useCallback(
    (thread: string) => {
      state?.setActive(thread);
      state?.setOpen(true);
    },
    [state],
  );
  return (
    <CommentHighlights
      comments={notesOf(props.editor)}
      active={state?.active ?? null}
      onActivate={activate}
      renderLeaf={props.renderLeaf}
    >
      {props.children}
    </CommentHighlights>
  );
}

/** In the top bar: opens the column, and says how many notes are open. */
export function NotesButton({ editor }: { editor: BoundEditor | null }): ReactNode {
  const state = use(NotesContext);
  const count = useThreads(notesOf(editor)).filter(({ resolved }) => resolved === null).length;
  if (state === null || editor === null) return null;
  const label = count === 0 ? "Notes" : `Notes (${count})`;
  return (
    <button
      type="button"
      className="tool"
      aria-label={label}
      title={label}
      aria-expanded={state.open}
      // The page keeps its selection: it is what a new note is about.
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => state.setOpen(!state.open)}
    >
      <Icon name="note" />
      {count > 0 && <span className="count">{count}</span>}
    </button>
  );
}

/** The column beside the page. */
export function NotesPanel({ collab, editor }: { collab: Collab<ScenePresence>; editor: BoundEditor }): ReactNode {
  const state = use(NotesContext);
  const notes = notesOf(editor);
  const canComment = useStatusPart(collab, (status) => status.canComment, false);
  const [about, setAbout] = useState<Range | null>(null);
  const active = state?.active ?? null;
  useEffect(() => {
    if (active !== null) cardOf(active)?.scrollIntoView({ block: "nearest" });
  }, [active]);
  if (!state?.open || notes === null) return null;
  const close = () => {
    state.setOpen(false);
    ReactEditor.focus(editor);
  };
  const begin = () => {
    const { selection } = editor;
    setAbout(selection && Range.isExpanded(selection) ? selection : wordAt(editor));
  };
  const go = (thread: Thread) => {
    state.setActive(thread.id);
    show(editor as Shared, thread);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape") close();
  };
  return (
    <aside className="panel notes" aria-label="Script notes" onKeyDown={pressed}>
      <PanelHead title="Notes" closes="the notes" onClose={close} />
      {canComment && about === null && (
        <button type="button" className="secondary" onMouseDown={(event) => event.preventDefault()} onClick={begin}>
          Note on the selection
        </button>
      )}
      {about !== null && (
        <CommentForm
          label={`Note on “${Editor.string(editor, about).slice(0, 60)}”`}
          action="Add note"
          focused
          onSend={(body) => {
            state.setActive(notes.create(about, body));
            setAbout(null);
          }}
          onCancel={() => setAbout(null)}
        />
      )}
      <ThreadList
        comments={notes}
        active={active}
        onGo={go}
        readOnly={!canComment}
        empty="Select some words and add a note."
      />
    </aside>
  );
}

const cardOf = (thread: string) => document.querySelector<HTMLElement>(`[data-thread="${thread}"]`);

/** Without a selection: the word at the caret. */
function wordAt(editor: ScriptEditor): Range | null {
  const caret = editor.selection?.anchor;
  if (!caret) return null;
  const text = Editor.string(editor, caret.path);
  const from = text.slice(0, caret.offset).search(/\S+$/);
  const rest = text.slice(caret.offset).search(/\s|$/);
  const range = {
    anchor: { path: caret.path, offset: from < 0 ? caret.offset : from },
    focus: { path: caret.path, offset: caret.offset + rest },
  };
  return Range.isExpanded(range) ? range : null;
}

function show(editor: Shared, { range }: Thread): void {
  if (range === null) return;
  Transforms.select(editor, range);
  ReactEditor.focus(editor);
  try {
    const [node] = Editor.node(editor, Range.start(range));
    ReactEditor.toDOMNode(editor, node).scrollIntoView({ block: "center" });
  } catch {
    // Not on the page yet: the selection is there all the same.
  }
}
