// Who is here, as people: one who has several windows open is one person.
import { useEffect, useMemo, useReducer } from "react";
import type { Collab, Peer, Presence } from "../index.js";
import { colorOf, initialsOf, nameOf, type PersonColor } from "./colors.js";
import { usePeers } from "./hooks.js";
import { IDLE_AFTER } from "./layout.js";

/** Somebody else in the document, with all their windows. Name and colour can be shown as they are. */
export interface PresentPerson<P extends Presence = Presence> extends PersonColor {
  /** Tells people apart. */
  readonly key: string;
  readonly name: string;
  readonly initials: string;
  /** In any of their windows. */
  readonly typing: boolean;
  /** They did nothing for a minute, in none of their windows. */
  readonly idle: boolean;
  /** The window in which they did something last. */
  readonly peer: Peer<P>;
}

/**
 * The others in the document, in the order in which they came; renders again when one comes, goes, moves, types or rests.
 *
 * @example
 * const people = usePeople(collab);
 * return people.map(({ name, color }) => <span style={{ color }}>{name}</span>);
 */
export function usePeople<P extends Presence = Presence>(collab: Collab<P> | null): readonly PresentPerson<P>[] {
  const peers = usePeers(collab);
  const [tick, again] = useReducer((count: number) => count + 1, 0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: time has passed
  const people = useMemo(() => peopleOf(peers, Date.now()), [peers, tick]);
  useEffect(() => {
    // That somebody has done nothing for a minute is told by nobody.
    const waits = people.filter(({ idle }) => !idle).map(({ peer }) => peer.lastActive + IDLE_AFTER - Date.now());
    if (waits.length === 0) return;
    const timer = setTimeout(again, Math.max(0, Math.min(...waits)) + 10);
    return () => clearTimeout(timer);
  }, [people]);
  return people;
}

function peopleOf<P extends Presence>(peers: readonly Peer<P>[], now: number): PresentPerson<P>[] {
  const windows = new Map<string, Peer<P>[]>();
  for (const peer of peers) {
    const id = (peer.presence as { id?: unknown } | null)?.id;
    const key = typeof id === "string" && id !== "" ? `person ${id}` : `window ${peer.clientId}`;
    windows.set(key, [...(windows.get(key) ?? []), peer]);
  }
  return [...windows].map(([key, own]) => {
    const peer = own.reduce((best, each) => (livelier(each, best) ? each : best));
    const name = nameOf(peer.presence);
    return {
      ...colorOf(peer.presence, peer.clientId),
      key,
      name,
      initials: initialsOf(name),
      typing: peer.typing,
      idle: !peer.typing && now - peer.lastActive >= IDLE_AFTER,
      peer,
    };
  });
}

function livelier(a: Peer<Presence>, b: Peer<Presence>): boolean {
  return a.typing === b.typing ? a.lastActive > b.lastActive : a.typing;
}
