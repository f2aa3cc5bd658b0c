// The history of a script: its versions by day, what each changed, naming one, going back to one.
import { type CSSProperties, type ReactNode, useCallback, useEffect, useState } from "react";
import type { Descendant } from "slate";
import { useSlateStatic } from "slate-react";
import type { Collab, History, Version } from "slate-yrs";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { type ComparedScript, VersionPage } from "../components/version-page.tsx";
import { useStatusPart } from "../hooks/use-yjs-collaboration.ts";
import { restoreScene } from "../script/restore.ts";
import { Icon } from "../ui/icons.tsx";
import { type AuthorOf, useAuthors } from "./authors.ts";
import type { Person } from "./person.ts";

const PAGE = 50;

export function HistoryPanel(props: {
  collab: Collab<ScenePresence>;
  person: Person;
  onClose: () => void;
  /** Shows a version in the place of the page; `null`: the page again. */
  onPreview: (page: ReactNode) => void;
}): ReactNode {
  const { collab, person, onClose, onPreview } = props;
  const { history } = collab;
  const authorOf = useAuthors(collab, person);
  const readOnly = useStatusPart(collab, (status) => status.readOnly, false);
  const { versions, more, problem, refresh } = useVersions(history);
  const [chosen, setChosen] = useState<Version | null>(null);
  const [failed, setFailed] = useState<string | null>(null);

  const close = () => {
    onPreview(null);
    onClose();
  };
  const run = (work: Promise<unknown>) => {
    setFailed(null);
    work.then(refresh, (error: Error) => setFailed(error.message));
  };
  usePreview(history, chosen, setFailed, onPreview, authorOf, readOnly);

  return (
    <aside className="panel history" aria-label="History">
      <header>
        <h2>History</h2>
        <button type="button" className="tool small" aria-label="Close the history" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <form
        className="name-version"
        hidden={readOnly}
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const label = String(new FormData(form).get("label") ?? "").trim();
          if (!label) return;
          form.reset();
          run(history.save(label));
        }}
      >
        <input
          name="label"
          placeholder="Name this version"
          aria-label="Name for the version as it is now"
          maxLength={80}
        />
        <button type="submit" className="secondary small">
          Save
        </button>
      </form>
      {(problem ?? failed) && (
        <p className="problem" role="alert">
          {problem ?? failed}
        </p>
      )}
      <div className="versions">
        {byDay(versions).map(([day, list]) => (
          <section key={day}>
            <h3>{day}</h3>
            <ul>
              {list.map((version) => (
                <li key={version.id}>
                  <button
                    type="button"
                    aria-pressed={version.id === chosen?.id}
                    onClick={() => {
                      if (version.id === chosen?.id) onPreview(null);
                      setChosen(version.id === chosen?.id ? null : version);
                    }}
                  >
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
                  {version.id === chosen?.id && !readOnly && (
                    <div className="version-actions">
                      <button
                        type="button"
                        className="primary"
                        onClick={() => {
                          run(history.restore(version.id));
                          setChosen(null);
                          onPreview(null);
                        }}
                      >
                        Go back to this version
                      </button>
                      <p className="quiet">Everyone sees it. What is there now stays in the history.</p>
                    </div>
                  )}
                </li>
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

function useVersions(history: History) {
  const [versions, setVersions] = useState<Version[]>([]);
  const [complete, setComplete] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const load = useCallback(
    async (before?: Version) => {
      try {
        const list = await history.list({ limit: PAGE, ...(before && { before: before.id }) });
        setVersions((known) => (before ? [...known, ...list] : list));
        setComplete(list.length < PAGE);
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

type Style = CSSProperties & { "--author": string };

/** Shows what has changed from the chosen version up to now. */
function usePreview(
  history: History,
  chosen: Version | null,
  onFailed: (message: string | null) => void,
  onPreview: (page: ReactNode) => void,
  authorOf: AuthorOf,
  readOnly: boolean,
): void {
  const editor = useSlateStatic();
  const [loaded, setLoaded] = useState<{ version: Version; value: Descendant[]; compared: Descendant[] } | null>(null);
  useEffect(() => {
    setLoaded(null);
    if (!chosen) return;
    let wanted = true;
    Promise.all([history.value(chosen.id), history.compare(chosen.id, "now")]).then(
      ([value, compared]) => wanted && setLoaded({ version: chosen, value, compared }),
      (error: Error) => wanted && onFailed(error.message),
    );
    return () => {
      wanted = false;
    };
  }, [history, chosen, onFailed]);
  useEffect(() => {
    if (!loaded) return;
    const { version, value, compared } = loaded;
    const restore = (headingId: string) => {
      restoreScene(editor, value, headingId);
      setLoaded(null);
      onPreview(null);
    };
    onPreview(
      <VersionPage
        version={version}
        script={compared as ComparedScript}
        authorOf={authorOf}
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
