// The menu for what is not needed every minute: files, printing, history, the look of the page.
import { type ReactNode, useRef, useState } from "react";
import { useSlateStatic } from "slate-react";
import { Icon } from "../ui/icons.tsx";
import { Popover } from "../ui/popover.tsx";
import { go } from "./address.ts";
import { ACCEPTED, readScript, saveFdx, saveFountain } from "./files.ts";
import { addScene } from "./scenes.ts";
import { ShortcutList } from "./shortcut-list.tsx";
import { useTheme } from "./theme.ts";

export function MoreMenu({ title, onHistory }: { title: string; onHistory: (() => void) | undefined }): ReactNode {
  const editor = useSlateStatic();
  const file = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [dark, setDark] = useTheme();
  const [shortcuts, setShortcuts] = useState(false);

  const open = async (chosen: File | undefined) => {
    if (!chosen) return;
    try {
      const read = await readScript(chosen);
      setProblem(null);
      go({ scene: addScene(read.title ?? "Imported script", read.script) });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  return (
    <>
      <Popover label="More" button={<Icon name="more" />}>
        {(close) => {
          const item = (label: string, run: () => void) => (
            <button
              type="button"
              onClick={() => {
                close();
                run();
              }}
            >
              {label}
            </button>
          );
          return (
            <div className="menu">
              {item("Open a Fountain or FDX file…", () => file.current?.click())}
              {item("Save as Fountain", () => saveFountain(title, editor.children))}
              {item("Save as Final Draft (FDX)", () => saveFdx(title, editor.children))}
              {item("Print…", () => window.print())}
              <hr />
              {onHistory && item("History", onHistory)}
              {item("Keyboard shortcuts", () => setShortcuts(true))}
              {item(dark ? "Light page" : "Dark page", () => setDark(!dark))}
            </div>
          );
        }}
      </Popover>
      <input
        ref={file}
        type="file"
        hidden
        accept={ACCEPTED}
        aria-label="Script file"
        onChange={(event) => {
          void open(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {shortcuts && <ShortcutList onClose={() => setShortcuts(false)} />}
      {problem && (
        <div className="toast" role="alert">
          {problem}
          <button type="button" className="tool small" aria-label="Close" onClick={() => setProblem(null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </>
  );
}
