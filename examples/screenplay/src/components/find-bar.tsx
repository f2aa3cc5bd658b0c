// Find and replace: a bar over the page. What is found is marked in the page; the one that one is at is selected there,
// so that it stays on its words whatever others write.
import {
  type KeyboardEvent as ReactKeyboardEvent,
  type ReactNode,
  use,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { Editor, Transforms } from "slate";
import { HistoryEditor } from "slate-history";
import { ReactEditor, useSlateSelector, useSlateStatic } from "slate-react";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { type Found, foundAt, nextFound, rangeOf, replaceAll, replaceFound } from "../script/find.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { Icon } from "../ui/icons.tsx";
import { InsightContext } from "./insights.ts";
import { searchIn, useSearch } from "./searching.ts";
import { isMac } from "./shortcuts.ts";

export function FindBar({ readOnly }: { readOnly: boolean }): ReactNode {
  const editor = useSlateStatic();
  const { open, asked } = useSearch(editor);
  useFindKeys(editor, readOnly);
  // Asked for again it begins anew: its field has the focus, and what is in it is selected.
  return open === null ? null : <Bar key={asked} replacing={open === "replace" && !readOnly} readOnly={readOnly} />;
}

/** Ctrl+F and Ctrl+H from wherever one is, but for dialogs and earlier versions, in which the browser looks. */
function useFindKeys(editor: ScriptEditor, readOnly: boolean): void {
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (!(isMac ? event.metaKey : event.ctrlKey) || event.shiftKey || document.querySelector(ELSEWHERE)) return;
      const letter = event.key.toLowerCase();
      const replace = isMac ? event.altKey && event.code === "KeyF" : letter === "h" && !event.altKey;
      const find = letter === "f" && !event.altKey;
      if (!find && !replace) return;
      event.preventDefault();
      searchIn(editor).open(replace && !readOnly ? "replace" : "find");
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, [editor, readOnly]);
}

const ELSEWHERE = "dialog[open], .paper.version";

function Bar({ replacing, readOnly }: { replacing: boolean; readOnly: boolean }): ReactNode {
  const editor = useSlateStatic();
  const search = searchIn(editor);
  const { finder, words } = useSearch(editor);
  const { wanted } = finder;
  const found = useFound(editor);
  const [replaced, setReplaced] = useState<number | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);

  const step = (back: boolean) => {
    setReplaced(null);
    const all = search.get().finder.all(editor.children);
    const next = all[nextFound(editor, all, editor.selection, back)];
    if (next) show(editor, next);
  };
  const close = () => {
    search.close();
    ReactEditor.focus(editor);
  };
  const replaceOne = () => {
    const all = search.get().finder.all(editor.children);
    const here = all[foundAt(editor, all, editor.selection)];
    if (here) {
      asOneStep(editor, () => replaceFound(editor, here, words));
      // Behind the new words: what is looked for may stand in them.
      const { path, start } = here;
      const [block] = Editor.node(editor, path);
      Transforms.select(editor, rangeOf({ ...here, block: block as Found["block"], start, end: start + words.length }));
    }
    step(false);
  };
  const replaceEach = () => {
    let count = 0;
    asOneStep(editor, () => {
      count = replaceAll(editor, search.get().finder, words);
    });
    setReplaced(count);
    // Nothing is left that the button could replace: it takes no keys any more.
    field.current?.focus();
  };
  const pressed = (event: ReactKeyboardEvent) => {
    if (event.key === "Escape") close();
    else if (event.key !== "Enter" || event.target !== field.current) return;
    else step(event.shiftKey);
    event.preventDefault();
  };

  return (
    <search className="find-place" aria-label="Find in the script" onKeyDown={pressed}>
      <div className="find">
        <div className="find-row">
          <input
            ref={field}
            aria-label="Find"
            placeholder="Find"
            value={wanted.text}
            onChange={(event) => {
              setReplaced(null);
              search.look({ text: event.target.value });
            }}
            // biome-ignore lint/a11y/noAutofocus: it was opened to type in
            autoFocus
          />
          <Count found={found} text={wanted.text} replaced={replaced} />
          <Step label="Previous" icon="up" disabled={found.length === 0} onClick={() => step(true)} />
          <Step label="Next" icon="down" disabled={found.length === 0} onClick={() => step(false)} />
          <Step label="Close the search" icon="close" disabled={false} onClick={close} />
        </div>
        {replacing && (
          <form
            className="find-row"
            onSubmit={(event) => {
              event.preventDefault();
              replaceOne();
            }}
          >
            <input
              aria-label="Replace with"
              placeholder="Replace with"
              value={words}
              onChange={(event) => search.replaceBy(event.target.value)}
            />
            <button type="submit" className="secondary small" disabled={found.length === 0}>
              Replace
            </button>
            <button type="button" className="secondary small" disabled={found.length === 0} onClick={replaceEach}>
              Replace all
            </button>
          </form>
        )}
        <div className="find-row">
          <Check label="Match case" on={wanted.matchCase} set={(matchCase) => search.look({ matchCase })} />
          <Check label="Whole words" on={wanted.wholeWords} set={(wholeWords) => search.look({ wholeWords })} />
          {!replacing && !readOnly && (
            <button type="button" className="secondary small" onClick={() => search.open("replace")}>
              Replace…
            </button>
          )}
        </div>
      </div>
    </search>
  );
}

function Check({ label, on, set }: { label: string; on: boolean; set: (on: boolean) => void }): ReactNode {
  return (
    <label>
      <input type="checkbox" checked={on} onChange={(event) => set(event.target.checked)} />
      {label}
    </label>
  );
}

function Step(props: {
  label: string;
  icon: "up" | "down" | "close";
  disabled: boolean;
  onClick: () => void;
}): ReactNode {
  const { label, icon, disabled, onClick } = props;
  return (
    <button type="button" className="tool small" aria-label={label} title={label} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/**
 * How many there are, and which of them is selected; marks that one. It has no state of its own: slate-react's selectors
 * note what they gave while rendering, and React may throw away what it renders of a component whose state is set.
 */
function Count(props: { found: readonly Found[]; text: string; replaced: number | null }): ReactNode {
  const { found, text, replaced } = props;
  const editor = useSlateStatic();
  const at = useSlateSelector((current) => foundAt(current, found, current.selection));
  useCurrentMark(editor, found[at]);
  return (
    <output className="find-count" aria-live="polite">
      {replaced !== null ? `${replaced} replaced` : countOf(text, found.length, at)}
    </output>
  );
}

function countOf(text: string, count: number, at: number): string {
  if (text === "") return "";
  if (count === 0) return "Not found";
  return at < 0 ? `${count.toLocaleString("en")} found` : `${at + 1} of ${count.toLocaleString("en")}`;
}

/** All that is found, as of the last pause in anybody's typing. */
function useFound(editor: ScriptEditor): readonly Found[] {
  const store = use(InsightContext);
  if (!store) throw new Error("outside of the screenplay editor");
  const { finder } = useSearch(editor);
  const insights = useSyncExternalStore(store.subscribe, store.get);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each look at the script, what is found is looked for anew
  return useMemo(() => finder.all(editor.children), [editor, finder, insights]);
}

/** Marks the one that is selected, past React: for the next one nothing has to be rendered. */
function useCurrentMark(editor: ScriptEditor, current: Found | undefined): void {
  const marked = useRef<Element[]>([]);
  useEffect(() => {
    const mark = () => {
      for (const element of marked.current) element.removeAttribute("data-active");
      marked.current = current ? marksOf(editor, current) : [];
      for (const element of marked.current) element.setAttribute("data-active", "");
    };
    mark();
    // What was looked for only now is not drawn yet.
    const drawn = requestAnimationFrame(mark);
    return () => cancelAnimationFrame(drawn);
  });
  useEffect(
    () => () => {
      for (const element of marked.current) element.removeAttribute("data-active");
    },
    [],
  );
}

function marksOf(editor: ScriptEditor, current: Found): Element[] {
  try {
    const block = ReactEditor.toDOMNode(editor, current.block);
    return [...block.querySelectorAll(`mark.found[data-start="${current.start}"]`)];
  } catch {
    // Not on the page yet, or not as it was a moment ago: the next rendering finds it.
    return [];
  }
}

/** Selects it in the page and shows it there. The focus stays where it is. */
function show(editor: ScriptEditor, found: Found): void {
  Transforms.select(editor, rangeOf(found));
  const scroll = () => {
    try {
      const [block] = Editor.node(editor, found.path);
      ReactEditor.toDOMNode(editor, block).scrollIntoView({ block: "center" });
    } catch {
      // Somebody has just removed it.
    }
  };
  scroll();
  // What lies between gets its real height only when it comes into view, so once is not always enough.
  requestAnimationFrame(() => requestAnimationFrame(scroll));
}

/** One undo takes all of it back, and nothing that was typed before. */
function asOneStep(editor: BoundEditor, edit: () => void): void {
  editor.collab?.stopCapturing();
  if (HistoryEditor.isHistoryEditor(editor)) HistoryEditor.withNewBatch(editor, edit);
  else edit();
  // The edit is in the document at the end of this turn.
  setTimeout(() => editor.collab?.stopCapturing());
}
