// The list of suggestions under the line. The focus stays in the page, which says by `aria-activedescendant` which one is
// chosen.
import { type ReactNode, useEffect, useId, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { Editor, Path } from "slate";
import { ReactEditor, useSlateStatic } from "slate-react";
import type { ScriptEditor } from "../script/slate.ts";
import { suggesterIn } from "./suggester.ts";

export function SuggestionList(): ReactNode {
  const editor = useSlateStatic();
  const suggester = suggesterIn(editor);
  const suggesting = useSyncExternalStore(suggester.subscribe, suggester.get);
  const place = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  useTyping(editor);
  const items = suggesting?.items;
  const active = suggesting?.active ?? -1;
  useLayoutEffect(() => {
    if (items && place.current && list.current) putUnder(editor, place.current, list.current);
  }, [editor, items]);
  useLayoutEffect(() => {
    const page = pageOf(editor);
    if (!page) return;
    // Past React: the page is not rendered for a list that opens.
    page.setAttribute("aria-autocomplete", "list");
    describe(page, "aria-controls", items ? id : null);
    describe(page, "aria-activedescendant", active >= 0 ? `${id}-${active}` : null);
  });
  return (
    <div className="suggestions" ref={place}>
      {items && (
        <div ref={list} className="listbox" id={id} role="listbox" aria-label="Suggestions">
          {items.map(({ label }, index) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the page
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are pressed in the page
            <div
              key={label}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              data-tab={index === Math.max(0, active) || undefined}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => suggester.take(index)}
            >
              {label}
            </div>
          ))}
        </div>
      )}
      <p className="hidden" role="status">
        {items && `${items.length === 1 ? "One suggestion" : `${items.length} suggestions`}: ${items[0]?.label}`}
      </p>
    </div>
  );
}

const OWN = /^(?:insert(?:Text|CompositionText|ReplacementText)|deleteContentBackward)$/;

/** Tells the suggester of what is typed, and when the page is left. */
function useTyping(editor: ScriptEditor): void {
  useEffect(() => {
    const suggester = suggesterIn(editor);
    const inPage = ({ target }: Event) => target instanceof HTMLElement && target.dataset.slateEditor !== undefined;
    const typed = (event: InputEvent) => {
      if (inPage(event) && OWN.test(event.inputType)) suggester.typed();
    };
    const left = (event: FocusEvent) => {
      if (inPage(event)) suggester.close();
    };
    // Before Slate acts on it.
    document.addEventListener("beforeinput", typed, true);
    document.addEventListener("focusout", left);
    return () => {
      document.removeEventListener("beforeinput", typed, true);
      document.removeEventListener("focusout", left);
    };
  }, [editor]);
}

function pageOf(editor: ScriptEditor): HTMLElement | null {
  try {
    return ReactEditor.toDOMNode(editor, editor);
  } catch {
    return null;
  }
}

function describe(element: HTMLElement, name: string, value: string | null): void {
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/** Under the first letter of the line, or above it where there is no room. */
function putUnder(editor: ScriptEditor, place: HTMLElement, list: HTMLElement): void {
  const path = editor.selection && Path.parent(editor.selection.anchor.path);
  if (!path) return;
  try {
    const start = ReactEditor.toDOMRange(editor, Editor.range(editor, path)).getBoundingClientRect();
    const from = place.getBoundingClientRect();
    const desk = place.closest(".desk")?.getBoundingClientRect();
    const above = desk !== undefined && start.bottom + list.offsetHeight + 8 > desk.bottom;
    list.style.top = `${(above ? start.top - list.offsetHeight - 6 : start.bottom + 6) - from.top}px`;
    list.style.left = `${Math.max(0, Math.min(start.left - 10 - from.left, from.width - list.offsetWidth))}px`;
  } catch {
    // The line is not drawn yet: the next letter finds it.
  }
}
