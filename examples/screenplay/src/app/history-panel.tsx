// The history of a script: its versions by day, what each changed, naming one, going back to one.
import { type CSSProperties, type ReactNode, useCallback, useEffect, useState } from "react";
import type { Descendant } from "slate";
import type { Collab, History, Version } from "slate-yrs";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { type ComparedScript, VersionPage } from "../components/version-page.tsx";
import { useReadOnly } from "../hooks/use-read-only.ts";
import { scenesOf } from "../script/outline.ts";
import { restoreScene } from "../script/restore.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { type AuthorOf, useAuthors } from "./authors.ts";
import { PanelHead, Problem } from "./panel-parts.tsx";
import type { Person } from "./person.ts";
import { TakeBack } from "./take-back.tsx";
import { type SaidChange, saidChanges } from "./value-changes.ts";
import { useWritten, writtenIn } from "./written.ts";

const PAGE = 50;

export function HistoryPanel(props: {
  collab: Collab<ScenePresence>;
  editor: ScriptEditor;
  person: Person;
  /** Names the script in this browser. */
  readOnlyKey: string;
  onClose: () => void;
  /** Shows a version in the place of the page; `null`: the page again. */
  onPreview: (page: ReactNode) => void;
}): ReactNode {
  const { collab, editor, person, onClose, onPreview } = props;
  const { history } = collab;
  const authorOf = useAuthors(collab, person);
  const readOnly = useReadOnly(collab, props.readOnlyKey);
  const { versions, more, problem, refresh } = useVersions(history);
  const [chosen, setChosen] = useState<Version | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const written = useWritten(editor);

  const close = () => {
    onPreview(null);
    onClose();
  };
  /** What the server does not do, or cannot be asked for now, is said; and what was wanted stays to be tried again. */
  const run = (work: Promise<unknown>, done: () => void) => {
    setFailed(null);
    setBusy(true);
    work
      .then(
        () => {
          done();
          refresh();
        },
        (error: Error) => setFailed(`${capital(error.message)}.`),
      )
      .finally(() => setBusy(false));
  };
  const restore = (version: Version) =>
    run(history.restore(version.id), () => {
      setChosen(null);
      onPreview(null);
    });
  usePreview({ history, editor, chosen, onFailed: setFailed, onPreview, authorOf, readOnly });

  return (
    <aside className="panel history" aria-label="History">
      <PanelHead title="History" closes="the history" onClose={close} />
      <form
        className="name-version"
        hidden={readOnly}
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const label = String(new FormData(form).get("label") ?? "").trim();
          if (!label) return;
          run(history.save(label), () => form.reset());
        }}
      >
        <input
          name="label"
          placeholder="Name this version"
          aria-label="Name for the version as it is now"
          maxLength={80}
        />
        <button type="submit" className="secondary small" disabled={busy}>
          Save
        </button>
      </form>
      <Problem>{failed ?? problem}</Problem>
      <button
        type="button"
        className="secondary small who-wrote"
        aria-pressed={written.on}
        onClick={() => {
          onPreview(null);
          setChosen(null);
          if (written.on) writtenIn(editor).hide();
          else writtenIn(editor).show(collab);
        }}
      >
        Who wrote this
      </button>
      {!readOnly && <TakeBack history={history} versions={versions} authorOf={authorOf} busy={busy} run={run} />}
      <div className="versions">
        {byDay(versions).map(([day, list]) => (
          <section key={day}>
            <h3>{day}</h3>
            <ul>
              {list.map((version) => (
                <VersionItem
                  key={version.id}
                  version={version}
                  chosen={version.id === chosen?.id}
                  authorOf={authorOf}
                  onChoose={() => {
                    if (version.id === chosen?.id) onPreview(null);
                    setChosen(version.id === chosen?.id ? null : version);
                  }}
                  busy={busy}
                  {...(!readOnly && { onRestore: () => restore(version) })}
                />
              ))}
            </ul>
          </section>
        ))}
        {versions.length === 0 && !problem && <p className="quiet">Nothing has been written yet.</p>}
        {more && (
          <button type="button" className="secondary" onClick={more}>
            Earlier versions
          </button>
        )}
      </div>
    </aside>
  );
}

function VersionItem(props: {
  version: Version;
  chosen: boolean;
  authorOf: AuthorOf;
  busy: boolean;
  onChoose: () => void;
  /** Without it the version can only be looked at. */
  onRestore?: () => void;
}): ReactNode {
  const { version, chosen, authorOf, busy, onChoose, onRestore } = props;
  return (
    <li>
      <button type="button" aria-pressed={chosen} onClick={onChoose}>
        <span className="name">{version.label ?? timeOf(version)}</span>
        {version.label && <span className="quiet">{timeOf(version)}</span>}
        <span className="authors">
          {version.authors.map((author) => (
            <span key={author} className="author" style={{ "--author": authorOf(author).color } as Style}>
              {authorOf(author).name}
            </span>
          ))}
        </span>
      </button>
      {chosen && onRestore && (
        <div className="version-actions">
          <button type="button" className="primary" disabled={busy} onClick={onRestore}>
            Go back to this version
          </button>
          <p className="quiet">Everyone sees it. What is there now stays in the history.</p>
        </div>
      )}
    </li>
  );
}

function useVersions(history: History) {
  const [versions, setVersions] = useState<Version[]>([]);
  const [complete, setComplete] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const load = useCallback(
    async (before?: Version) => {
      try {
        const list = await history.list({ limit: PAGE, ...(before && { before: before.id }) });
        setVersions((known) => merged(known, list));
        // The oldest has come when a page is not full; the newest ones alone do not say.
        if (before || list.length < PAGE) setComplete(list.length < PAGE);
        setProblem(null);
      } catch {
        setProblem("The history is on the server, which cannot be reached now.");
      }
    },
    [history],
  );
  useEffect(() => void load(), [load]);
  const last = versions.at(-1);
  return { versions, problem, refresh: () => void load(), more: complete || !last ? null : () => void load(last) };
}

/** The newest first; each once, as it was heard of last. */
function merged(known: readonly Version[], list: readonly Version[]): Version[] {
  const fresh = new Set(list.map(({ id }) => id));
  const others = known.filter(({ id }) => !fresh.has(id));
  return [...list, ...others].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

type Style = CSSProperties & { "--author": string };

interface Loaded {
  version: Version;
  value: Descendant[];
  compared: Descendant[];
  beside: SaidChange[];
}

/** Shows what has changed from the chosen version up to now. */
function usePreview(of: {
  history: History;
  editor: ScriptEditor;
  chosen: Version | null;
  onFailed: (message: string | null) => void;
  onPreview: (page: ReactNode) => void;
  authorOf: AuthorOf;
  readOnly: boolean;
}): void {
  const { history, editor, chosen, onFailed, onPreview, authorOf, readOnly } = of;
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  useEffect(() => {
    setLoaded(null);
    if (!chosen) return;
    let wanted = true;
    Promise.all([
      history.value(chosen.id),
      history.compare(chosen.id, "now"),
      history.compareValues(chosen.id, "now"),
    ]).then(
      ([value, compared, values]) =>
        wanted && setLoaded({ version: chosen, value, compared, beside: saidChanges(values) }),
      (error: Error) => wanted && onFailed(`${capital(error.message)}.`),
    );
    return () => {
      wanted = false;
    };
  }, [history, chosen, onFailed]);
  useEffect(() => {
    if (!loaded) return;
    const { version, value, compared, beside } = loaded;
    const restore = (headingId: string) => {
      restoreScene(editor, value, headingId);
      setLoaded(null);
      onPreview(null);
    };
    onPreview(
      <VersionPage
        version={version}
        script={compared as ComparedScript}
        beside={beside}
        authorOf={authorOf}
        scenes={new Set(scenesOf(value).map(({ id }) => id))}
        {...(!readOnly && { onRestoreScene: restore })}
      />,
    );
  }, [loaded, editor, onPreview, authorOf, readOnly]);
}

function byDay(versions: readonly Version[]): [string, Version[]][] {
  const days = new Map<string, Version[]>();
  for (const version of versions) {
    const day = new Date(version.at).toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
    days.set(day, [...(days.get(day) ?? []), version]);
  }
  return [...days];
}

function timeOf(version: Version): string {
  return new Date(version.at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}
