// The safety net: whatever the registers say, every character and every element is shown once.

/** So many times the registers of single chains are void; then all. */
const CHAINS = 8;

/** What has to be shown: nothing in a place, a seam or what nobody knows is, if it was not moved out. */
export function alive(all) {
  const out = new Set();
  // parents come before what is in them
  for (const x of all.values()) if ((x.kind === "strand" || x.kind === "break") && (!x.up || out.has(x.up))) out.add(x);
  return out;
}

/**
 * What of the walk is not shown: the sequences that have such a text, and strands without a claim that no walk began.
 * A text that is shown twice counts where it comes first, and is taken out where it comes again.
 */
export function unshown(all, walk, top) {
  const shown = new Map(), // sequence => indices
    living = alive(all),
    out = [];
  const see = (piece) => {
    piece.kids = piece.kids.filter((k) => {
      if (k.head) see(k);
      if (k.text === undefined) return true;
      if (!shown.has(k.seq)) shown.set(k.seq, new Set());
      return shown.get(k.seq).size < shown.get(k.seq).add(k.index).size;
    });
  };
  see(top);
  for (const x of living) {
    const isWhole = x.items.every((it) => it.text === undefined || shown.get(x)?.has(it.index)),
      isBegun = x.kind === "break" || !x.up || walk.begun.has(x) || walk.claimsOf(x).length;
    if (!isWhole || !isBegun) out.push(x);
  }
  return out;
}

/**
 * The heads whose registers are void, so that it is shown: of the chains it stands in; if these have none (any more), of those around
 * these; else all.
 */
export function toSilence(lost, walk, nets) {
  const heads = [...new Set(walk.claims.map((c) => c.head))],
    ofChains = (chains) => heads.filter((x) => chains.has(walk.chainOf(x))),
    around = (x) => (x ? [walk.chainOf(x), ...around(x.up)] : []);
  if (nets >= CHAINS) return heads;
  const near = ofChains(new Set(lost.map(walk.chainOf)));
  if (near.length) return near;
  const far = ofChains(new Set(lost.flatMap(around)));
  return far.length ? far : heads;
}
