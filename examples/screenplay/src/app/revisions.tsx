// Revisions and locked pages. The sets are values beside the text; what belongs to them, and where locked pages begin,
// is in the text itself.
import { type ReactNode, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Collab, Presence } from "slate-yrs";
import { useSharedMap, useStatus } from "slate-yrs/react";
import { follow } from "../hooks/followed.ts";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { revisionsIn } from "../script/formats/fdx-revisions.ts";
import {
  arePagesLocked,
  areScenesLocked,
  lockPages,
  lockScenes,
  unlockPages,
  unlockScenes,
} from "../script/locking.ts";
import { reviseIn } from "../script/revising.ts";
import { keyOf, nextSet, openSet, PAPERS, setsOf } from "../script/revisions.ts";
import { REVISION_COLORS, type RevisionColor, type RevisionSet, type Script } from "../script/types.ts";
import { useFromScript, useMove } from "./from-script.ts";
import { PanelHead, Problem } from "./panel-parts.tsx";
import { useRemembered } from "./remembered.ts";

const MAP = "revisions";

/** The revision sets of a script, the oldest first, and the one that what is written now belongs to. */
export function useRevisions<P extends Presence>(
  collab: Collab<P> | null,
  editor: BoundEditor | null,
): { sets: readonly RevisionSet[]; open: RevisionSet | null } {
  const values = useSharedMap<unknown, P>(collab, MAP).entries();
  const first = useFromScript(editor, values.size === 0, revisionsIn);
  return useMemo(() => {
    const sets = values.size > 0 ? setsOf(values) : first;
    return { sets, open: openSet(sets) };
  }, [values, first]);
}

/** What this writer writes belongs to the open set. */
export function useRevising<P extends Presence>(collab: Collab<P> | null, editor: BoundEditor | null): void {
  const { open } = useRevisions(collab, editor);
  const values = useSharedMap<unknown, P>(collab, MAP).entries();
  useMove(collab, editor, values.size > 0, revisionsIn, bring);
  const id = open?.id ?? null;
  useEffect(() => {
    if (editor) reviseIn(editor, id);
  }, [editor, id]);
}

function bring<P extends Presence>(collab: Collab<P>, sets: readonly RevisionSet[]): void {
  const { connection, readOnly } = collab.status;
  const map = collab.map<RevisionSet>(MAP);
  if (connection === "closed" || readOnly || map.entries().size > 0) return;
  for (const set of sets) map.set(keyOf(set), set as never, { undo: false });
}

/** Whether something is so of the script as it is now. */
function useOfScript(editor: BoundEditor, look: (script: Script) => boolean): boolean {
  const subscribe = useCallback((changed: () => void) => follow(editor, changed), [editor]);
  const now = () => look(editor.children as Script);
  return useSyncExternalStore(subscribe, now, now);
}

export function RevisionsPanel<P extends Presence>(props: {
  collab: Collab<P>;
  editor: BoundEditor;
  onClose: () => void;
}): ReactNode {
  const { collab, editor, onClose } = props;
  const { sets, open } = useRevisions(collab, editor);
  const { readOnly } = useStatus(collab, ({ readOnly }) => ({ readOnly }));
  const map = useSharedMap<RevisionSet, P>(collab, MAP);
  const [marks, setMarks] = useRemembered("marks");
  const [problem, setProblem] = useState<string | null>(null);
  const put = (set: RevisionSet) => {
    try {
      bring(collab, sets);
      map.set(keyOf(set), set);
      setProblem(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <aside className="panel revisions" aria-label="Revisions">
      <PanelHead title="Revisions" closes="the revisions" onClose={onClose} />
      <div className="parts">
        <Locks collab={collab} editor={editor} readOnly={readOnly} />
        <section aria-labelledby="sets-title">
          <h3 id="sets-title">Sets</h3>
          <p className="quiet">
            {open ? `What anybody writes now is marked: ${open.name}` : "What is written now is marked as no revision."}
          </p>
          {sets.toReversed().map((set) => (
            <SetFields key={set.id} set={set} last={set === sets.at(-1)} readOnly={readOnly} onChange={put} />
          ))}
          {!readOnly && (
            <button type="button" className="secondary" onClick={() => put(nextSet(sets, new Date()))}>
              Begin the next revision
            </button>
          )}
          {sets.length > 1 && (
            <label className="check">
              <input
                type="checkbox"
                checked={marks === "all"}
                onChange={(event) => setMarks(event.target.checked ? "all" : null)}
              />
              Mark the lines of all sets, here and on paper
            </label>
          )}
        </section>
      </div>
      <Problem>{problem}</Problem>
    </aside>
  );
}

function Locks<P extends Presence>(props: { collab: Collab<P>; editor: BoundEditor; readOnly: boolean }): ReactNode {
  const { collab, editor, readOnly } = props;
  const pages = useOfScript(editor, arePagesLocked);
  const scenes = useOfScript(editor, areScenesLocked);
  const button = (label: string, run: (editor: BoundEditor) => void) => (
    <button
      type="button"
      className="secondary"
      onClick={() => {
        // One step of undo by itself.
        collab.stopCapturing();
        run(editor);
        collab.stopCapturing();
      }}
    >
      {label}
    </button>
  );
  return (
    <>
      <section aria-labelledby="locked-pages-title">
        <h3 id="locked-pages-title">Pages</h3>
        <p className="quiet">
          {pages
            ? "Locked: each page keeps its number. What does not fit goes on to a page 12A."
            : "Not locked: pages are counted from the first."}
        </p>
        {!readOnly && button(pages ? "Lock the new ones too" : "Lock the pages", lockPages)}
        {!readOnly && pages && button("Unlock the pages", unlockPages)}
      </section>
      <section aria-labelledby="locked-scenes-title">
        <h3 id="locked-scenes-title">Scene numbers</h3>
        <p className="quiet">
          {scenes ? "Locked: a scene that comes between two is 12A." : "Not locked: scenes are counted from the first."}
        </p>
        {!readOnly && button(scenes ? "Lock the new scenes too" : "Lock the scene numbers", lockScenes)}
        {!readOnly && scenes && button("Unlock the scene numbers", unlockScenes)}
      </section>
    </>
  );
}

function SetFields(props: {
  set: RevisionSet;
  /** What is written now may belong to it. */
  last: boolean;
  readOnly: boolean;
  onChange: (set: RevisionSet) => void;
}): ReactNode {
  const { set, last, readOnly, onChange } = props;
  return (
    <fieldset className="revision-set" disabled={readOnly} style={{ borderLeftColor: PAPERS[set.color].mark }}>
      <legend>{set.name}</legend>
      <Field label="Name" value={set.name} onKeep={(name) => onChange({ ...set, name })} />
      <Field label="Date" value={set.date} onKeep={(date) => onChange({ ...set, date })} />
      <Field label="Mark" value={set.mark} longest={3} onKeep={(mark) => onChange({ ...set, mark: mark || "*" })} />
      <label>
        Colour
        <select
          value={set.color}
          onChange={(event) => onChange({ ...set, color: event.target.value as RevisionColor })}
        >
          {REVISION_COLORS.map((color) => (
            <option key={color} value={color}>
              {color.charAt(0).toUpperCase() + color.slice(1)}
            </option>
          ))}
        </select>
      </label>
      {last && (
        <label className="check">
          <input
            type="checkbox"
            checked={set.open}
            onChange={(event) => onChange({ ...set, open: event.target.checked })}
          />
          Mark what is written
        </label>
      )}
    </fieldset>
  );
}

/** Kept when it is left; what others write meanwhile waits. */
function Field(props: { label: string; value: string; longest?: number; onKeep: (value: string) => void }): ReactNode {
  const { label, value, longest = 60, onKeep } = props;
  const [draft, setDraft] = useState<string | null>(null);
  const leave = () => {
    if (draft !== null && draft.trim() !== value) onKeep(draft.trim());
    setDraft(null);
  };
  return (
    <label>
      {label}
      <input
        value={draft ?? value}
        maxLength={longest}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={leave}
        onKeyDown={(event) => event.key === "Enter" && leave()}
      />
    </label>
  );
}
