// Whether a script may only be read, as the server said last: offline it does not say it again, and who may not write
// shall not begin to.
import { useEffect } from "react";
import type { Collab, Presence, Status } from "slate-yrs";
import { useRemembered } from "../app/remembered.ts";
import { useStatusPart } from "./use-yjs-collaboration.ts";

export type Role = "writer" | "reader" | "nobody";

/** `null`: the server has not said it on this connection. */
export function roleOf(status: Status): Role | null {
  if (status.connection === "forbidden") return "nobody";
  if (status.readOnly) return "reader";
  return status.connection === "online" && status.synced ? "writer" : null;
}

/** @param key Names the script in this browser. */
export function useReadOnly<P extends Presence>(collab: Collab<P> | null, key: string): boolean {
  const role = useStatusPart(collab, roleOf, null);
  const [known, remember] = useRemembered(`role.${key}`);
  const now = role ?? known;
  useEffect(() => {
    const worthKeeping = role === "writer" ? null : role;
    if (role !== null && worthKeeping !== known) remember(worthKeeping);
  }, [role, known, remember]);
  return now === "reader" || now === "nobody";
}
