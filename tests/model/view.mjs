// view(document) → tree of pieces. Pure and total. One walk over the sequences; then what is hidden.
import { highestOfCycles, isEnough, older } from "./cycles.mjs";
import { byId, kindOf, propsOf, scan } from "./doc.mjs";
import { toSilence, unshown } from "./partition.mjs";
import { settle } from "./settle.mjs";

/**
 * The result: { root: piece, pieces (by id, hidden ones too), all, time, claimsOf, chainOf }.
 * piece = { head (node), props, kids, frame, to (the break that ended it, shown here or elsewhere), beyond (claims of its head on what follows),
 * gone, hidden, spill (unwrapped: its kids are shown in its place) }.
 * kids are pieces, runs of text, and *cursors*: the positions that the walk passed while it stood here. Whatever is inserted at a
 * cursor is shown exactly there: the gap function (gap.mjs) only chooses one of them.
 * `schema`: { isVoid(props), isInline(props) }. `shown`: ids that count as kept.
 */
export function view(root, schema, shown = new Set()) {
  const { all, time } = scan(root),
    voided = new Set(),
    silent = new Set();
  const walkFrom = (claim) => {
    const walk = walker(all, voided, silent, schema);
    walk.from(claim);
    return walk;
  };
  let nets = 0;
  for (let round = 0; ; round++) {
    const walk = walker(all, voided, silent, schema);
    const top = walk.from("root");
    const stuck = walk.claims.filter((c) => !walk.reached.has(c.id));
    if (!stuck.length) {
      const lost = walk.claims.length ? unshown(all, walk, top) : [];
      if (lost.length) {
        for (const x of toSilence(lost, walk, nets++)) silent.add(x);
        continue;
      }
      const pieces = settle(top, shown);
      return { root: top, pieces, all, time, claimsOf: walk.claimsOf, chainOf: walk.chainOf };
    }
    const before = voided.size;
    const lost = () => (walk.refused.length ? walk.refused : highestOfCycles(stuck, walkFrom, walk.claimsOf));
    for (const c of isEnough(round, stuck.length) ? stuck : lost()) voided.add(c.id);
    if (voided.size === before) for (const c of stuck) voided.add(c.id);
  }
}

/** `voided`: ids of claims; `silent`: heads whose registers are void. `reached`: claims that were shown; `again`: those that would be shown in themselves; `refused`: those onto
 * what is removed; `begun`: heads that have a piece. */
function walker(all, voided, silent, schema) {
  const reached = new Set(),
    again = new Set(),
    refused = [],
    active = new Set(),
    entered = new Set(),
    begun = new Set();
  /** The strand whose chain a head is in; null: none, it has no say where anything is shown. */
  const chainOf = (x) => {
    const of = x.kind !== "break" ? x : x.regs.of !== undefined ? all.get(x.regs.of) : x.up;
    return of?.kind === "strand" ? of : null;
  };
  // `@at: [t, [marker, to], …]`: the claims of a head, the innermost first: up to the first `to` it is shown at the first marker, from there
  // up to the second `to` at the second, and so on; then at home. A claim without its marker, or void, does not count: what it covers is the next one's.
  const counted = new Map(),
    seamsFor = new Map();
  for (const m of all.values())
    if (m.kind === "seam" && m.regs.head)
      seamsFor.set(m.regs.head, [...(seamsFor.get(m.regs.head) ?? []), m.id].sort(byId));
  const claimsOf = (x) => {
    if (!counted.has(x)) {
      const { t, claims: list } = (chainOf(x)?.up && !silent.has(x) && x.regs.at) || { t: 0, claims: [] };
      const claim = (id, to, n) => ({ id: `${x.id} at ${id}`, head: x, marker: all.get(id), to, t, n }),
        counts = (c) => !voided.has(c.id) && (c.marker?.kind === "place" || c.marker?.kind === "seam");
      let found = list
        .map(({ marker, to }, n) => claim(marker, to, n))
        .filter((c, n, all) => counts(c) && all.findIndex((d) => d.id === c.id) === n);
      // joined to what is removed: another, who joined it elsewhere at the same time, may have a seam for it
      if (!found.length && list.length && voided.has(claim(list[0].marker).id))
        found = (seamsFor.get(x.id) ?? [])
          .map((id) => claim(id, list[0].to, 0))
          .filter(counts)
          .slice(-1);
      counted.set(x, found);
    }
    return counted.get(x);
  };
  const claims = [...all.values()].filter((x) => x.kind === "strand" || x.kind === "break").flatMap(claimsOf),
    registered = new Map();
  for (const c of claims) registered.set(c.marker.id, [...(registered.get(c.marker.id) ?? []), c]);
  const registeredAt = (marker) => (registered.get(marker.id) ?? []).sort(older);
  const off = (b) => !!b.regs.off && !claimsOf(b).length;

  // Strands and breaks counted in the order in which they stand: a break behind what is in its gap.
  let ranks = null;
  const rank = (x) => {
    if (!ranks) {
      ranks = new Map();
      const count = (seq) => {
        for (const { node } of seq.items) {
          if (!node) continue;
          if (node.kind !== "break") ranks.set(node, ranks.size);
          count(node);
          if (node.kind === "break") ranks.set(node, ranks.size);
        }
      };
      count(all.get("root"));
    }
    return ranks.get(x);
  };
  const rankOf = (seam) => {
    const [first] = registeredAt(seam);
    return first ? rank(first.head) : -1;
  };

  // An `@open` strand holds, besides what is in it, the text and inlines that stand bare behind it, up to the next block or marker. Markers whose
  // `@of` names an open strand of the same sequence are within. Of two at one place the one before the text has it.
  const held = new Map(),
    isHeld = new Set(),
    heldBy = new Map(), // of nodes
    isOpen = (x, seq) => x?.kind === "strand" && x.regs.open && x.up === seq;
  for (const seq of all.values()) {
    let by = null;
    for (const it of seq.items) {
      const n = it.node;
      if (isOpen(n, seq)) {
        by = n;
        held.set(n, []);
      } else if (
        by &&
        (!n || (n.kind === "strand" ? kindOf(n, propsOf(n), schema).inline : isOpen(all.get(n.regs.of), seq)))
      ) {
        held.get(by).push(it);
        isHeld.add(it);
        if (n) heldBy.set(n, by);
      } else by = null;
    }
  }

  /** Strands in which something may end or divide what is around them: breaks of outer chains, ends of claims of other chains; and what shows these. */
  const carries = new Set(),
    ofChain = new Map(), // claims of its breaks
    todo = [];
  const isStray = (b) => b.regs.of !== undefined && b.regs.of !== b.up.id && heldBy.get(b)?.id !== b.regs.of;
  for (const x of all.values()) if (x.kind === "break" && (x.up.kind === "break" || isStray(x))) todo.push(x.up);
  const round = inRounds();
  for (const c of claims) {
    const chain = chainOf(c.head),
      end = all.get(c.to);
    if (c.head.kind === "break") ofChain.set(chain, [...(ofChain.get(chain) ?? []), c]);
    if (end?.kind === "break" && (chainOf(end) !== chain || round.has(chain))) todo.push(end.up);
  }
  todo.push(...ending());
  /** Strands that flow into themselves, by one of their pieces that flows into another, or through other strands; and what flows from one of these into another. */
  function inRounds() {
    const flows = [];
    for (const { head, marker } of claims) {
      if (marker.kind === "seam")
        flows.push([heldBy.get(marker) ?? (marker.up.kind === "strand" ? marker.up : null), chainOf(head)]);
    }
    for (let left = flows; ; ) {
      const into = new Set(left.map((f) => f[0])),
        of = new Set(left.map((f) => f[1])),
        more = left.filter(([a, b]) => of.has(a) && into.has(b));
      if (more.length === left.length) return into;
      left = more;
    }
  }
  /** If the `to` of a claim is off, any break ends it that comes next in what flows in: the strands with such breaks. */
  function ending() {
    const inFlow = new Map(), // strand => the claims that flow into it; null: from gaps, into whatever is around
      divided = new Set(),
      out = new Set(),
      from = [null];
    for (const c of claims)
      if (c.marker.kind === "seam") {
        const { up } = c.marker,
          into = heldBy.get(c.marker) ?? (up.kind === "strand" ? up : null);
        inFlow.set(into, [...(inFlow.get(into) ?? []), chainOf(c.head)]);
      }
    for (const c of claims) {
      const end = all.get(c.to);
      if (end?.kind === "break" && off(end)) from.push(chainOf(c.head));
    }
    if (from.length === 1 || !inFlow.size) return out;
    for (const x of all.values()) if (x.kind === "break" && !off(x)) divided.add(chainOf(x));
    for (const seen = new Set(); from.length; ) {
      const strand = from.pop();
      if (seen.has(strand)) continue;
      seen.add(strand);
      for (const chain of inFlow.get(strand) ?? []) {
        if (divided.has(chain)) out.add(chain);
        from.push(chain);
      }
    }
    return out;
  }
  while (todo.length)
    for (let x = todo.pop(); x && !carries.has(x); x = x.up) {
      carries.add(x);
      for (const c of [...claimsOf(x), ...(ofChain.get(x) ?? [])]) todo.push(c.marker.up);
    }

  // A frame is one walk of one strand for one owner: "home", or a claim. Every walk of a strand passes all of it, with the same `stack` (whose what
  // follows is: the last entry), and shows what belongs to its owner. `parent`: the frame it is shown in; `host`: the frame it flows into (seam);
  // `piece`: what is being filled; `seams`: what will flow in at the end of the piece; `behind`: breaks whose gaps are walked behind it;
  // `last`: the piece whose end is not met yet; `segment`: the claim that is being shown around it; `walked`: the innermost claim that is walked around it.
  const outer = (f) => (f.host ? outer(f.host) : f);
  const target = (f) => (!f.show ? null : f.host ? target(f.host) : f.piece);
  const shows = (f) => f.show && (!f.host || shows(f.host));
  const owner = (f) => f.stack.at(-1).owner;
  /** Does what stands in the gaps of its breaks belong to this walk? */
  const here = (f, who = owner(f)) => who === f.owner && (!f.host || (f.host.show && here(f.host)));
  /** What was removed itself: it goes with what it was joined to. */
  const removed = (x) => !!x.regs.gone;
  const bare = (p) => !p.kids.some((k) => k.text !== undefined || k.head);
  const put = (f, kid) => {
    const p = target(f);
    if (p) p.kids.push(kid);
  };

  function enter(strand, who, parent, host, raw) {
    const at = host ?? parent,
      showing = !!target(at);
    if (showing && who !== "home") {
      if (entered.has(who.id)) {
        again.add(who.id);
        return;
      }
      entered.add(who.id);
    } // a claim is shown once
    // where nothing is shown, only breaks of outer chains and the ends of claims matter
    const key = who === "home" ? `${strand.id} in ${at.walked}` : `${who.id} in ${at.segment}`;
    if (active.has(key) || (!showing && !carries.has(strand))) return;
    if (showing && who !== "home" && who !== claimsOf(who.head)[0]) reached.add(who.id);
    active.add(key);
    const f = {
      strand,
      owner: who,
      segment: showing && who !== "home" ? who.id : at.segment,
      walked: who === "home" ? at.walked : key,
      parent,
      host,
      raw,
      stack: [{ owner: "home", to: null }],
      show: false,
      piece: null,
      props: {},
      gone: null,
      seams: [],
      behind: [],
      last: null,
    };
    if (strand.up?.kind === "break" && strand.up.regs.off === "erased" && off(strand.up))
      f.gone = { to: null, unwrap: false }; // put between what another erased
    head(f, strand);
    walk(strand, f);
    if (held.has(strand)) {
      const items = held.get(strand),
        last = items.at(-1);
      walk(strand.up, f, items, last ? last.index + (last.text?.length ?? 1) : strand.index + 1);
    }
    endPiece(f);
    active.delete(key);
  }
  /** A head begins: whose it and what follows is, what it inherits along the chain, and its piece, if it is shown by this walk. */
  function head(f, x) {
    f.claimed = chainOf(x) === f.strand ? claimsOf(x).length : 0;
    if (f.claimed) for (const c of [...claimsOf(x)].reverse()) f.stack.push({ owner: c, to: c.to });
    f.props = { ...f.props, ...propsOf(x) };
    if (x.regs.gone !== undefined) f.gone = x.regs.gone;
    f.show = owner(f) === f.owner;
    const o = outer(f),
      into = shows(f) ? target(o.parent) : null;
    if (!f.show && f.owner === "home" && target(o.parent)) target(o.parent).absent = true;
    if (f.host && x === f.owner.head) {
      if (f.show && target(f)) {
        reached.add(f.owner.id);
        f.last = { head: x, to: null, beyond: [], gone: f.gone };
        target(f).joined.push(f.last);
      }
      return;
    }
    if (!into) {
      if (!f.host || shows(f)) o.piece = null;
      return;
    }
    const piece = {
      head: x,
      props: f.props,
      kids: [],
      frame: f,
      raw: f.raw,
      ...kindOf(f.strand, f.props, schema),
      gone: f.gone,
      joined: [],
      absent: false,
      again: begun.has(x),
      to: null,
      beyond: [],
      prev: o.lastPiece ?? null,
    };
    begun.add(x);
    if (o.lastPiece) o.lastPiece.next = piece;
    f.last = o.lastPiece = o.piece = piece;
    if (x === f.owner.head) reached.add(f.owner.id);
    into.kids.push(piece);
  }
  function walk(seq, f, items = seq.items.filter((it) => !isHeld.has(it)), end = seq.length) {
    const inHeld = seq !== f.strand && seq.kind === "strand",
      at = (index) => ({ seq, index, frame: f, props: f.props, piece: target(f), held: inHeld });
    const cursor = (index) => put(f, { cursor: true, ...at(index) });
    for (const it of items) {
      if (it.foreign) continue;
      cursor(it.index);
      const x = it.node;
      if (!x) put(f, { text: it.text, raw: it.raw, client: it.client, clock: it.clock, ...at(it.index) });
      else if (x.kind === "strand") enter(x, "home", f, null, it.raw);
      else if (x.kind === "place") {
        const into = target(f),
          had = into?.kids.length;
        for (const c of registeredAt(x)) enter(chainOf(c.head), c, f, null, it.raw);
        if (into && !into.kids.slice(had).some((k) => k.head)) into.absent = true; // nothing is shown there
      } else if (x.kind === "seam") f.seams.push(x);
      else if (x.kind === "break") meet(x, f);
    }
    cursor(end);
  }
  const answers = (f, id) => f.strand.id === id || (f.host ? answers(f.host, id) : false);
  /** A break in the sequence of `f`, or in a gap that is walked in `f`. */
  function meet(b, f) {
    const { of } = b.regs;
    let d = f;
    if (of !== undefined && !answers(f, of)) {
      const type = scalar(all.get(of)?.regs.own.type),
        up = (test) => {
          for (let g = f; g; g = g.host ?? g.parent) if (test(g)) return g;
          return null;
        };
      d = up((g) => answers(g, of)) ?? up((g) => type !== undefined && g.parent && g.props.type === type);
    }
    if (!d?.parent) return walk(b, f); // divides nothing
    for (let g = f; g !== d; g = g.host ?? g.parent) if (!g.show) return; // it is shown elsewhere
    if (d !== f && outer(d) !== outer(f)) {
      let c = outer(f);
      while (outer(c.parent) !== outer(d)) c = outer(c.parent);
      c.behind.push(b);
      return;
    } // divides behind what is open in it
    // a join to what another removed with all its text is void (if nothing else hangs on it: every walk has to come to the same)
    const p = target(d),
      beyond = d.gone && d.gone.to !== b.id && !d.gone.over,
      nothing = p?.gone && bare(p) && !removed(b) && !beyond && b.items.every((it) => it.foreign) && !ends(d, b);
    if (p && b.regs.off && !off(b) && !nothing) p.absent = true; // what somebody joined to it is shown elsewhere
    if (!off(b) || nothing) return divide(d, b);
    // what another joined to what ends at this break, not knowing of this join, stands before what is behind the break
    if (!(p?.gone && bare(p)))
      flow(
        d,
        d.seams.splice(0).filter((s) => rankOf(s) < rank(b) || !d.seams.push(s)),
      );
    for (let g = d; g; g = next(g)) {
      for (const e of g.stack) if (e.to === b.id) e.over = true;
      if (g.gone?.to === b.id) g.gone = { ...g.gone, over: true };
    }
    if (b.regs.gone) d.gone = { to: b.regs.gone.to };
    // its gap is behind the piece, so it does not go along if the piece is moved: it stays where the chain was, as that of any break
    const end = d.stack.findIndex((e) => e.over),
      last = d.stack.length - 1;
    if (here(d, d.stack[Math.min(end > 0 ? end - 1 : last, last - d.claimed)].owner)) d.behind.push(b);
  }
  function divide(d, b) {
    endPiece(d);
    flushBehind(outer(d));
    for (let g = d; g; g = next(g)) until(g, b);
    if (here(d)) walk(b, outer(d).parent); // the gap is part of the parent's sequence, and stays where the chain was
    head(d, b);
  }
  const ends = (d, b) => {
    for (let g = d; g; g = next(g)) if (g.stack.some((e) => e.to === b.id || e.over)) return true;
    return false;
  };
  const next = (f) => (owner(f) === f.owner ? f.host : null);
  /** What ends at this break, in the chain that it divides and in those that this one flows into: claims, what is gone, the piece. */
  function until(f, b) {
    const end = f.stack.findIndex((e) => e.to === b.id || e.over);
    if (end > 0) f.stack.splice(end);
    if (f.gone && (f.gone.to === b.id || f.gone.over)) f.gone = null;
    if (f.last) {
      f.last.to = b;
      f.last.beyond = f.stack
        .map((e) => e.owner)
        .filter((c) => c.head === f.last.head)
        .reverse();
    }
    f.last = null;
    f.show = owner(f) === f.owner;
  }
  /** At the end of a piece: what is joined to it flows in; then what waited in the gaps of joined breaks. */
  function endPiece(f) {
    flow(f, f.seams.splice(0));
    if (f.host) f.host.behind.push(...f.behind.splice(0));
    else flushBehind(f);
  }
  /** Who joins one after the other puts the second into the first, so these are of people who did not know of each other: they come in the order in which they stand. */
  function flow(f, seams) {
    const into = target(f),
      nothing = into?.gone && bare(into); // as above
    // what was divided off has flowed in at a seam, and is shown elsewhere
    if (into?.head.kind === "break" && seams.some((s) => !registeredAt(s).length)) into.absent = true;
    for (const s of seams.sort((a, b) => rankOf(a) - rankOf(b)))
      for (const c of registeredAt(s))
        if (nothing && !removed(c.head)) refused.push(c);
        else if (f.parent) enter(chainOf(c.head), c, outer(f).parent, f, s.raw);
        else enter(chainOf(c.head), c, f, null, s.raw);
  }
  function flushBehind(f) {
    for (const b of f.behind.splice(0))
      if (off(b)) walk(b, f.parent);
      else divide(f.parent, b);
  }

  /** The walk from the root, or only of what one claim shows. */
  const from = (who) => {
    const f = {
      strand: all.get("root"),
      owner: "home",
      segment: "root",
      walked: "root",
      parent: null,
      host: null,
      stack: [{ owner: "home" }],
      claimed: 0,
      show: true,
      props: {},
      seams: [],
      behind: [],
    };
    f.piece = { head: f.strand, props: {}, kids: [], frame: f, joined: [], absent: false };
    if (who === "root") {
      walk(f.strand, f);
      endPiece(f);
    } else {
      const c = claims.find((d) => d.id === who.id);
      enter(chainOf(c.head), c, f, null, {});
    }
    return f.piece;
  };
  return { from, reached, again, refused, begun, claims, claimsOf, chainOf };
}

/** A type is compared by what it is: text, number, yes or no; any other is nobody's. */
const scalar = (type) => (type !== null && typeof type === "object" ? undefined : type);
