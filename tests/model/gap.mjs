// The one gap function: where something is put so that the view shows it between two neighbours.

/** What a piece shows, character by character and element by element, and the cursors between: gaps[i] stand before units[i]. */
export function units(piece) {
  const list = [],
    gaps = [[]];
  for (const k of piece.kids) {
    if (k.cursor) {
      gaps.at(-1).push(k);
      continue;
    }
    if (k.head) {
      list.push({ id: k.head.id, piece: k, raw: k.raw ?? {} });
      gaps.push([]);
      continue;
    }
    for (let i = 0; i < k.text.length; i++) {
      list.push({
        id: `${k.client}:${k.clock + i}`,
        char: k.text[i],
        raw: k.raw,
        seq: k.seq,
        index: k.index + i,
        run: k,
      });
      gaps.push(i + 1 < k.text.length ? [{ ...k, text: undefined, cursor: true, index: k.index + i + 1 }] : []);
    }
  }
  // text that is shown elsewhere than where it stands (stray text) has its gaps about it
  list.forEach((u, i) => {
    if (u.char) {
      if (!gaps[i].length) gaps[i].push({ ...u.run, text: undefined, cursor: true, index: u.index });
      if (!gaps[i + 1].length) gaps[i + 1].push({ ...u.run, text: undefined, cursor: true, index: u.index + 1 });
    }
  });
  return { list, gaps };
}

const outer = (f) => (f.host ? outer(f.host) : f);
/** A position that belongs to the element itself, not to one that is shown in it (stray text, an unwrapped element). */
const own = (piece) => (c) => c.piece === piece;

/** Text stands behind the character before it, else before the one behind it, and not in the gap of a break if it can be. */
export function gapForText(piece, { list, gaps }, i) {
  const g = gaps[i],
    left = list[i - 1],
    strand = (c) => c.seq.kind === "strand";
  if (left?.char && g.length) return g[0];
  if (list[i]?.char && g.length) return g.at(-1);
  return g.find((c) => strand(c) && own(piece)(c)) ?? g.find(strand) ?? g.at(-1) ?? null;
}
/** Elements stand before what follows: a strand or place; the end of the gap of a break; the token that ended the piece. Between units `from` and
 * `to` stands only what is yet to go; a position of the element's own is the nearest to `to` (none: there is only what is shown in it). */
export function gapForElement(piece, { gaps }, from, to) {
  for (let i = to; i >= from; i--) {
    const c = gaps[i].filter(own(piece)).at(-1);
    if (c) return c;
  }
  return gaps[to].at(-1) ?? null;
}
/** A break divides the element in whose sequence, or in whose child's gap, it stands. */
export function gapForBreak(piece, { list, gaps }, i) {
  const g = gaps[i].filter((c) => own(piece)(c) && outer(c.frame) === outer(piece.frame));
  return (list[i - 1]?.char ? g[0] : g.at(-1)) ?? null;
}
