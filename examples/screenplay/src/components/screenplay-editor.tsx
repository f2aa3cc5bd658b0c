// The screenplay editor around a given Slate editor: toolbar, scenes, the page, the line at the foot.
// It knows nothing about collaboration; what has to do with it comes in by slots.
import { type ReactNode, useCallback, useState } from "react";
import { Slate } from "slate-react";
import { useRemembered } from "../app/remembered.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { Icon } from "../ui/icons.tsx";
import { InsightContext, useInsightStore } from "./insights.ts";
import { Outline } from "./outline.tsx";
import { ScriptPage } from "./script-page.tsx";
import { StatusLine } from "./status-line.tsx";
import { Toolbar } from "./toolbar.tsx";

export interface ScreenplayEditorSlots {
  /** Above the scenes: the scripts to choose from. */
  scripts?: ReactNode;
  /** In the top bar: whether everything is saved. Shown while the script is being opened too. */
  status?: ReactNode;
  /** At the right end of the top bar: who is here, menus. They may use the editor. */
  menus?: ReactNode;
  /** Beside the page: history, developer tools. */
  panel?: ReactNode;
  /** In the place of the page, which is hidden meanwhile: an earlier version. */
  preview?: ReactNode;
  /** Above the page: what the writer has to know now. */
  notice?: ReactNode;
}

export interface ScreenplayEditorProps {
  editor: ScriptEditor;
  title: string;
  readOnly?: boolean;
  slots?: ScreenplayEditorSlots;
  /** Draws other people's carets around the page. */
  cursors?: (page: ReactNode) => ReactNode;
}

export function ScreenplayEditor(props: ScreenplayEditorProps): ReactNode {
  const { editor, title, readOnly = false, slots = {}, cursors = (page) => page } = props;
  const insights = useInsightStore(editor);
  const [wide, setWide] = useRemembered("sidebar");
  const [drawer, setDrawer] = useState(false);
  const closeDrawer = useCallback(() => setDrawer(false), []);
  const toggle = () => (narrow() ? setDrawer(!drawer) : setWide(wide === "closed" ? null : "closed"));

  return (
    <Slate editor={editor} initialValue={editor.children} onValueChange={insights.changed}>
      <InsightContext value={insights}>
        <div className="workspace" data-sidebar={wide ?? "open"} data-drawer={drawer || undefined}>
          <header className="topbar">
            <button
              type="button"
              className="tool"
              aria-label="Scripts and scenes"
              aria-controls="sidebar"
              onClick={toggle}
            >
              <Icon name="sidebar" />
            </button>
            <h1 className="title">{title}</h1>
            <Toolbar readOnly={readOnly} />
            <div className="topbar-end">
              {slots.status}
              {slots.menus}
            </div>
          </header>
          {drawer && <button type="button" className="scrim" aria-label="Close" onClick={closeDrawer} />}
          <nav id="sidebar" className="sidebar" aria-label="Scripts and scenes">
            {slots.scripts}
            <Outline readOnly={readOnly} onChosen={closeDrawer} />
          </nav>
          <main className="desk" id="desk">
            {slots.notice}
            {slots.preview}
            <div hidden={Boolean(slots.preview)}>{cursors(<ScriptPage readOnly={readOnly} />)}</div>
          </main>
          <div className="panels">{slots.panel}</div>
          <StatusLine />
        </div>
      </InsightContext>
    </Slate>
  );
}

function narrow(): boolean {
  return matchMedia("(max-width: 900px)").matches;
}
