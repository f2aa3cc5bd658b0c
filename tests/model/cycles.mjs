// Moves into each other: which claims are void.
import { byId } from "./doc.mjs";

/** So many claims that hold each other are looked at one by one; of more only the ways from their markers up. */
const EXACT = 64;
/** After so many rounds all claims that are left are void; the same where the rounds are long. */
const ROUNDS = 100,
  ROUNDS_OF_MANY = 16;

/** By time, head, and place in the register. */
export const older = (a, b) => a.t - b.t || byId(a.head.id, b.head.id) || a.n - b.n;

/** Whether to give up on what is stuck. */
export const isEnough = (round, stuck) => round >= ROUNDS || (stuck > EXACT && round >= ROUNDS_OF_MANY);

/**
 * Two claims hold each other if each, walked, shows the other: A moved into B, B into A. In each such class the highest is void; if
 * there is none, the highest of all. `walkFrom(claim)`: the walk of what one claim shows.
 */
export function highestOfCycles(stuck, walkFrom, claimsOf) {
  const out = stuck.length <= EXACT ? byWalks(stuck, walkFrom) : byMarkers(stuck, claimsOf);
  return out.size ? out : new Set([highest(stuck)]);
}
const highest = (claims) => [...claims].sort(older).at(-1);

function byWalks(stuck, walkFrom) {
  const holds = new Map(stuck.map((c) => [c, walkFrom(c)])),
    out = new Set();
  const holdEachOther = (a, b) =>
    a === b ? holds.get(a).again.has(a.id) : holds.get(a).reached.has(b.id) && holds.get(b).reached.has(a.id);
  for (const c of stuck) {
    const cycle = stuck.filter((d) => holdEachOther(c, d));
    if (cycle.length) out.add(highest([c, ...cycle]));
  }
  return out;
}

/** Each claim waits for the nearest one that shows elsewhere what its marker stands in: the rings of those. */
function byMarkers(stuck, claimsOf) {
  const isStuck = new Set(stuck.map((c) => c.id)),
    holders = new Map(),
    seen = new Set(),
    out = new Set();
  const holderOf = (claim) => {
    const way = [];
    let found = null;
    for (let x = claim.marker.up; x; x = x.up) {
      if (holders.has(x)) {
        found = holders.get(x);
        break;
      }
      way.push(x);
      found = claimsOf(x).find((c) => isStuck.has(c.id)) ?? null;
      if (found) break;
    }
    for (const x of way) holders.set(x, found);
    return found;
  };
  for (const start of stuck) {
    const way = [];
    let at = start;
    for (; at && !seen.has(at.id); at = holderOf(at)) {
      seen.add(at.id);
      way.push(at);
    }
    const ring = at ? way.findIndex((c) => c.id === at.id) : -1;
    if (ring >= 0) out.add(highest(way.slice(ring)));
  }
  return out;
}
