// In the history: taking back what somebody wrote since a time. What others wrote meanwhile stays.
import { type ReactNode, useId, useState } from "react";
import type { History, RolledBack, Version } from "slate-yrs";
import type { AuthorOf } from "./authors.ts";

const MINUTE = 60_000;
/** How long ago, as it is said. */
const AGO: [string, number][] = [
  ["5 minutes ago", 5 * MINUTE],
  ["half an hour ago", 30 * MINUTE],
  ["2 hours ago", 120 * MINUTE],
  ["yesterday at this time", 24 * 60 * MINUTE],
  ["a week ago", 7 * 24 * 60 * MINUTE],
];

export function TakeBack(props: {
  history: History;
  versions: readonly Version[];
  authorOf: AuthorOf;
  busy: boolean;
  run: (work: Promise<unknown>, done: () => void) => void;
}): ReactNode {
  const { history, versions, authorOf, busy, run } = props;
  const id = useId();
  const [done, setDone] = useState<string | null>(null);
  const authors = [...new Set(versions.flatMap((version) => version.authors))];
  if (authors.length === 0) return null;
  const takeBack = (form: FormData) => {
    const author = String(form.get("author"));
    setDone(null);
    const work = history.rollback(author, { from: Date.now() - Number(form.get("since")) });
    run(
      work.then((report) => setDone(said(authorOf(author).name, report))),
      () => {},
    );
  };
  return (
    <details className="take-back">
      <summary>Take back what somebody wrote…</summary>
      <form
        aria-labelledby={`${id}-title`}
        onSubmit={(event) => {
          event.preventDefault();
          takeBack(new FormData(event.currentTarget));
        }}
      >
        <p id={`${id}-title`} className="hidden">
          Take back what somebody wrote
        </p>
        <label>
          Take back what
          <select name="author">
            {authors.map((author) => (
              <option key={author} value={author}>
                {authorOf(author).name}
              </option>
            ))}
          </select>
        </label>
        <label>
          wrote since
          <select name="since">
            {AGO.map(([name, ms]) => (
              <option key={name} value={ms}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="primary" disabled={busy}>
          Take it back
        </button>
        <p className="quiet">
          What others wrote meanwhile stays. Everyone sees it, and it is one more step of the history.
        </p>
        <p className="quiet" role="status">
          {done}
        </p>
      </form>
    </details>
  );
}

function said(name: string, { removed, restored }: RolledBack): string {
  if (removed === 0 && restored === 0) return `There is nothing of ${name} in that time.`;
  return `Taken back: ${letters(removed)} of ${name} went, ${letters(restored)} came back.`;
}

const letters = (count: number): string => (count === 1 ? "1 letter" : `${count} letters`);
