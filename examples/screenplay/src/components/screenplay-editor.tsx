// The screenplay editor around a given Slate editor: toolbar, scenes, the page, the line at the foot.
// It knows nothing about collaboration; what has to do with it comes in by slots.
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { Editor, Transforms } from "slate";
import { ReactEditor, Slate } from "slate-react";
import { writtenIn } from "../app/written.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { isBlock, textOf } from "../script/types.ts";
import { FindBar } from "./find-bar.tsx";
import { Frame, type ScreenplayEditorSlots } from "./frame.tsx";
import { InsightContext, useInsightStore } from "./insights.ts";
import { Outline } from "./outline.tsx";
import { type PageExtras, ScriptPage } from "./script-page.tsx";
import { StatusLine } from "./status-line.tsx";
import { suggesterIn } from "./suggester.ts";
import { Toolbar } from "./toolbar.tsx";

export interface ScreenplayEditorProps {
  editor: ScriptEditor;
  title: string;
  readOnly?: boolean;
  slots?: ScreenplayEditorSlots;
  /** Draws around the page and into it: other people's carets, the words of notes. */
  around?: (page: (extras: PageExtras) => ReactNode) => ReactNode;
  /** Whoever has just begun the script goes on writing in it. */
  focused?: boolean;
}

export function ScreenplayEditor(props: ScreenplayEditorProps): ReactNode {
  const { editor, title, readOnly = false, slots = {}, around = (page) => page({}), focused = false } = props;
  const insights = useInsightStore(editor);
  const changed = useCallback(() => {
    suggesterIn(editor).changed();
    writtenIn(editor).caretMoved();
  }, [editor]);
  const [fresh] = useState(() => !readOnly && isFresh(editor));
  useEffect(() => {
    const elsewhere = document.activeElement !== document.body && document.activeElement !== null;
    if (!focused && (!fresh || elsewhere)) return;
    if (!editor.selection) Transforms.select(editor, Editor.start(editor, []));
    ReactEditor.focus(editor);
  }, [editor, focused, fresh]);
  return (
    <Slate editor={editor} initialValue={editor.children} onChange={changed} onValueChange={insights.changed}>
      <InsightContext value={insights}>
        <Frame
          title={title}
          slots={slots}
          toolbar={<Toolbar readOnly={readOnly} />}
          scenes={(chosen) => <Outline readOnly={readOnly} onChosen={chosen} />}
          foot={<StatusLine />}
        >
          <FindBar readOnly={readOnly} />
          {around((extras) => (
            <ScriptPage readOnly={readOnly} {...extras} />
          ))}
        </Frame>
      </InsightContext>
    </Slate>
  );
}

/** One empty line: whoever opens that has come to write. */
function isFresh({ children }: ScriptEditor): boolean {
  const [first] = children;
  return children.length === 1 && isBlock(first) && textOf(first) === "";
}
