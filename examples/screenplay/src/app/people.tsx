// Who else is here, what they do, and following somebody's caret; and whether everything is saved.
import { type ReactNode, useEffect, useState } from "react";
import { Node, Path } from "slate";
import { ReactEditor } from "slate-react";
import type { Collab, Peer } from "slate-yrs";
import { PresenceAvatars, type PresentPerson, StatusBadge, usePeople } from "slate-yrs/react";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import type { ScriptEditor } from "../script/slate.ts";
import { Popover } from "../ui/popover.tsx";

export function SavedBadge({ collab }: { collab: Collab<ScenePresence> }): ReactNode {
  return <StatusBadge collab={collab as unknown as Collab} />;
}

export function PeopleBar(props: { collab: Collab<ScenePresence>; editor: ScriptEditor | null }): ReactNode {
  const { collab, editor } = props;
  const people = usePeople(collab);
  const [followed, setFollowed] = useState<string | null>(null);
  const person = people.find(({ key }) => key === followed);
  useFollowing(editor, person?.peer, () => setFollowed(null));
  if (people.length === 0) return null;
  return (
    <Popover
      label={`${people.length === 1 ? "One other person is" : `${people.length} other people are`} here`}
      className="people"
      button={<PresenceAvatars collab={collab as unknown as Collab} max={4} />}
    >
      {() => (
        <ul className="people-list">
          {people.map((each) => (
            <PersonLine
              key={each.key}
              person={each}
              followed={each.key === followed}
              onFollow={() => setFollowed(each.key === followed ? null : each.key)}
            />
          ))}
        </ul>
      )}
    </Popover>
  );
}

function PersonLine(props: {
  person: PresentPerson<ScenePresence>;
  followed: boolean;
  onFollow: () => void;
}): ReactNode {
  const { person, followed, onFollow } = props;
  const { name, initials, color, textColor, peer } = person;
  return (
    <li>
      <span className="me-face" style={{ background: color, color: textColor }} aria-hidden="true">
        {initials}
      </span>
      <span>
        <span className="name">{name}</span>
        <span className="quiet">{doing(person)}</span>
      </span>
      <button
        type="button"
        className="secondary small"
        aria-pressed={followed}
        disabled={!peer.selection}
        onClick={onFollow}
      >
        {followed ? "Following" : "Follow"}
      </button>
    </li>
  );
}

function doing({ typing, idle, peer }: PresentPerson<ScenePresence>): string {
  if (typing) return "Typing…";
  if (idle) return "Away";
  return peer.selection ? "Reading along" : "Looking around";
}

/** What one does oneself: scrolling, by a wheel or a finger, and keys. */
const OWN_MOVES = ["wheel", "touchmove", "keydown"] as const;

/** Keeps the block with the followed person's caret in view, until one scrolls or types oneself. */
function useFollowing(editor: ScriptEditor | null, peer: Peer<ScenePresence> | undefined, stop: () => void): void {
  const selection = peer?.selection;
  const following = peer !== undefined;
  useEffect(() => {
    const path = selection && Path.parent(selection.focus.path);
    if (!path || !editor || !Node.has(editor, path)) return;
    try {
      ReactEditor.toDOMNode(editor, Node.get(editor, path)).scrollIntoView({ block: "center" });
    } catch {
      // Not on the page yet: their next move finds it.
    }
  }, [editor, selection]);
  useEffect(() => {
    if (!following) return;
    const desk = document.getElementById("desk");
    for (const move of OWN_MOVES) desk?.addEventListener(move, stop, { passive: true });
    return () => {
      for (const move of OWN_MOVES) desk?.removeEventListener(move, stop);
    };
  });
}
