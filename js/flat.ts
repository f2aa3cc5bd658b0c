// Peers, read from the engine's flat numbers, whose order `src/js/flat.rs` has. A peer that has not changed stays the
// same frozen object, so that a view can tell by identity what to draw anew.
import type { PeerNumbers } from "../pkg/slate_yrs.js";
import { SAID } from "./broadcast.js";
import { decodeRange } from "./codec.js";
import { deepFreeze, equal } from "./json.js";
import type { Peer, Presence } from "./types.js";

/** The numbers that stand before those of a peer's selection; the module declares the type. */
const HEAD: PeerNumbers = ["clientId", "version", "typing", "lastActive", "selectionWords"];
const [CLIENT_ID, VERSION, TYPING, LAST_ACTIVE, WORDS] = HEAD.map((_, at) => at) as [0, 1, 2, 3, 4];

/** An awareness state, read. */
interface AwarenessState {
  /** JSON text. */
  text: string | undefined;
  /** The parsed text, without the peer's broadcasts. */
  rest: unknown;
  presence: object;
  /** The peer's broadcasts, as they came. */
  said: unknown;
}

interface KnownPeer<P extends Presence> {
  flat: Float64Array;
  state: AwarenessState;
  peer: Peer<P>;
}

/** The peers as they were last read. */
export class Peers<P extends Presence> {
  #known = new Map<number, KnownPeer<P>>();
  #list: readonly Peer<P>[] = Object.freeze([]);

  /**
   * `state` gives a client's awareness state as JSON text; it is called only if the state has changed since the last
   * time.
   */
  read(flat: Float64Array, state: (clientId: number) => string | undefined): readonly Peer<P>[] {
    const known = new Map<number, KnownPeer<P>>();
    const list: Peer<P>[] = [];
    for (let at = 0; at < flat.length; ) {
      const end = at + HEAD.length + flat[at + WORDS]!;
      const clientId = flat[at + CLIENT_ID]!;
      const entry = this.#peer(flat.subarray(at, end), this.#known.get(clientId), state);
      known.set(clientId, entry);
      list.push(entry.peer);
      at = end;
    }
    this.#known = known;
    const same = list.length === this.#list.length && list.every((peer, index) => peer === this.#list[index]);
    if (!same) this.#list = Object.freeze(list);
    return this.#list;
  }

  /** What a peer shows under {@link SAID}, as it came. */
  said(clientId: number): unknown {
    return this.#known.get(clientId)?.state.said;
  }

  #peer(
    flat: Float64Array,
    last: KnownPeer<P> | undefined,
    state: (clientId: number) => string | undefined,
  ): KnownPeer<P> {
    if (last !== undefined && sameNumbers(last.flat, flat)) return last;
    const clientId = flat[CLIENT_ID]!;
    const text = last?.flat[VERSION] === flat[VERSION] ? last!.state.text : state(clientId);
    const read = last !== undefined && last.state.text === text ? last.state : readState(text);
    const changed = last === undefined || !isAlike(last.state, read);
    // A peer that has only broadcast something stays the same to a view.
    if (!changed && sameNumbers(last.flat, flat, VERSION)) return { flat, state: read, peer: last.peer };
    const selection = decodeRange(flat.subarray(HEAD.length));
    const typing = flat[TYPING] === 1;
    const peer = Object.freeze({
      clientId,
      presence: changed ? (read.presence as P) : last.peer.presence,
      selection: selection === null ? null : deepFreeze(selection),
      typing,
      lastActive: changed ? activeAt(last?.peer, typing, flat[LAST_ACTIVE]!) : last.peer.lastActive,
    });
    return { flat, state: read, peer };
  }
}

/**
 * When a peer whose state has changed was last active: now. Their own clock, which may be wrong, counts only for a peer
 * that is new here. That somebody stops typing is no activity.
 */
function activeAt(last: Peer | undefined, typing: boolean, told: number): number {
  if (last === undefined) return Math.min(told, Date.now());
  return last.typing && !typing ? last.lastActive : Date.now();
}

/** `but`: an index that is not compared. */
function sameNumbers(a: Float64Array, b: Float64Array, but = -1): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at] && at !== but) return false;
  return true;
}

/** Other editors than Slate's have the user under another name. */
function readState(text: string | undefined): AwarenessState {
  let parsed: unknown = null;
  try {
    parsed = text === undefined ? null : JSON.parse(text);
  } catch {
    // Any client may write anything.
  }
  const { data, user } = (isObject(parsed) ? parsed : {}) as { data?: unknown; user?: unknown };
  const presence = data ?? user;
  if (!isObject(presence)) return { text, rest: parsed, presence: Object.freeze({}), said: undefined };
  const shown = presence as { [SAID]?: unknown };
  const said = shown[SAID];
  delete shown[SAID];
  return { text, rest: parsed, presence: deepFreeze(presence), said };
}

/** Whether two states are the same but for broadcasts. Engines write an object's names in any order. */
function isAlike(one: AwarenessState, other: AwarenessState): boolean {
  if (one.text === other.text) return true;
  if (one.said === undefined && other.said === undefined) return false;
  return equal(one.rest, other.rest);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
