// Status and peers from the engine's flat numbers: `src/js/flat.rs` is the other half. What has not changed stays the
// same frozen object, so that a view can tell by identity what to draw anew.
import { decodeRange } from "./codec.js";
import type { CollabError } from "./errors.js";
import type { Peer, Presence, Status } from "./types.js";

// In the engine's order.
const CONNECTIONS = ["offline", "connecting", "online", "unauthorized", "forbidden", "closed"] as const;
const SAVED = ["memory", "local", "server"] as const;
const STORAGES = ["indexeddb", "memory", "full", "blocked", "corrupt"] as const;

const SYNCED = 1;
const SYNCING_OFFLINE = 2;
const READ_ONLY = 4;
const EPOCH = 8;
const OFFLINE_SINCE = 16;
const RETRY_AT = 32;
const PROGRESS = 64;
const ERROR = 128;

/** `local`: there is no server. `error` is asked for if there is one. */
export function decodeStatus(flat: Float64Array, local: boolean, error: () => CollabError): Status {
  const [connection, saved, storage, flags, pending, setAside, since, retryAt, received, total, divergences, format] =
    flat as unknown as number[] & Record<0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11, number>;
  const has = (flag: number) => (flags & flag) !== 0;
  return Object.freeze({
    local,
    connection: CONNECTIONS[connection] ?? "offline",
    synced: has(SYNCED),
    saved: SAVED[saved] ?? "memory",
    pending,
    setAside,
    storage: STORAGES[storage] ?? "memory",
    offlineSince: has(OFFLINE_SINCE) ? since : null,
    retryAt: has(RETRY_AT) ? retryAt : null,
    syncingOfflineChanges: has(SYNCING_OFFLINE),
    progress: has(PROGRESS) ? Object.freeze({ received, total }) : null,
    readOnly: has(READ_ONLY),
    format: format < 0 ? null : format,
    conflict: has(EPOCH) ? ("epoch" as const) : null,
    divergences,
    error: has(ERROR) ? error() : null,
  });
}

/** The two things that are told with every change of the status; see `EngineListener`. */
export function decodeNews(flat: Float64Array): { acknowledged: boolean; receiving: boolean } {
  const [connection, saved, storage, , pending] = flat;
  return {
    acknowledged: SAVED[saved!] === "server" && pending === 0,
    receiving: CONNECTIONS[connection!] === "online" && STORAGES[storage!] === "indexeddb",
  };
}

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
