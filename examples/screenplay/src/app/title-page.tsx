// The title page: values beside the text, which everybody sees and no line of the script takes along when it is deleted.
// Scripts of files, and those of earlier versions, have it on their first line. There it is read until somebody edits
// the script; then it is brought here.
import { type ReactNode, useMemo, useState } from "react";
import type { Collab, Presence, SharedMap } from "slate-yrs";
import { useSharedMap, useStatus } from "slate-yrs/react";
import { MarkedText } from "../components/marked.tsx";
import { PrintView } from "../components/print-view.tsx";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { readEmphasis } from "../script/formats/emphasis.ts";
import { entryOf, nameOf, titled, titleOf, titlePageOf } from "../script/formats/title-page.ts";
import { FOOT_RIGHT, MIDDLE } from "../script/sheets.ts";
import type { Script, TitlePage } from "../script/types.ts";
import { useFromScript, useMove } from "./from-script.ts";
import { PanelHead, Problem } from "./panel-parts.tsx";
import { SETTINGS, TITLE } from "./rename.tsx";
import { useRevisions } from "./revisions.tsx";

const MAP = "title";
/** What a title page usually has, in its order. */
const USUAL: readonly string[] = ["Title", "Credit", "Author", "Source", "Draft date", "Contact"];
const LONGEST = 2_000;

/** One entry. `at`: its place among the others. */
interface Field {
  name: string;
  text: string;
  at: number;
}

const isField = (value: unknown): value is Field =>
  typeof value === "object" &&
  value !== null &&
  "name" in value &&
  typeof value.name === "string" &&
  "text" in value &&
  typeof value.text === "string" &&
  "at" in value &&
  typeof value.at === "number";

/** The entries of the map by their places; what is no entry is passed over. */
export function entriesOf(values: ReadonlyMap<string, unknown>): TitlePage {
  const fields = [...values].filter((entry): entry is [string, Field] => isField(entry[1]));
  fields.sort(([keyA, a], [keyB, b]) => a.at - b.at || (keyA < keyB ? -1 : 1));
  return fields.map(([, { name, text }]): [string, string] => [name, text]);
}

/** The same for all who bring the same there: two of a name get keys of their own. */
export function fieldsOf(entries: readonly TitlePage[number][]): [key: string, Field][] {
  const seen = new Map<string, number>();
  return entries.map(([name, text], at) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return [count === 1 ? name : `${name} ${count}`, { name, text, at }];
  });
}

/** What stands on the title page of a document now. */
export function titlePageIn<P extends Presence>(collab: Collab<P>): TitlePage {
  const values = collab.map(MAP).entries();
  return values.size > 0 ? entriesOf(values) : titlePageOf(collab.value() as Script);
}

/** The title page of a script, with the name that somebody gave the script. Empty: it has none. */
export function useTitlePage<P extends Presence>(collab: Collab<P> | null, editor: BoundEditor | null): TitlePage {
  const name = useSharedMap<string, P>(collab, SETTINGS).get(TITLE);
  const values = useSharedMap<unknown, P>(collab, MAP).entries();
  const first = useFromScript(editor, values.size === 0, titlePageOf);
  return useMemo(() => {
    const entries: TitlePage = values.size > 0 ? entriesOf(values) : [...first];
    const written = entries.filter(([, text]) => text.trim() !== "");
    return written.length === 0 ? [] : titled(written, name);
  }, [values, first, name]);
}

/** The name that somebody gave the script, else what its title page says, else `title`. */
export function useTitle<P extends Presence>(
  collab: Collab<P> | null,
  editor: BoundEditor | null,
  title: string,
): string {
  const name = useSharedMap<string, P>(collab, SETTINGS).get(TITLE);
  const written = titleOf(useTitlePage(collab, editor));
  return name ?? (written || title);
}

/** Brings the title page from the script's lines to the map when this writer first edits the script, past undo. */
export function useTitleMove<P extends Presence>(collab: Collab<P> | null, editor: BoundEditor | null): void {
  const map = useSharedMap<unknown, P>(collab, MAP);
  useMove(collab, editor, map.entries().size > 0, titlePageOf, bring);
}

function bring<P extends Presence>(collab: Collab<P>, entries: readonly TitlePage[number][]): void {
  const { connection, readOnly } = collab.status;
  const map = collab.map<Field>(MAP);
  if (connection === "closed" || readOnly || map.entries().size > 0) return;
  for (const [key, field] of fieldsOf(entries)) map.set(key, field as never, { undo: false });
}

/** What the page begins with, on the screen and on paper. */
export function Front<P extends Presence>(props: {
  collab: Collab<P> | null;
  editor: BoundEditor;
  onEdit: () => void;
}): ReactNode {
  const { collab, editor, onEdit } = props;
  const entries = useTitlePage(collab, editor);
  useTitleMove(collab, editor);
  const { sets } = useRevisions(collab, editor);
  return (
    <>
      <TitleCard entries={entries} onEdit={collab ? onEdit : undefined} />
      <PrintView editor={editor} titlePage={entries} revisions={sets} />
    </>
  );
}

/** Nothing where there is no title page. */
function TitleCard({ entries, onEdit }: { entries: TitlePage; onEdit: (() => void) | undefined }): ReactNode {
  if (entries.length === 0) return null;
  const placed = new Set([...MIDDLE, "authors", ...FOOT_RIGHT]);
  const left = entries.filter(([name]) => !placed.has(nameOf(name))).map(([, text]) => text);
  const right = FOOT_RIGHT.flatMap((name) => entryOf(entries, name) ?? []);
  return (
    <section className="title-card" aria-label="Title page">
      {MIDDLE.map((name) => {
        const text = entryOf(entries, name);
        return text && <Emphasised key={name} className={`${name}-entry`} text={text} />;
      })}
      {(left.length > 0 || right.length > 0) && (
        <div className="foot">
          <Emphasised text={left.join("\n")} />
          <Emphasised text={right.join("\n")} />
        </div>
      )}
      {onEdit && (
        <button type="button" className="secondary small" onClick={onEdit}>
          Edit the title page
        </button>
      )}
    </section>
  );
}

function Emphasised({ text, className }: { text: string; className?: string }): ReactNode {
  return (
    <p className={className}>
      <MarkedText pieces={readEmphasis(text)} />
    </p>
  );
}

/** Beside the page: what stands on the title page, each entry kept when it is left. */
export function TitlePagePanel<P extends Presence>(props: {
  collab: Collab<P>;
  editor: BoundEditor;
  title: string;
  onClose: () => void;
}): ReactNode {
  const { collab, editor, onClose } = props;
  const title = useTitle(collab, editor, props.title);
  const entries = useTitlePage(collab, editor);
  const { readOnly } = useStatus(collab, ({ readOnly }) => ({ readOnly }));
  const map = useSharedMap<Field, P>(collab, MAP);
  const settings = useSharedMap<string, P>(collab, SETTINGS);
  const [problem, setProblem] = useState<string | null>(null);
  const others = entries.filter(([name]) => !USUAL.some((usual) => nameOf(usual) === nameOf(name)));
  const keep = (name: string, text: string) => {
    try {
      bring(collab, entries.length > 0 ? entries : [["Title", title]]);
      const plain = nameOf(name) === "title" ? titleOf([["Title", text]]) : null;
      // The name of the script is what undo takes back: the title page follows it.
      if (plain) settings.set(TITLE, plain);
      put(map, name, text, plain === null);
      setProblem(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const field = (name: string) => (
    <Entry
      key={name}
      name={name}
      text={entryOf(entries, nameOf(name)) ?? (name === "Title" ? title : "")}
      readOnly={readOnly}
      onKeep={(text) => keep(name, text)}
    />
  );
  return (
    <aside className="panel title-page" aria-label="Title page">
      <PanelHead title="Title page" closes="the title page" onClose={onClose} />
      <div className="entries">
        {USUAL.map(field)}
        {[...new Set(others.map(([name]) => name))].map(field)}
      </div>
      <Problem>{problem}</Problem>
    </aside>
  );
}

/** Sets the first entry of a name; others of that name are in its text now. */
function put(map: SharedMap<Field>, name: string, text: string, undo: boolean): void {
  const same = (field: Field) =>
    isField(field) && (nameOf(field.name) === nameOf(name) || bothAuthors(field.name, name));
  const [first, ...more] = [...map.entries()].filter(([, field]) => same(field)).sort(([, a], [, b]) => a.at - b.at);
  const usual = USUAL.indexOf(name);
  const last = Math.max(-1, ...[...map.entries().values()].filter(isField).map(({ at }) => at));
  const [key, field] = first ?? [name, { name, text, at: usual < 0 ? last + 1 : between(map, usual, last) }];
  if (field.text !== text || !first) map.set(key, { ...field, text }, { undo });
  for (const [extra] of more) map.delete(extra);
}

const bothAuthors = (a: string, b: string): boolean => /^authors?$/.test(nameOf(a)) && /^authors?$/.test(nameOf(b));

/** A place after those usual entries that come before it, and before those that come after. */
function between(map: SharedMap<Field>, usual: number, last: number): number {
  const fields = [...map.entries().values()].filter(isField);
  const rank = ({ name }: Field) => USUAL.findIndex((known) => nameOf(known) === nameOf(name));
  const before = fields.filter((field) => rank(field) >= 0 && rank(field) < usual).map(({ at }) => at);
  const after = fields.filter((field) => rank(field) > usual).map(({ at }) => at);
  if (after.length === 0) return last + 1;
  const low = before.length > 0 ? Math.max(...before) : Math.min(...after) - 2;
  return (low + Math.min(...after)) / 2;
}

function Entry(props: { name: string; text: string; readOnly: boolean; onKeep: (text: string) => void }): ReactNode {
  const { name, text, readOnly, onKeep } = props;
  /** What is being written, until it is left: what others write then waits. */
  const [draft, setDraft] = useState<string | null>(null);
  const leave = () => {
    if (draft !== null && draft.trim() !== text.trim()) onKeep(draft.trim());
    setDraft(null);
  };
  const shown = draft ?? text;
  return (
    <label>
      {name}
      <textarea
        rows={Math.min(8, shown.split("\n").length)}
        value={shown}
        maxLength={LONGEST}
        readOnly={readOnly}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={leave}
      />
    </label>
  );
}
