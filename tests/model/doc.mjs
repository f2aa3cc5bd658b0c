// Reads the Y document: nodes (strands, breaks, places, seams) with their sequences, registers, keyed formats. All that says
// how a document is read strictly is here; `src/slate/ydoc` is the same in Rust.
import * as Y from "yjs";

/** What is nested deeper is not read. */
export const MAX_NESTING = 1000;
/** Elements that would be shown deeper are transparent. */
export const MAX_SHOWN = 100;

export const idOf = (type) => (type._item ? `${type._item.id.client}:${type._item.id.clock}` : "root");
/** An id as a register writes it, in its one form; null if it is none. */
export function idFrom(value) {
  const parts = typeof value === "string" && /^(\d{1,16}):(\d{1,16})$/.exec(value);
  if (!parts) return null;
  const [client, clock] = [Number(parts[1]), Number(parts[2])];
  return client <= Number.MAX_SAFE_INTEGER && clock < 2 ** 32 ? `${client}:${clock}` : null;
}
/** Ids compare as numbers: client, then clock. The root's is the greatest. */
export function byId(a, b) {
  const [c, n] = numbers(a),
    [d, m] = numbers(b);
  return c === d ? n - m : c < d ? -1 : 1;
}
const numbers = (id) => (id === "root" ? [Number.POSITIVE_INFINITY, 0] : id.split(":").map(Number));
/** As Rust compares strings: by code points. */
export function byText(a, b) {
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++)
    if (x[i] !== y[i]) return x[i].codePointAt(0) - y[i].codePointAt(0);
  return x.length - y.length;
}

const KINDS = new Map([
  ["inline", { inline: true, void: false }],
  ["void", { inline: false, void: true }],
  ["inline void", { inline: true, void: true }],
  ["block", { inline: false, void: false }],
]);
/** What `@kind` says of an element that is inline or void; undefined for a block, which says nothing. */
export const kindName = (inline, isVoid) =>
  inline && isVoid ? "inline void" : inline ? "inline" : isVoid ? "void" : undefined;
/** How a property is named as an attribute: those that begin with `@` are written `@@…`. */
export const attributeName = (name) => (name[0] === "@" ? `@${name}` : name);
/** And its pin: weaker than the property, stronger than what is inherited. */
export const pinName = (name) => `@=${name}`;

const isTime = (t) =>
  typeof t === "bigint" ? t >= 0n && t <= BigInt(Number.MAX_SAFE_INTEGER) : Number.isSafeInteger(t) && t >= 0;
const isClaim = (c) => Array.isArray(c);

/**
 * The registers among the attributes of a nested type; what has not the right shape is none.
 * { kind, at: { t, claims: [{ marker, to }] } or null, off: false | true | "erased", gone: undefined | null | { to, unwrap },
 * keep, open, of: undefined | id | null (damaged: no chain), head (`@for`), says: { inline, void } or null, own, pins }
 * A Lamport time above `bound`, the sum of all clocks, was never reached.
 */
export function registersOf(attrs, bound) {
  const at = attrs["@at"],
    gone = attrs["@gone"],
    of = attrs["@of"],
    kind = attrs["@"] ?? "strand",
    own = {},
    pins = {};
  for (const [name, value] of Object.entries(attrs)) {
    if (name.startsWith("@=")) pins[name.slice(2)] = value;
    else if (name.startsWith("@@")) own[name.slice(1)] = value;
    else if (name[0] !== "@") own[name] = value;
  }
  const isAt = Array.isArray(at) && isTime(at[0]) && at[0] <= bound && at.slice(1).every(isClaim);
  return {
    kind: attrs["@"] === undefined || attrs["@"] === null || MARKERS.includes(kind) ? kind : "unknown",
    at: isAt
      ? { t: Number(at[0]), claims: at.slice(1).map(([m, to]) => ({ marker: idFrom(m), to: idFrom(to) })) }
      : null,
    off: attrs["@off"] === true || attrs["@off"] === "erased" ? attrs["@off"] : false,
    gone: gone === false ? null : Array.isArray(gone) ? { to: idFrom(gone[0]), unwrap: gone[1] === true } : undefined,
    keep: attrs["@keep"] === true,
    open: attrs["@open"] === true,
    of: of === undefined || of === null ? undefined : idFrom(of),
    head: idFrom(attrs["@for"]),
    says: KINDS.get(attrs["@kind"]) ?? null,
    own,
    pins,
  };
}
const MARKERS = ["break", "place", "seam"];
/** The properties that a head has itself; of a name that it has not, its pin. */
export const propsOf = (node) => ({ ...node.regs.pins, ...node.regs.own });
/** Whether a strand is inline, void: `@kind` says so for it and its chain; without it the reader's schema, of these properties. */
export const kindOf = (strand, props, schema) =>
  strand.regs.says ?? { inline: !!schema.isInline(props), void: !!schema.isVoid(props) };

/** What is shown of properties or marks: without nulls, and without what a node is. */
export const plain = (o) =>
  Object.fromEntries(
    Object.entries(o).filter(([k, v]) => v !== null && v !== undefined && k !== "text" && k !== "children"),
  );
export const equal = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (o) => {
  if (Array.isArray(o)) return o.map(sorted);
  if (!o || typeof o !== "object") return o ?? null;
  const names = Object.keys(o).sort();
  return Object.fromEntries(names.map((k) => [k, sorted(o[k])]));
};

/**
 * What is no value (a shared type, nothing) is no attribute; those of the root count for nothing. The name of an element is its
 * `type`, where no attribute has that name.
 */
const attributesOf = (type) => {
  if (!type._item) return {};
  const there = [...type._map].filter(([, item]) => !item.deleted),
    own = there.map(([name, item]) => [name, item.content.getContent()[item.length - 1]]),
    named = type instanceof Y.XmlElement && !there.some(([name]) => name === "type") ? [["type", type.nodeName]] : [];
  return Object.fromEntries([...named, ...own].filter(([, v]) => v !== undefined && !(v instanceof Y.AbstractType)));
};
/** What has one sequence of text and nested types: what Yjs 14 makes is an element or a fragment. */
const hasSequence = (type) => type instanceof Y.XmlText || type instanceof Y.XmlFragment;
const boundOf = (doc) => [...doc.store.clients.keys()].reduce((sum, client) => sum + Y.getState(doc.store, client), 0);

/**
 * All nodes by id, in the order of the document.
 * node = { id, type, kind, attrs, regs, up, index, raw, items, length }; items are runs of text or nodes, each with the
 * formats it has (`raw`). An embed that is no text, element or fragment takes up its place and is not shown.
 */
export function scan(root) {
  const all = new Map(),
    bound = boundOf(root.doc);
  let time = 0;
  const see = (t) => {
    if (t > time && t <= bound) time = t;
  };
  const read = (type, up, index, raw, depth) => {
    const attrs = attributesOf(type),
      regs = registersOf(attrs, bound),
      node = { id: idOf(type), type, kind: regs.kind, attrs, regs, up, index, raw, items: [], length: 0 };
    all.set(node.id, node);
    if (regs.at) see(regs.at.t);
    let formats = {};
    for (let item = type._start; item; item = item.right) {
      if (item.deleted) continue;
      const c = item.content;
      if (c instanceof Y.ContentFormat) {
        formats = { ...formats };
        if (c.value === null) delete formats[c.key];
        else {
          formats[c.key] = c.value;
          see(keyOf(c.key).t);
        }
        continue;
      }
      const place = { index: node.length, raw: formats };
      if (c instanceof Y.ContentString)
        node.items.push({ ...place, text: c.str, client: item.id.client, clock: item.id.clock });
      else if (c instanceof Y.ContentType && hasSequence(c.type) && depth < MAX_NESTING)
        node.items.push({ ...place, node: read(c.type, node, node.length, formats, depth + 1) });
      else node.items.push({ ...place, foreign: true });
      node.length += item.length;
    }
    return node;
  };
  read(root, null, 0, {}, 0);
  hideTwice(root.doc, [...all.values()]);
  return { all, time };
}

/** Who writes removed text again says so here: under `=NEW`, `[length, OLD]`. */
const AGAIN = "slate-yrs:again";
/** What was written again and again is followed so far. */
const MAX_CHAIN = 64;

/** Of what two wrote again, each anew, the letters with the lowest ids are shown; the rest is as embeds that nobody knows. */
function hideTwice(doc, nodes) {
  const runs = [];
  for (const [key, value] of doc.getMap(AGAIN).entries()) {
    const first = key[0] === "=" && idFrom(key.slice(1)),
      [len, of] = Array.isArray(value) ? value : [],
      old = idFrom(of);
    const isRun =
      typeof len === "number" &&
      len >= 1 &&
      len <= 2 ** 32 - 1 &&
      [first, old].every((id) => id && numbers(id)[1] + Math.floor(len) < 2 ** 32);
    if (isRun && `=${first}` === key) runs.push({ first, len: Math.floor(len), old });
  }
  if (runs.length < 2) return;
  runs.sort((a, b) => byId(a.first, b.first));
  const plus = (id, n) => `${numbers(id)[0]}:${numbers(id)[1] + n}`;
  const originOf = (id) => {
    let now = id;
    for (let n = 0; n < MAX_CHAIN; n++) {
      const run = runs.findLast((r) => byId(r.first, now) <= 0),
        offset = run && numbers(now)[0] === numbers(run.first)[0] ? numbers(now)[1] - numbers(run.first)[1] : run?.len;
      if (!run || offset >= run.len) break;
      now = plus(run.old, offset);
    }
    return now === id ? null : now;
  };
  const lowest = new Map(),
    lettersOf = (it) => {
      let clock = it.clock;
      return [...it.text].map((letter) => {
        const id = `${it.client}:${clock}`;
        clock += letter.length;
        return { letter, id, origin: originOf(id) };
      });
    };
  for (const node of nodes)
    for (const it of node.items)
      for (const { id, origin } of it.text === undefined ? [] : lettersOf(it))
        if (origin && (!lowest.has(origin) || byId(id, lowest.get(origin)) < 0)) lowest.set(origin, id);
  const isHidden = ({ id, origin }) => origin && lowest.get(origin) !== id;
  for (const node of nodes)
    node.items = node.items.flatMap((it) => {
      const letters = it.text === undefined ? [] : lettersOf(it);
      if (!letters.some(isHidden)) return [it];
      const items = [];
      let offset = 0;
      for (const one of letters) {
        const at = { index: it.index + offset, raw: it.raw },
          last = items.at(-1);
        if (isHidden(one))
          for (let n = 0; n < one.letter.length; n++) items.push({ ...at, index: at.index + n, foreign: true });
        else if (last?.text !== undefined) last.text += one.letter;
        else items.push({ ...at, text: one.letter, client: it.client, clock: it.clock + offset });
        offset += one.letter.length;
      }
      return items;
    });
}

/**
 * A key of a format: `name~t~client`, the name with `~` as `~~` and a first `@` as `@@`. `name` is what two keys of one name
 * share: `@type` for elements around text (`around`: the type), else a mark (`mark`: its name). Whatever is not of that form is a mark
 * of that very name, older than everything (t = 0).
 */
export function keyOf(key) {
  const parts = /^(.+)~([0-9a-z]{1,11})~([0-9]{1,16})$/s.exec(key),
    t = parts ? [...parts[2]].reduce((n, digit) => n * 36n + BigInt(Number.parseInt(digit, 36)), 0n) : 0n,
    client = parts ? Number(parts[3]) : 0;
  const isKeyed =
    t > 0n &&
    t <= BigInt(Number.MAX_SAFE_INTEGER) &&
    client <= Number.MAX_SAFE_INTEGER &&
    !parts[1].replaceAll("~~", "").includes("~");
  if (!isKeyed) return { name: escaped(key), mark: key, around: null, t: 0, client: 0 };
  const name = parts[1].replaceAll("~~", "~"),
    isAround = name[0] === "@" && name[1] !== "@";
  return {
    name,
    mark: isAround ? null : name[0] === "@" ? name.slice(1) : name,
    around: isAround ? name.slice(1) : null,
    t: Number(t),
    client,
  };
}
const escaped = (name) => (name[0] === "@" ? `@${name}` : name);
/** The name, as keys share it, of a mark; of an element around text. */
export const markName = escaped;
export const aroundName = (type) => `@${type}`;
/** A type that a key can name. Another needs a strand. */
export const canBeAround = (type) => typeof type === "string" && type[0] !== "@";
/** How a key is written. `t` is not 0. */
export const keyName = (name, t, client) => `${name.replaceAll("~", "~~")}~${t.toString(36)}~${client}`;
/** By age: the greater one is shown. */
export const byAge = (a, b) => a.t - b.t || a.client - b.client;

/** The value that says: none. To unset is a value too, so that two who unset overlapping ranges do not cut each other. */
export const NONE = [];
const isNone = (k) => k.t > 0 && Array.isArray(k.value) && k.value.length === 0;
/** Properties of an element around text; a value that is no object gives none. */
const propsAround = ({ around, value }) => {
  const { type: _, ...props } = value && typeof value === "object" && !Array.isArray(value) ? value : {};
  return { ...plain(props), type: around };
};
/** What a character shows of its formats: of each name the highest (t, client), of keys that say the same the greatest. Older elements outside. */
export function resolve(raw) {
  const best = new Map();
  for (const [key, value] of Object.entries(raw)) {
    const k = { key, value, ...keyOf(key) },
      old = best.get(k.name);
    if (!old || (byAge(old, k) || byText(old.key, key)) < 0) best.set(k.name, k);
  }
  const list = [...best.values()].filter((k) => !isNone(k)),
    around = list.filter((k) => k.around !== null).sort((a, b) => byAge(a, b) || byText(a.around, b.around));
  return {
    marks: plain(Object.fromEntries(list.filter((k) => k.around === null).map((k) => [k.mark, k.value]))),
    around: around.map((k) => ({ ...k, props: propsAround(k) })),
  };
}

/** The formats in force at an index. What is put in there takes them, so that it writes none and cuts no range. */
export const rawAt = (node, index) => {
  const it = node.items.find((it) => it.index < index && index <= it.index + (it.text?.length ?? 1));
  return !it || it.foreign ? {} : it.raw;
};

/** For people. */
export function dump(doc, name = "content") {
  const lines = [],
    show = (node, pad) => {
      for (const it of node.items) {
        const raw = Object.keys(it.raw).length ? ` ${JSON.stringify(it.raw)}` : "";
        if (it.foreign) lines.push(`${pad}foreign`);
        else if (it.text !== undefined) lines.push(`${pad}"${it.text}"${raw}`);
        else {
          lines.push(`${pad}${it.node.kind} ${it.node.id} ${told(it.node.attrs)}${raw}`);
          show(it.node, pad + (it.node.kind === "break" ? "  ^ " : "  "));
        }
      }
    };
  show(scan(doc.get(name, Y.XmlText)).all.get("root"), "");
  return lines.join("\n");
}
const told = (attrs) => JSON.stringify(attrs, (_, v) => (typeof v === "bigint" ? `${v}n` : v));
