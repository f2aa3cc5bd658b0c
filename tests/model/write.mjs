// What a flush writes: the difference between what the document shows and what the editor shows.
// Phases 0 to 4 keep identity (what was divided, joined, removed); 5 moves everything else to where it has to be, first elements, then text,
// until the view equals the tree; 6 properties and formats; 7 what would be hidden or shown against the editor. After every write the view is
// built anew (`see`), so that every phase works on what the document shows now.
import * as Y from "yjs";
import {
  aroundName,
  attributeName,
  canBeAround,
  equal,
  idOf,
  keyName,
  keyOf,
  kindName,
  markName,
  NONE,
  pinName,
  rawAt,
  resolve,
} from "./doc.mjs";
import { gapForBreak, gapForElement, gapForText, units } from "./gap.mjs";
import { view } from "./view.mjs";

export function write({ root, tree, joins, schema, client }) {
  const shown = new Set(),
    byId = new Map(),
    charIds = new Set(),
    up = new Map();
  let v, t;
  const see = () => (v = view(root, schema, shown));
  const piece = (id) => v.pieces.get(id);

  // ---- the tree: which of its elements are strands and pieces, and which are formats ----
  const saying = (props) => kindName(schema.isInline(props), schema.isVoid(props));
  const isInline = (n) => n.kids && schema.isInline(n.props);
  const filled = (n) => n.kids.some((k) => (k.chars ? k.chars.length > 0 : isAround(k) ? filled(k) : true));
  /** An element around text is a keyed format. Empty ones, voids, and those that are strands already, are strands. */
  const isAround = (n) => {
    if (!n.kids || n.id !== null || !filled(n) || !n.kids.every((k) => k.chars || isInline(k))) return false;
    return (!!n.key || (isInline(n) && !schema.isVoid(n.props))) && canBeAround(n.props.type);
  };
  /** The units that an element has to show: characters and elements, each with the elements around it and its marks. */
  const wanted = (n, around = [], out = []) => {
    for (const k of n.kids) {
      if (k.chars) for (const c of k.chars) out.push({ c, id: c.id, char: c.char, marks: k.marks, around });
      else if (isAround(k)) wanted(k, [...around, k], out);
      else out.push({ c: k, id: k.id, el: k, around });
    }
    return out;
  };
  /** All elements, the inner ones first. */
  const each = (n, f, parent = null) => {
    for (const k of n.kids) if (k.kids) each(k, f, n);
    f(n, parent);
  };
  const index = () => {
    shown.clear();
    byId.clear();
    charIds.clear();
    up.clear();
    each(tree, (n, parent) => {
      up.set(n, parent);
      if (n.id) {
        byId.set(n.id, n);
        shown.add(n.id);
      }
      for (const k of n.kids)
        if (k.chars)
          for (const c of k.chars)
            if (c.id) {
              charIds.add(c.id);
              up.set(c.id, n);
            }
    });
  };
  /** Has it anything that was there before this flush? */
  const old = (n) => n.kids.some((k) => (k.chars ? k.chars.some((c) => c.id) : k.id !== null || old(k)));

  // ---- small writes ----
  /** A new strand or marker at a cursor; a marker within what an open strand holds names it. */
  const make = (cursor, registers, props = {}) => {
    const type = new Y.XmlText(),
      of = registers["@"] && cursor.held ? { "@of": cursor.frame.strand.id } : {},
      own = Object.entries(props).map(([k, value]) => [attributeName(k), value]);
    cursor.seq.type.insertEmbed(cursor.index, type, { ...rawAt(cursor.seq, cursor.index) });
    for (const [k, value] of [...Object.entries({ ...registers, ...of }), ...own])
      if (value !== undefined) type.setAttribute(k, value);
    return type;
  };
  const drop = (node) => node.up.type.delete(indexIn(node), 1);
  const indexIn = (node) => {
    let i = 0;
    for (let it = node.up.type._start; it; it = it.right) {
      if (it === node.type._item) return i;
      if (!it.deleted && it.countable) i += it.length;
    }
    throw new Error("not there");
  };
  const erase = (chars) => {
    for (const u of [...chars].sort((a, b) => b.index - a.index)) u.seq.type.delete(u.index, 1);
  };
  /** A piece is shown at the marker from now on. What comes behind it stays where it is. Markers that it leaves go, if nobody else is registered there. */
  const register = (p, marker) => {
    const x = p.head,
      beyond = p.beyond.map((c) => [c.marker.id, c.to]),
      others = [...v.all.values()].filter((y) => y !== x && y.regs.at);
    const left = [...v.all.values()]
      .filter((m) => m.regs.head === x.id || v.claimsOf(x).some((c) => c.marker === m))
      .filter((m) => m.id !== marker && !beyond.some(([id]) => id === m.id));
    if (x.kind === "break" && v.chainOf(x) !== p.frame.strand) x.type.setAttribute("@of", p.frame.strand.id);
    x.type.setAttribute("@at", [t, [marker, p.to?.id ?? null], ...beyond]);
    for (const m of left) if (!others.some((y) => y.regs.at.claims.some((c) => c.marker === m.id))) drop(m);
  };

  // ---- 0: at the start and at the end nothing is divided ----
  index();
  each(tree, (f) => {
    const left = !f.id && !f.key && f.origin && byId.get(f.origin);
    if (left && !old(left) && old(f)) {
      f.id = left.id;
      left.id = null;
      byId.set(f.id, f);
    }
  });
  index();
  see();
  t = v.time + 1;
  const start = v;

  // ---- 1: characters that are gone ----
  const lost = [];
  for (const p of v.pieces.values())
    if (!p.hidden) for (const u of units(p).list) if (u.char && !charIds.has(u.id)) lost.push(u);
  const bySeq = new Map();
  for (const u of lost) bySeq.set(u.seq, [...(bySeq.get(u.seq) ?? []), u]);
  for (const us of bySeq.values()) erase(us);
  if (lost.length) see();

  // ---- 2: what was divided: a break, the inner one first ----
  const divided = [];
  each(tree, (f) => {
    if (!f.id && !f.key && f.origin) divided.push(f);
  });
  for (const f of divided) {
    const first = wanted(f).find((u) => u.id),
      holder = first && [...v.pieces.values()].find((p) => !p.hidden && units(p).list.some((u) => u.id === first.id));
    if (!holder?.frame.parent) continue;
    const chain = holder.frame.strand,
      from = start.pieces.get(f.origin);
    if (from?.frame.strand.id !== chain.id && !joins.has(holder.head.id)) continue;
    const us = units(holder),
      i = us.list.findIndex((u) => u.id === first.id),
      cursor = i > 0 && gapForBreak(holder, us, i);
    if (!cursor) continue;
    const own = {}; // only what differs from what it inherits
    for (const k of new Set([...Object.keys(f.props), ...Object.keys(cursor.props)]))
      if (!equal(f.props[k], cursor.props[k])) own[k] = f.props[k] ?? null;
    f.id = idOf(
      make(
        cursor,
        { "@": "break", "@of": cursor.seq !== cursor.frame.strand ? cursor.frame.strand.id : undefined },
        own,
      ),
    );
    index();
    see();
  }

  // ---- 3: what was joined; what was emptied into its neighbour and removed was joined too ----
  const leaves = (p, out = []) => {
    for (const u of units(p).list) {
      out.push(u.id);
      if (u.piece) leaves(u.piece, out);
    }
    return out;
  };
  const within = (id, n) => {
    for (let m = up.get(id) ?? up.get(byId.get(id)); m; m = up.get(m)) if (m === n) return true;
    return false;
  };
  const survivors = (p) => leaves(p).filter((id) => charIds.has(id) || byId.has(id));
  const vanished = [];
  const post = (p) => {
    for (const u of units(p).list) if (u.piece) post(u.piece);
    if (p.head.id !== "root" && !byId.has(p.head.id)) vanished.push(p);
  };
  post(start.root);
  const joined = new Set(),
    isLost = (u) => u?.char && !charIds.has(u.id);
  for (const was of vanished) {
    const id = was.head.id,
      live = survivors(was);
    let into = null;
    if (joins.has(id)) {
      const first = units(was).list.find((u) => charIds.has(u.id) || byId.has(u.id));
      into = first ? (up.get(first.id) ?? up.get(byId.get(first.id))) : joins.get(id);
      while (into?.key) into = up.get(into);
    } else if (live.length) {
      const list = was.up ? units(was.up).list : [],
        w = list[list.findIndex((u) => u.id === id) - 1]?.piece,
        n = w && byId.get(w.head.id);
      if (n && live.every((x) => within(x, n)) && !schema.isInline(was.props)) into = n;
    }
    const x = piece(id),
      host = into?.id && piece(into.id);
    if (!host || !x || x === host) continue;
    joined.add(id);
    if (!live.length && !x.gone) x.head.type.setAttribute("@gone", [x.to?.id ?? null]); // with all its text: what nobody saw in it does not stay as an empty line
    const breaks = [];
    let q = x;
    for (
      ;
      q &&
      q !== host &&
      q.head.kind === "break" &&
      q.head !== q.frame.owner.head &&
      !v.claimsOf(q.head).length &&
      (q === x || q.hidden);
      q = q.prev
    )
      breaks.push(q.head);
    const erased =
      isLost(units(was).list[0]) &&
      start.pieces.has(host.head.id) &&
      isLost(units(start.pieces.get(host.head.id)).list.at(-1)); // across it
    if (q === host) for (const b of breaks) b.type.setAttribute("@off", erased ? "erased" : true);
    else {
      const us = units(host),
        c = us.gaps
          .at(-1)
          .filter((c) => c.piece === host)
          .at(-1);
      if (!c) {
        joined.delete(id);
        continue;
      }
      register(x, idOf(make(c, { "@": "seam", "@for": x.head.id })));
    }
    see();
  }

  // ---- 4: what was removed ----
  for (const was of vanished)
    if (!joined.has(was.head.id)) {
      const x = piece(was.head.id) ?? was;
      const moved = survivors(was).length > 0;
      for (const y of [x, ...was.joined])
        if (!y.gone) y.head.type.setAttribute("@gone", moved ? [y.to?.id ?? null, true] : [y.to?.id ?? null]);
    }
  see();

  // ---- 5: everything else ----
  const idsAt = (node, from, n) => {
    const out = [];
    for (const it of v.all.get(node.id).items)
      for (let i = 0; i < (it.text?.length ?? 0); i++)
        if (it.index + i >= from && it.index + i < from + n) out.push(`${it.client}:${it.clock + i}`);
    return out;
  };
  const keys = new Map(); // the keys that this flush gives
  const keyFor = (name, node) => {
    const k = node ?? name;
    if (!keys.has(k)) keys.set(k, keyName(name, node ? t++ : t, client));
    return keys.get(k);
  };
  /** What to write to make formats `raw` show the wanted: only keys of this flush. Nothing is ever cleared: in Yjs that would cut another's range. */
  const formats = (raw, want) => {
    const has = resolve(raw),
      change = {};
    const marks = want.marks ?? has.marks;
    for (const name of new Set([...Object.keys(marks), ...Object.keys(has.marks)]))
      if (!equal(marks[name], has.marks[name])) change[keyFor(markName(name))] = marks[name] ?? NONE;
    for (const a of has.around) if (!want.around.some((n) => n.key === a.key)) change[keyFor(a.name)] = NONE;
    for (const n of want.around)
      if (!has.around.some((a) => a.key === n.key)) {
        const { type, ...props } = n.props;
        delete change[keyFor(aroundName(type))];
        change[n.key] = props;
      }
    return change;
  };
  /** Where the units that are in both stand in the same order; those that were moved give way, until they have been placed: what comes along with them is moved then. */
  const inOrder = (have, want) => {
    const pos = new Map(have.map((u, i) => [u.id, i])),
      a = want.filter((u) => u.id && pos.has(u.id));
    let n = 0;
    while (n < a.length && a[n].id === have[n]?.id) n++;
    const keep = new Set(a.slice(0, n).map((u) => u.id)),
      rest = a.slice(n),
      best = [];
    for (const [i, u] of rest.entries()) {
      // the heaviest rising sequence
      best[i] = { w: 0, prev: -1 };
      for (let j = 0; j < i; j++)
        if (pos.get(rest[j].id) < pos.get(u.id) && best[j].w > best[i].w) best[i] = { w: best[j].w, prev: j };
      best[i].w += u.el?.placed ? 1000 : u.el?.moved ? 1 : 1.9;
    }
    let i = best.reduce((m, b, j) => (m < 0 || b.w > best[m].w ? j : m), -1);
    for (; i >= 0; i = best[i].prev) keep.add(rest[i].id);
    return keep;
  };
  let changed,
    texts = false;
  /** One write that brings a piece closer to what it has to be; false if there is none. */
  const step = (n) => {
    const p = piece(n.id),
      us = units(p),
      want = wanted(n),
      keep = inOrder(us.list, want);
    const stale = us.list.filter((u) => u.char && !keep.has(u.id));
    const at = want.findIndex((u) => (texts || !u.char) && !keep.has(u.id));
    if (at < 0) {
      if (texts && stale.length) {
        erase([stale.at(-1)]);
        return true;
      }
      return false;
    }
    const left = want
        .slice(0, at)
        .filter((u) => keep.has(u.id))
        .at(-1),
      right = want.slice(at).find((u) => keep.has(u.id)),
      u = want[at];
    const l = left ? us.list.findIndex((x) => x.id === left.id) + 1 : 0,
      r = right ? us.list.findIndex((x) => x.id === right.id) : us.list.length;
    if (u.char) {
      if (u.id) {
        // text that was moved by itself is written again
        const from = [...v.pieces.values()].flatMap((q) => (q.hidden ? [] : units(q).list)).find((x) => x.id === u.id);
        u.c.id = null;
        if (from) {
          erase([from]);
          return true;
        }
      }
      // it stands with the neighbour whose formats it has
      const near = [us.list[l - 1], us.list[l]].find((x) => x?.char && !Object.keys(formats(x.raw, u)).length);
      let cursor =
        (near && near === us.list[l] ? us.gaps[l].at(-1) : null) ?? gapForText(p, us, l) ?? gapForText(p, us, r);
      if (!cursor) {
        if (split(us, l)) return true;
        cursor = inside(p);
      }
      const alike = (w) =>
        w?.char &&
        !w.id &&
        w.around.length === u.around.length &&
        w.around.every((a, i) => a === u.around[i]) &&
        equal(w.marks, u.marks);
      let n = 1;
      while (alike(want[at + n])) n++;
      cursor.seq.type.insert(
        cursor.index,
        want
          .slice(at, at + n)
          .map((x) => x.char)
          .join(""),
        near ? near.raw : formats({}, u),
      );
      see();
      idsAt(cursor.seq, cursor.index, n).forEach((id, i) => {
        want[at + i].c.id = id;
      });
      return true;
    }
    const x = u.id && v.pieces.get(u.id),
      bare = x ? null : bareText(p, u.el);
    const cursor = bare ?? gapForElement(p, us, l, r) ?? (split(us, r) || opened(p) ? null : inside(p));
    if (!cursor) return true;
    u.el.placed = true;
    if (x) register(x, idOf(make(cursor, { "@": "place" })));
    else {
      u.el.id = idOf(make(cursor, { "@open": bare ? true : undefined, "@kind": saying(u.el.props) }, u.el.props));
      shown.add(u.el.id);
      byId.set(u.el.id, u.el);
    }
    return true;
  };
  /** A new element around text that stands, bare, in the element p: an open strand before that text holds it. Nothing is copied. */
  const bareText = (p, el) => {
    const first = wanted(el)[0],
      at =
        first?.char &&
        first.id &&
        [...v.pieces.values()].flatMap((q) => (q.hidden ? [] : units(q).list)).find((x) => x.id === first.id);
    let holder = at?.run.piece;
    while (holder?.spill) holder = holder.up;
    return holder === p && at.seq.kind === "strand"
      ? { ...at.run, text: undefined, cursor: true, index: at.index }
      : null;
  };
  const inside = ({ head }) =>
    head.kind === "break" ? { seq: head.up, index: indexIn(head) + 1 } : { seq: head, index: 0 };
  /** A break of which nothing is shown ended the piece inside its last child: there is no position behind that. It is switched off. */
  const opened = (p) => {
    const b = p.to;
    if (!b || b.regs.off || v.claimsOf(b).length || v.pieces.get(b.id)?.hidden !== true) return false;
    b.type.setAttribute("@off", true);
    return true;
  };
  /** Two that stand at one place have no gap between: those behind get places of their own. */
  const split = (us, i) => {
    const cursor = us.gaps
        .slice(i)
        .find((g) => g.length)
        ?.at(-1),
      x = us.list[i]?.piece;
    if (!x || !cursor) return false;
    register(x, idOf(make(cursor, { "@": "place" })));
    return true;
  };
  const arrange = (n) => {
    for (let i = 0; step(n); i++) {
      changed = true;
      see();
      if (i > 400) throw new Error("endless");
    }
    for (const u of wanted(n)) if (u.el) arrange(u.el);
  };
  /** What came to show itself in this flush (what held it is gone, and its claim void), and the editor does not show: text beside it would be shown in it. */
  const appeared = () => {
    for (let i = 0; i < 10; i++) {
      const extra = [],
        go = (p) => {
          for (const k of p.kids)
            if (k.head) {
              if (!shown.has(k.head.id) && !k.gone) extra.push(k);
              go(k);
            }
        };
      go(v.root);
      if (!extra.length) break;
      for (const p of extra) p.head.type.setAttribute("@gone", [p.to?.id ?? null]);
      see();
    }
  };
  // Elements around text: older ones stand outside. What is new, was changed, or was split off beside its like gets a key of its own.
  const ageOf = (n) => keyOf(n.key).t;
  let last = null;
  const giveKeys = (n, least) => {
    for (const k of n.kids) {
      if (k.chars) {
        if (k.chars.length) last = null;
        continue;
      }
      if (!isAround(k)) {
        last = null;
        giveKeys(k, 0);
        last = null;
        continue;
      }
      if (!k.key || k.changed || last === k.key || ageOf(k) < least) k.key = keyFor(aroundName(k.props.type), k);
      giveKeys(k, ageOf(k));
      last = k.key;
    }
  };
  giveKeys(tree, 0);
  // first the elements, then the text: what stands beside an element that has yet to go is shown in it (stray text)
  for (texts of [false, true]) {
    if (texts) appeared();
    for (let pass = 0; pass < 20; pass++) {
      changed = false;
      arrange(tree);
      if (!changed) break;
    }
  }

  // ---- 6: properties and formats ----
  const props = (n) => {
    if (n.id && n.id !== "root") {
      const p = piece(n.id),
        { head } = p,
        was = start.pieces.get(n.id)?.props,
        names = [...new Set([n.props, p.props, was ?? {}].flatMap(Object.keys))];
      const edited = (k) => was && !equal(was[k], n.props[k]),
        { own, pins } = head.regs,
        has = (k) => k in own && equal(own[k], n.props[k]);
      const differ = names.filter(
        (k) => !equal(n.props[k], p.props[k]) || (head.kind === "break" && edited(k) && !has(k)),
      );
      for (const k of differ) {
        const value = n.props[k] ?? null;
        if (head.kind === "break")
          head.type.setAttribute(edited(k) || k in own ? attributeName(k) : pinName(k), value); // null says: none, though what it divides has one
        else if (value === null && !(k in pins)) head.type.removeAttribute(attributeName(k));
        else head.type.setAttribute(attributeName(k), value);
      }
      if (differ.length) see();
    }
    for (const k of n.kids) if (k.kids) props(k);
  };
  for (let n = 0, was = null; n < 20 && was !== v; n++) {
    was = v;
    props(tree);
  } // along a chain one inherits from another
  /** What a chain says of its kind follows what all of its elements are now; if they are not the same, it says nothing. */
  const kinds = () => {
    const said = new Map();
    each(tree, (n) => {
      const p = n.id && n.id !== "root" && piece(n.id);
      if (!p) return;
      const { strand } = p.frame,
        was = start.pieces.get(n.id),
        kind = saying(n.props),
        known = said.get(strand) ?? { kind, some: false, mixed: false };
      known.mixed ||= known.kind !== kind;
      known.some ||= kindName(p.inline, p.void) !== kind || (was && kindName(was.inline, was.void) !== kind);
      said.set(strand, known);
    });
    for (const [{ type, regs }, { kind, some, mixed }] of said) {
      if (some && !mixed) type.setAttribute("@kind", kind ?? "block");
      else if (some && regs.says) type.removeAttribute("@kind");
    }
    if ([...said.values()].some((k) => k.some)) see();
  };
  kinds();
  // an element around text that stands, here or there, under a newer one of its name gets a new key
  const renew = (n) => {
    const us = units(piece(n.id)).list;
    wanted(n).forEach((w, i) => {
      for (const a of w.around) {
        const { name, t: age } = keyOf(a.key);
        if (!(a.key in us[i].raw) && Object.keys(us[i].raw).some((k) => keyOf(k).name === name && keyOf(k).t >= age)) {
          keys.delete(a);
          a.key = keyFor(name, a);
        }
      }
      if (w.el) renew(w.el);
    });
  };
  renew(tree);
  const paint = (n) => {
    const us = units(piece(n.id)).list,
      want = wanted(n),
      todo = [];
    want.forEach((w, i) => {
      const u = us[i];
      if (w.el && !schema.isInline(w.el.props)) return;
      const change = formats(u.raw, w.el ? { around: w.around } : w);
      if (!Object.keys(change).length) return;
      const token = u.char ? null : (v.claimsOf(u.piece.head)[0]?.marker ?? u.piece.head),
        pos = u.char ? u : { seq: token.up, index: token.index };
      const last = todo.at(-1);
      if (last && last.seq === pos.seq && last.index + last.n === pos.index && equal(last.change, change)) last.n++;
      else todo.push({ seq: pos.seq, index: pos.index, n: 1, change });
    });
    for (const d of todo) d.seq.type.format(d.index, d.n, d.change);
    for (const w of want) if (w.el) paint(w.el);
  };
  paint(tree);
  // A key of one's own is cleared, whole, when a newer key of one's own covers all of it. Nothing else is ever cleared.
  const compact = () => {
    const runs = new Map(),
      needed = new Set(); // own key → where it stands; those that something shows or could show
    for (const { type, items } of v.all.values())
      for (const { raw, index, text } of items)
        for (const key of Object.keys(raw)) {
          const k = keyOf(key);
          if (k.client !== client || !k.t) continue;
          if (
            !Object.keys(raw)
              .map(keyOf)
              .some((o) => o.name === k.name && o.client === client && o.t > k.t)
          ) {
            needed.add(key);
            continue;
          }
          const list = runs.get(key) ?? runs.set(key, []).get(key),
            last = list.at(-1),
            n = text?.length ?? 1;
          if (last?.type === type && last.index + last.n === index) last.n += n;
          else list.push({ type, index, n });
        }
    for (const [key, list] of runs)
      if (!needed.has(key)) for (const { type, index, n } of list) type.format(index, n, { [key]: null });
  };
  if (keys.size) {
    see();
    compact();
  }

  // ---- 7: what the editor shows and the view would hide; who works in what was removed gives it a life ----
  for (let i = 0; i < 10; i++) {
    const now = view(root, schema),
      displayed = new Set(["root"]);
    const go = (p) => {
      for (const k of p.kids)
        if (k.head) {
          displayed.add(k.head.id);
          go(k);
        }
    };
    go(now.root);
    const missing = [...shown]
      .filter((id) => !displayed.has(id))
      .map((id) => now.pieces.get(id))
      .filter((p) => p && (p.hidden || !shown.has(p.up.head.id)));
    const spilled = [...shown].map((id) => now.pieces.get(id)).filter((p) => p?.spill),
      extra = [...displayed].filter((id) => id !== "root" && !shown.has(id)).map((id) => now.pieces.get(id));
    if (!missing.length && !spilled.length && !extra.length) break;
    for (const p of [...missing, ...spilled])
      if (p.gone) {
        p.head.type.setAttribute("@gone", false);
        if (p.to && p.to.id !== p.gone.to && p.to.regs.gone === undefined) p.to.type.setAttribute("@gone", [p.gone.to]); // what inherited it from here
      } else p.head.type.setAttribute("@keep", true);
    for (const p of extra) p.head.type.setAttribute("@gone", [p.to?.id ?? null]);
  }
}
