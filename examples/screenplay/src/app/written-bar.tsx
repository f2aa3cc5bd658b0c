// Over the page, while it shows who wrote what: whose colour is which, and who wrote the words at the caret.
import { type CSSProperties, type ReactNode, useEffect, useSyncExternalStore } from "react";
import type { Collab } from "slate-yrs";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { Icon } from "../ui/icons.tsx";
import { useAuthors } from "./authors.ts";
import { Problem } from "./panel-parts.tsx";
import type { Person } from "./person.ts";
import { useWritten, writtenIn } from "./written.ts";

export function WrittenBar(props: { collab: Collab<ScenePresence>; editor: BoundEditor; person: Person }): ReactNode {
  const { collab, editor, person } = props;
  const written = writtenIn(editor);
  const { on, asking, problem, looks, authors } = useWritten(editor);
  const authorOf = useAuthors(collab, person);
  // biome-ignore lint/correctness/useExhaustiveDependencies: of others there are other looks
  useEffect(() => written.look(authorOf), [written, authorOf, authors]);
  const caret = useSyncExternalStore(written.onCaret, written.atCaret);
  // With the script its colours go, too.
  useEffect(() => () => written.hide(), [written]);
  if (!on) return null;
  const here = looks[caret];
  return (
    <section className="written-bar" aria-label="Who wrote this">
      <ul>
        {looks.map(({ name, color }) => (
          <li key={name} className="author" style={{ "--author": color } as CSSProperties}>
            {name}
          </li>
        ))}
      </ul>
      {asking && <p className="quiet">Asking who wrote what…</p>}
      <Problem>{problem}</Problem>
      <p className="quiet written-here" aria-live="polite">
        {here && `At the caret: ${here.name}`}
      </p>
      <button
        type="button"
        className="tool small"
        aria-label="Do not show who wrote this"
        onClick={() => written.hide()}
      >
        <Icon name="close" />
      </button>
    </section>
  );
}
