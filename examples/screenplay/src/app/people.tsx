// Who else is here and whether everything is saved.
import type { ReactNode } from "react";
import type { Collab } from "slate-yrs";
import { PresenceAvatars, StatusBadge } from "slate-yrs/react";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";

export function PeopleBar({ collab }: { collab: Collab<ScenePresence> }): ReactNode {
  return (
    <>
      <StatusBadge collab={collab as unknown as Collab} />
      <PresenceAvatars collab={collab as unknown as Collab} max={4} />
    </>
  );
}
