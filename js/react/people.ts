// The peers' selections as the React parts need them: checked against the editor, with a colour and a name, and the
// very same objects as long as nothing about a person changed, so that nothing renders that need not.
import { useCallback, useRef, useSyncExternalStore } from "react";
import { type Editor, Range } from "slate";
import type { Peer, Presence } from "../index.js";
import { isIn } from "../slate/binding.js";
import type { CollabEditor } from "../slate.js";
import { colorOf, nameOf, type PersonColor } from "./colors.js";

/** Somebody else in the document. Identical (`===`) until something about them changes. */
export interface RemotePerson extends PersonColor {
  readonly clientId: number;
  readonly name: string;
}

/** Somebody's selection. Identical until it or the person changes. */
export interface RemoteSelection {
  readonly person: RemotePerson;
  readonly range: Range;
  readonly typing: boolean;
  /** When they last did something, in ms since the epoch. */
  readonly lastActive: number;
}

const NONE: readonly RemoteSelection[] = Object.freeze([]);

/**
 * The selections of all peers who have one; a new array only if one of them changed.
 *
 * @example
 * const selections = useRemoteSelections(editor);
 */
export function useRemoteSelections(editor: CollabEditor): readonly RemoteSelection[] {
  return useSelections(editor, (a, b) => samePlace(a, b) && a.typing === b.typing && a.lastActive === b.lastActive);
}

/** The same, but a new array only if somebody's selection, name or colour changed. */
export function useRemotePlaces(editor: CollabEditor): readonly RemoteSelection[] {
  return useSelections(editor, samePlace);
}

type Same = (a: RemoteSelection, b: RemoteSelection) => boolean;

const samePlace: Same = (a, b) => a.person === b.person && Range.equals(a.range, b.range);

function useSelections(editor: CollabEditor, same: Same): readonly RemoteSelection[] {
  const { collab } = editor;
  const last = useRef<{ peers: readonly Peer<Presence>[] | null; selections: readonly RemoteSelection[] }>({
    peers: null,
    selections: NONE,
  });
  const subscribe = useCallback((changed: () => void) => collab.on("peers", changed), [collab]);
  const snapshot = () => {
    const { peers } = collab;
    if (last.current.peers !== peers) {
      last.current = { peers, selections: update(last.current.selections, peers, same) };
    }
    return last.current.selections;
  };
  return useSyncExternalStore(subscribe, snapshot, () => NONE);
}

/** A peer's selection may be older than the editor's value. Then it is not shown, until the next one comes. */
export function fits(editor: CollabEditor, range: Range): boolean {
  return isIn(editor as unknown as Editor, range);
}

function update(
  before: readonly RemoteSelection[],
  peers: readonly Peer<Presence>[],
  same: Same,
): readonly RemoteSelection[] {
  const known = new Map(before.map((selection) => [selection.person.clientId, selection]));
  const after: RemoteSelection[] = [];
  for (const peer of peers) {
    if (peer.selection === null) continue;
    const old = known.get(peer.clientId);
    const { typing, lastActive } = peer;
    const now = { person: personOf(peer, old?.person), range: peer.selection, typing, lastActive };
    after.push(old !== undefined && same(old, now) ? old : now);
  }
  const unchanged = after.length === before.length && after.every((selection, index) => selection === before[index]);
  return unchanged ? before : after;
}

function personOf(peer: Peer<Presence>, old: RemotePerson | undefined): RemotePerson {
  const name = nameOf(peer.presence);
  const { color, textColor } = colorOf(peer.presence, peer.clientId);
  return old !== undefined && old.name === name && old.color === color
    ? old
    : { clientId: peer.clientId, name, color, textColor };
}
