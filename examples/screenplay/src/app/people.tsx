// Who else is here, what they do, and following somebody's caret; and whether everything is saved.
import { type ReactNode, useEffect, useReducer, useState } from "react";
import { Node, Path } from "slate";
import { ReactEditor, useSlateStatic } from "slate-react";
import type { Collab, Peer } from "slate-yrs";
import { PresenceAvatars, StatusBadge, usePeers } from "slate-yrs/react";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import type { ScriptEditor } from "../script/slate.ts";
import { Popover } from "../ui/popover.tsx";
import { initials } from "./person.ts";

const IDLE_AFTER = 60_000;

export function SavedBadge({ collab }: { collab: Collab<ScenePresence> }): ReactNode {
  return <StatusBadge collab={collab as unknown as Collab} />;
}

export function PeopleBar({ collab }: { collab: Collab<ScenePresence> }): ReactNode {
  const editor = useSlateStatic();
  const peers = usePeers(collab);
  const [followed, setFollowed] = useState<number | null>(null);
  useFollowing(editor, followed === null ? undefined : peers.find(({ clientId }) => clientId === followed), () =>
    setFollowed(null),
  );
  if (peers.length === 0) return null;
  return (
    <Popover
      label={`${peers.length === 1 ? "One other person is" : `${peers.length} other people are`} here`}
      className="people"
      button={<PresenceAvatars collab={collab as unknown as Collab} max={4} />}
    >
      {() => (
        <ul className="people-list">
          {peers.map((peer) => (
            <Person
              key={peer.clientId}
              peer={peer}
              followed={peer.clientId === followed}
              onFollow={() => setFollowed(peer.clientId === followed ? null : peer.clientId)}
            />
          ))}
        </ul>
      )}
    </Popover>
  );
}

function Person(props: { peer: Peer<ScenePresence>; followed: boolean; onFollow: () => void }): ReactNode {
  const { peer, followed, onFollow } = props;
  useNextMinute(peer);
  const name = peer.presence.name || "Somebody";
  return (
    <li>
      <span className="me-face" style={{ background: peer.presence.color }} aria-hidden="true">
        {initials(name)}
      </span>
      <span>
        <span className="name">{name}</span>
        <span className="quiet">{doing(peer)}</span>
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

function doing(peer: Peer<ScenePresence>): string {
  if (peer.typing) return "Typing…";
  if (peer.lastActive > 0 && Date.now() - peer.lastActive > IDLE_AFTER) return "Away";
  return peer.selection ? "Reading along" : "Looking around";
}

/** Renders again when somebody has been idle for long enough to be away: nothing else would. */
function useNextMinute({ lastActive }: Peer<ScenePresence>): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const wait = lastActive + IDLE_AFTER - Date.now();
    if (lastActive === 0 || wait < 0) return;
    const timer = setTimeout(again, wait + 50);
    return () => clearTimeout(timer);
  }, [lastActive]);
}

/** Keeps the block with the followed person's caret in view, until one scrolls or types oneself. */
function useFollowing(editor: ScriptEditor, peer: Peer<ScenePresence> | undefined, stop: () => void): void {
  const selection = peer?.selection;
  const following = peer !== undefined;
  useEffect(() => {
    const path = selection && Path.parent(selection.focus.path);
    if (!path || !Node.has(editor, path)) return;
    ReactEditor.toDOMNode(editor, Node.get(editor, path)).scrollIntoView({ block: "center" });
  }, [editor, selection]);
  useEffect(() => {
    if (!following) return;
    const desk = document.getElementById("desk");
    desk?.addEventListener("wheel", stop, { passive: true });
    desk?.addEventListener("keydown", stop);
    return () => {
      desk?.removeEventListener("wheel", stop);
      desk?.removeEventListener("keydown", stop);
    };
  });
}
