// The screenplay editor around a given Slate editor: toolbar, scenes, the page, the line at the foot.
// It knows nothing about collaboration; what has to do with it comes in by slots.
import { type ReactNode, useEffect } from "react";
import { ReactEditor, Slate } from "slate-react";
import type { ScriptEditor } from "../script/slate.ts";
import { Frame, type ScreenplayEditorSlots } from "./frame.tsx";
import { InsightContext, useInsightStore } from "./insights.ts";
import { Outline } from "./outline.tsx";
import { ScriptPage } from "./script-page.tsx";
import { StatusLine } from "./status-line.tsx";
import { Toolbar } from "./toolbar.tsx";

export interface ScreenplayEditorProps {
  editor: ScriptEditor;
  title: string;
  readOnly?: boolean;
  slots?: ScreenplayEditorSlots;
  /** Draws other people's carets around the page. */
  cursors?: (page: ReactNode) => ReactNode;
  /** Whoever has just begun the script goes on writing in it. */
  focused?: boolean;
}

export function ScreenplayEditor(props: ScreenplayEditorProps): ReactNode {
  const { editor, title, readOnly = false, slots = {}, cursors = (page) => page, focused = false } = props;
  const insights = useInsightStore(editor);
  useEffect(() => {
    if (focused) ReactEditor.focus(editor);
  }, [editor, focused]);
  return (
    <Slate editor={editor} initialValue={editor.children} onValueChange={insights.changed}>
      <InsightContext value={insights}>
        <Frame
          title={title}
          slots={slots}
          toolbar={<Toolbar readOnly={readOnly} />}
          scenes={(chosen) => <Outline readOnly={readOnly} onChosen={chosen} />}
          foot={<StatusLine />}
        >
          {cursors(<ScriptPage readOnly={readOnly} />)}
        </Frame>
      </InsightContext>
    </Slate>
  );
}
