// Who is behind an author in the history. The server knows a user's id (or, where it asks for no tokens, the name they
// had); name and colour come from those who are here, or follow from the id.
import { useMemo } from "react";
import type { Collab } from "slate-yrs";
import { usePeople } from "slate-yrs/react";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { colorFor, type Person } from "./person.ts";

export interface Author {
  name: string;
  color: string;
}

export type AuthorOf = (author: string) => Author;

export function useAuthors(collab: Collab<ScenePresence>, self: Person): AuthorOf {
  const here = usePeople(collab);
  const people = [
    { id: self.id, name: self.name, color: self.color },
    ...here.map(({ peer, name, color }) => ({ id: peer.presence.id, name, color })),
  ];
  // Peers change with each of their keystrokes, who they are does not.
  const known = JSON.stringify(people);
  return useMemo(() => {
    const list = JSON.parse(known) as Person[];
    return (author) =>
      list.find(({ id }) => id === author) ??
      list.find(({ name }) => name === author) ?? { name: author, color: colorFor(author) };
  }, [known]);
}
