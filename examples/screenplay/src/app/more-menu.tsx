// The menu for what is not needed every minute: files, printing, history, the look of the page.
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Collab, Presence } from "slate-yrs";
import { searchIn } from "../components/searching.ts";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { areScenesLocked } from "../script/locking.ts";
import type { Script } from "../script/types.ts";
import { Icon } from "../ui/icons.tsx";
import { Popover } from "../ui/popover.tsx";
import { go } from "./address.ts";
import { ACCEPTED, readScript, saveFdx, saveFountain, whatWasLeftOut } from "./files.ts";
import { dropReport, plant, reportLater, reportOf } from "./imports.ts";
import { notesOf, signature, withOpenNotes } from "./noted.ts";
import { useRemembered } from "./remembered.ts";
import { useRevisions } from "./revisions.tsx";
import { savePdf } from "./save-pdf.ts";
import { addScene } from "./scenes.ts";
import { ShortcutList } from "./shortcut-list.tsx";
import { useTheme } from "./theme.ts";
import { useTitle, useTitlePage } from "./title-page.tsx";

export function MoreMenu<P extends Presence>(props: {
  collab: Collab<P> | null;
  /** The id of the open script. */
  scene: string;
  title: string;
  /** `null` while there is no script to save. */
  editor: BoundEditor | null;
  shared: boolean;
  readOnly: boolean;
  onHistory: (() => void) | undefined;
  /** Without it the script has the name that it has. */
  onRename: (() => void) | undefined;
  onTitlePage: (() => void) | undefined;
  onRevisions: (() => void) | undefined;
}): ReactNode {
  const { collab, scene, editor, shared, readOnly, onHistory, onRename, onTitlePage, onRevisions } = props;
  const title = useTitle(collab, editor, props.title);
  const titlePage = useTitlePage(collab, editor);
  const { sets } = useRevisions(collab, editor);
  const file = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  // The script that was read is open by now.
  useEffect(() => {
    const report = reportOf(scene);
    if (report !== null) setProblem(report);
  }, [scene]);
  const [dark, setDark] = useTheme();
  const [spelling, setSpelling] = useRemembered("spelling");
  const [numbers, setNumbers] = useRemembered("numbers");
  const [continued, setContinued] = useRemembered("continued");
  const [shortcuts, setShortcuts] = useState(false);

  const dismiss = () => {
    dropReport(scene);
    setProblem(null);
  };

  const open = async (chosen: File | undefined) => {
    if (!chosen) return;
    try {
      const read = await readScript(chosen);
      setProblem(null);
      const id = addScene(read.title ?? "Imported script");
      const report = whatWasLeftOut(read.leftOut);
      if (report !== null) reportLater(id, report);
      await plant(id, read.script, shared, signature(notesOf(editor)));
      go({ scene: id });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  const pdf = async (from: BoundEditor) => {
    try {
      setProblem(await savePdf(title, from.children, titlePage, sets));
    } catch (error) {
      setProblem(`The PDF could not be made: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  return (
    <>
      <Popover label="More" button={<Icon name="more" />}>
        {(close) => {
          // Those of its own a script shows in any case.
          const locked = editor !== null && areScenesLocked(editor.children as Script);
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
              {editor && item("Save as Fountain", () => saveFountain(title, withOpenNotes(editor), titlePage))}
              {editor &&
                item("Save as Final Draft (FDX)", () => saveFdx(title, withOpenNotes(editor), titlePage, sets))}
              {editor && item("Save as PDF", () => void pdf(editor))}
              {editor && item("Print…", () => window.print())}
              <hr />
              {editor && item("Find…", () => searchIn(editor).open("find"))}
              {editor && !readOnly && item("Find and replace…", () => searchIn(editor).open("replace"))}
              {onHistory && item("History", onHistory)}
              {onTitlePage && item("Title page…", onTitlePage)}
              {onRevisions && item("Revisions and locked pages…", onRevisions)}
              {onRename && item("Rename the script…", onRename)}
              {item("Keyboard shortcuts", () => setShortcuts(true))}
              {item(spelling ? "Do not check spelling" : "Check spelling", () => setSpelling(spelling ? null : "on"))}
              {!locked &&
                item(numbers ? "Hide scene numbers" : "Show scene numbers", () => setNumbers(numbers ? null : "on"))}

              {item(continued ? "Show (CONT’D)" : "Hide (CONT’D)", () => setContinued(continued ? null : "off"))}
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
          <button type="button" className="tool small" aria-label="Close" onClick={dismiss}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </>
  );
}
