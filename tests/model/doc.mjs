// Reading the Y document: nodes (strands, breaks, places, seams) with their sequences, registers, keyed formats.
import * as Y from "yjs";

export const idOf = (type) => (type._item ? `${type._item.id.client}:${type._item.id.clock}` : "root");
/** The properties that a head has itself: attributes that are not ours; where there is none, its pin `@=name`. */
export const propsOf = (attrs) => {
  const of = (test, n) =>
    Object.entries(attrs)
      .filter(([k]) => test(k))
      .map(([k, value]) => [k.slice(n), value]);
  return Object.fromEntries([...of((k) => k.startsWith("@="), 2), ...of((k) => k[0] !== "@", 0)]);
};
export const plain = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== null && v !== undefined));
export const equal = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (o) =>
  Array.isArray(o)
    ? o.map(sorted)
    : o && typeof o === "object"
      ? Object.fromEntries(
          Object.keys(o)
            .sort()
            .map((k) => [k, sorted(o[k])]),
        )
      : (o ?? null);

/** All nodes by id. node = { id, type, kind, attrs, up, index, items, length }; items are runs of text or nodes, each with the formats it has (`raw`). */
export function scan(root) {
  const all = new Map();
  let time = 0;
  const see = (t) => {
    if (t > time) time = t;
  };
  const read = (type, up, index, raw) => {
    const attrs = type.getAttributes(),
      node = { id: idOf(type), type, kind: attrs["@"] ?? "strand", attrs, up, index, raw, items: [], length: 0 };
    all.set(node.id, node);
    if (Array.isArray(attrs["@at"])) see(attrs["@at"][0]);
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
      } else {
        if (c instanceof Y.ContentString)
          node.items.push({
            index: node.length,
            text: c.str,
            raw: formats,
            client: item.id.client,
            clock: item.id.clock,
          });
        else if (c instanceof Y.ContentType && c.type instanceof Y.XmlText)
          node.items.push({ index: node.length, node: read(c.type, node, node.length, formats), raw: formats });
        node.length += item.length;
      }
    }
    return node;
  };
  read(root, null, 0, {});
  return { all, time };
}

/** A key of a format: `name~t~client`; a plain name is older than everything. */
export function keyOf(key) {
  const m = /^(.+)~([0-9a-z]+)~(\d+)$/.exec(key);
  return m ? { name: m[1], t: parseInt(m[2], 36), client: +m[3] } : { name: key, t: 0, client: 0 };
}
/** The value that says: none. To unset is a value too, so that two who unset overlapping ranges do not cut each other. */
export const NONE = [],
  isNone = (v) => Array.isArray(v) && v.length === 0;
/** What a character shows of its formats: of each name the highest (t, client). Names with `@` are elements around it, older ones outside. */
export function resolve(raw) {
  const best = new Map();
  for (const [key, value] of Object.entries(raw)) {
    const k = { key, value, ...keyOf(key) },
      old = best.get(k.name);
    if (!old || old.t < k.t || (old.t === k.t && old.client < k.client)) best.set(k.name, k);
  }
  const list = [...best.values()].filter((k) => !isNone(k.value));
  return {
    marks: Object.fromEntries(list.filter((k) => k.name[0] !== "@").map((k) => [k.name, k.value])),
    around: list
      .filter((k) => k.name[0] === "@")
      .sort((a, b) => a.t - b.t || a.client - b.client || (a.name < b.name ? -1 : 1)),
  };
}

/** The formats in force at an index. What is put in there takes them, so that it writes none and cuts no range. */
export const rawAt = (node, index) =>
  node.items.find((it) => it.index < index && index <= it.index + (it.text?.length ?? 1))?.raw ?? {};

/** For people. */
export function dump(doc, name = "content") {
  const lines = [],
    show = (node, pad) => {
      for (const it of node.items) {
        if (it.text !== undefined)
          lines.push(`${pad}"${it.text}"${Object.keys(it.raw).length ? ` ${JSON.stringify(it.raw)}` : ""}`);
        else {
          lines.push(`${pad}${it.node.kind} ${it.node.id} ${JSON.stringify(it.node.attrs)}`);
          show(it.node, pad + (it.node.kind === "break" ? "  ^ " : "  "));
        }
      }
    };
  show(scan(doc.get(name, Y.XmlText)).all.get("root"), "");
  return lines.join("\n");
}
