// Peers from the engine's flat numbers: `src/js/flat.rs` is the other half. What has not changed stays the same frozen
// object, so that a view can tell by identity what to draw anew.
import { decodeRange } from "./codec.js";
import type { Peer, Presence } from "./types.js";

const HEAD = 5;

interface KnownPeer<P extends Presence> {
  flat: Float64Array;
  /** Their awareness state, JSON text. */
  state: string | undefined;
  peer: Peer<P>;
}

/** The peers as they were last read. */
export class Peers<P extends Presence> {
  #known = new Map<number, KnownPeer<P>>();
  #list: readonly Peer<P>[] = Object.freeze([]);

  /** `state` is a client's awareness state, JSON text; asked for when it is another one than last time. */
  read(flat: Float64Array, state: (clientId: number) => string | undefined): readonly Peer<P>[] {
    const known = new Map<number, KnownPeer<P>>();
    const list: Peer<P>[] = [];
    for (let at = 0; at < flat.length; ) {
      const end = at + HEAD + flat[at + HEAD - 1]!;
      const clientId = flat[at]!;
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

  #peer(
    flat: Float64Array,
    last: KnownPeer<P> | undefined,
    state: (clientId: number) => string | undefined,
  ): KnownPeer<P> {
    if (last !== undefined && equal(last.flat, flat)) return last;
    const clientId = flat[0]!;
    const text = last?.flat[1] === flat[1] ? last!.state : state(clientId);
    const changed = last === undefined || text !== last.state;
    const selection = decodeRange(flat.subarray(HEAD));
    const typing = flat[2] === 1;
    const peer = Object.freeze({
      clientId,
      presence: changed ? (presenceOf(text) as P) : last.peer.presence,
      selection: selection === null ? null : deepFreeze(selection),
      typing,
      lastActive: changed ? activeAt(last?.peer, typing, flat[3]!) : last.peer.lastActive,
    });
    return { flat, state: text, peer };
  }
}

/**
 * When a peer who says something new of themselves has done something. Not by what their clock says, which may be any: it
 * is asked only for what was before we were here. That somebody no longer types is not something they do.
 */
function activeAt(last: Peer | undefined, typing: boolean, told: number): number {
  if (last === undefined) return Math.min(told, Date.now());
  return last.typing && !typing ? last.lastActive : Date.now();
}

function equal(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

/** Other editors than Slate's have the user under another name. */
function presenceOf(state: string | undefined): object {
  let parsed: unknown = null;
  try {
    parsed = state === undefined ? null : JSON.parse(state);
  } catch {
    // Any client may write anything.
  }
  const { data, user } = (isObject(parsed) ? parsed : {}) as { data?: unknown; user?: unknown };
  const presence = data ?? user;
  return deepFreeze(isObject(presence) ? presence : {});
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
