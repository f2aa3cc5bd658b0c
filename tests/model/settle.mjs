// What of the pieces is shown: hidden and transparent ones, stray text.
import { MAX_SHOWN } from "./doc.mjs";

/** What is hidden; what lives in an unwrapped element is shown in its place; stray text is shown in the text block beside it. */
export function settle(root, shown) {
  const pieces = new Map(),
    isBlock = (k) => k.head && !k.inline;
  /** Transparent: shown are its kids in its place. (If nothing in it lives, it is hidden.) */
  const isUnwrapped = (piece) => piece.again || (!!piece.gone?.unwrap && !shown.has(piece.head.id));
  const go = (piece, depth) => {
    if (!piece.again) pieces.set(piece.head.id, piece);
    const kids = [];
    for (const k of piece.kids) {
      if (!k.head) continue;
      k.up = piece;
      if (isBlock(k)) k.raw = {}; // formats are of text and inlines
      go(k, isUnwrapped(k) ? depth : depth + 1);
    }
    // where nothing else is at the top, transparent lines are shown
    const isShown = (k) => (k.spill ? k.kids.some(isBlock) : isBlock(k) && !k.hidden);
    if (piece === root && !piece.kids.some(isShown)) for (const k of piece.kids) k.spill &&= k.again || k.inline;
    for (const k of piece.kids) {
      if (!k.head) {
        kids.push(k);
        continue;
      }
      if (k.spill) {
        for (const j of k.kids) {
          if (j.head) j.up = piece;
          kids.push(j);
        }
      } else if (!k.hidden) kids.push(k);
      else if (isBlock(k)) piece.absent = true;
    }
    piece.kids = kids;
    const some = kids.some((k) => k.text !== undefined || k.head),
      keep = piece.head.regs.keep;
    piece.holds = kids.some(isBlock);
    piece.live =
      kids.some((k) => k.text !== undefined || k.live) || (!piece.gone && (piece.void || (keep && !piece.inline)));
    if (piece === root || shown.has(piece.head.id)) {
      piece.live = true;
    } else if (piece.gone) {
      piece.hidden = !piece.live;
      piece.spill = piece.live && piece.gone.unwrap;
    } else {
      piece.hidden =
        !some && !keep && !piece.void && (piece.absent || piece.head.regs.open || piece.inline || chainHolds(piece));
    }
    if ((depth > MAX_SHOWN || piece.again) && !piece.hidden) piece.spill = true;
  };
  // the halves that come behind are settled later: look at what they have
  const chainHolds = (p) => {
    for (let q = p.prev; q; q = q.prev) if (q.holds) return true;
    for (let q = p.next; q; q = q.next) if (q.kids.some(isBlock)) return true;
    return false;
  };
  go(root, 0);
  const lines = (p, end) => {
    if (!p.head || p.inline || p.void) return null;
    if (!p.kids.some(isBlock)) return p;
    const ks = p.kids.filter(isBlock);
    return lines(end ? ks.at(-1) : ks[0], end);
  };
  /** The first transparent line of which a run has something bare, and how many of the run are of it, or before it. */
  const ownLine = (run, bare) => {
    const isTransparent = (p) => p.spill && !p.again && !p.inline && !p.void && p.gone?.unwrap;
    let line = null,
      has = false;
    for (const [count, k] of run.entries()) {
      if (line && k.piece && k.piece !== line) {
        if (has) return { line, count };
        line = null;
      }
      line ??= k.piece && isTransparent(k.piece) ? k.piece : null;
      has = !!line && (has || bare(k));
    }
    return has ? { line, count: run.length } : null;
  };
  const showLine = (line, up, kids) => {
    for (const k of kids) if (k.head) k.up = line;
    Object.assign(line, { up, kids, spill: false, holds: false });
  };
  const stray = (piece, again = false) => {
    const bare = (k) => k.text !== undefined || (k.head && !isBlock(k));
    let shown = false;
    if (piece.kids.some(isBlock) && piece.kids.some(bare))
      for (let i = 0; i < piece.kids.length; i++)
        if (bare(piece.kids[i])) {
          let j = i;
          while (j + 1 < piece.kids.length && !isBlock(piece.kids[j + 1])) j++;
          const before = piece.kids.slice(0, i).reverse().find(isBlock),
            behind = piece.kids.slice(i).find(isBlock),
            above = before && lines(before, true),
            beside = above ?? (behind && lines(behind, false)),
            own = beside ? null : ownLine(piece.kids.slice(i, j + 1), bare);
          if (own) {
            let from = i;
            while (piece.kids[from - 1]?.cursor && piece.kids[from - 1].piece === own.line) from--;
            showLine(own.line, piece, piece.kids.splice(from, i - from + own.count, own.line));
            i = from;
            shown = true;
            continue;
          }
          const all = (ks) =>
              ks.filter(isBlock).flatMap((k) => (k.void ? [] : k.kids.some(isBlock) ? all(k.kids) : [k])),
            up = beside ? above : all(piece.kids.slice(0, i)).at(-1),
            to = beside ?? up ?? all(piece.kids.slice(i))[0];
          if (!to) {
            i = j;
            continue;
          }
          const lead = piece.kids[i - 1]?.cursor ? [piece.kids[i - 1]] : [],
            run = [...lead, ...piece.kids.splice(i, j - i + 1).filter((k, n, all) => n < all.length - 1 || !k.cursor)];
          i--; // with the gaps about it
          for (const k of run) if (k.head) k.up = to;
          if (up) to.kids.push(...run);
          else to.kids.unshift(...run);
        }
    // what found no line may find one now
    if (shown && !again) return stray(piece, true);
    for (const k of piece.kids) if (k.head) stray(k);
  };
  stray(root);
  return pieces;
}
