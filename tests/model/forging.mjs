// Documents that no engine wrote: random markers and registers, values of every type, contradictions, cycles, deep nesting.
import * as Y from "yjs";
import { keyName } from "./doc.mjs";

export const forgedSchema = { inline: ["a", "m"], void: ["image", "m"] };
const ROOT = "content";
const TYPES = ["p", "p", "li", "ul", "q", "a", "image", "m", undefined, 5, null, ["p"], { type: "p" }];
const NAMES = ["align", "@x", "@@y", "~", "a~b", "n", "type", "text", "children", "é", "\u{1F600}", "\uFFFD"];
const KINDS = ["inline", "void", "inline void", "block", "INLINE", "", "void inline", true];
const ZERO_IDS = [
  "0:0",
  "007:3",
  "1:00000000000000005",
  "1:4294967296",
  "9007199254740992:1",
  "+1:2",
  "1:2:3",
  "1:",
  ":",
  "١:٢",
];

const idOf = (type) => `${type._item.id.client}:${type._item.id.clock}`;

/**
 * How a document is forged, from `chance`; each letter is there once. With `pairs` there are surrogate pairs, and something may be put
 * between their halves: not in histories, where yrs and Yjs then count otherwise.
 */
export function forging({ rnd, pick }, pairs = true) {
  let next = 0x100;
  const letter = () => String.fromCharCode(next++);
  const text = () => {
    const kind = rnd(24);
    return (kind === 0 && pairs ? "\u{1F600}" : kind < 2 ? letter() + letter() : letter()) + letter();
  };
  const times = (n, f) => Array.from({ length: n }, f);

  /** Something that is no register of any shape, or only just one. */
  const damage = () =>
    pick([
      ...[
        null,
        undefined,
        true,
        false,
        0,
        1,
        -1,
        0.5,
        2 ** 53,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        7n,
        "",
        "x",
        "break",
        "erased",
      ],
      ...[
        [],
        [[]],
        [null],
        [0],
        [1, null],
        [1, []],
        [1, [null, null]],
        [-1, ["1:1", null]],
        ["1", ["1:1"]],
        [1.5, ["1:1"]],
      ],
      ...[
        {},
        { 0: 1 },
        new Uint8Array([1, 2]),
        [false],
        [null, 1],
        [null, "true"],
        ["1:1", true, true],
        pick(ZERO_IDS),
      ],
    ]);

  /** All nested types of a document, as they are in Yjs. */
  const typesIn = (doc) => {
    const out = [];
    const todo = [doc.get(ROOT, Y.XmlText)];
    while (todo.length) {
      const type = todo.pop();
      out.push(type);
      for (let item = type._start; item; item = item.right)
        if (!item.deleted && item.content instanceof Y.ContentType && item.content.type instanceof Y.XmlText)
          todo.push(item.content.type);
    }
    return out;
  };
  const kindOf = (type) => type.getAttribute("@") ?? "strand";

  /** A value for one register of a nested type among `types`; the ids it names mostly exist. */
  const register = (name, types, doc) => {
    const nested = types.filter((t) => t._item),
      markers = nested.filter((t) => ["place", "seam"].includes(kindOf(t))),
      breaks = nested.filter((t) => kindOf(t) === "break");
    const some = (list) => (rnd(12) && list.length ? idOf(pick(list)) : pick([null, "9:9", 7, pick(ZERO_IDS)])),
      to = () => (rnd(2) ? null : some(breaks.length && rnd(3) ? breaks : nested)),
      bound = [...doc.store.clients.keys()].reduce((sum, client) => sum + Y.getState(doc.store, client), 0),
      t = () => (rnd(8) ? rnd(6) : pick([bound, bound + 1, bound + 4, 3n, 0, -0, 2 ** 52]));
    switch (name) {
      case "@at":
        return [t(), ...times(rnd(20) ? 1 + rnd(3) : 0, () => [some(rnd(9) ? markers : nested), to()])];
      case "@of":
        return some(nested);
      case "@off":
        return pick([true, "erased", true]);
      case "@gone":
        return pick([false, [null], [to()], [null, true], [to(), true], [to(), false]]);
      case "@for":
        return some(nested);
      case "@kind":
        return pick(KINDS);
      default:
        return true;
    }
  };
  const REGISTERS = ["@at", "@of", "@off", "@gone", "@for", "@kind", "@keep", "@open"];

  const property = () => pick([1, "left", null, true, [], [1], { a: null }, { a: 1 }, 0.5, "", -3]);
  /** The key of a format: plain, of anybody, damaged. */
  const key = () => {
    const name = pick(["bold", "color", "bold", "@a", "@a", "@m", "@b", "@", "@@x", "x~y", "~", "text"]);
    if (rnd(7) === 0)
      return pick([
        name,
        `${name}~0~5`,
        `${name}~1~`,
        `${name}~~1~5`,
        `~1~5`,
        `${name}~Z~1`,
        `${name}~01~${1 + rnd(3)}`,
        "bold~2gosa7pa2gv~1",
        "bold~2gosa7pa2gw~1",
        "bold~1~9007199254740992",
        "a~b~1~5",
      ]);
    return keyName(name, 1 + rnd(5), 1 + rnd(12));
  };
  const format = () => {
    const k = key(),
      props = rnd(3) ? { url: rnd(3) } : pick([{}, { type: "q", children: 1, url: null }, 5, "x", [1], true]);
    return { [k]: rnd(5) === 0 ? pick([[], null, false]) : k[0] === "@" && k[1] !== "@" ? props : 1 + rnd(3) };
  };

  const set = (type, name, value) => type.setAttribute(name, value);
  const ownProperty = (type) => {
    const name = pick(NAMES);
    set(type, rnd(3) === 0 ? `@=${name}` : name[0] === "@" ? `@${name}` : name, property());
  };

  /** Into a sequence, somewhere: text, a strand, a marker, what nobody knows. */
  const put = (types) => {
    const into = pick(types),
      at = rnd(into.length + 1),
      isSequence = ["strand", "break"].includes(kindOf(into));
    if (rnd(isSequence ? 3 : 9) === 0) return void into.insert(at, text(), rnd(3) ? undefined : format());
    if (rnd(25) === 0)
      return void into.insertEmbed(at, pick([{ image: 1 }, new Y.Map(), new Y.Text("t"), new Y.XmlElement("p")]));
    const kind = pick([
        ...times(4, () => "strand"),
        ...times(4, () => "break"),
        ...times(4, () => pick(["place", "seam"])),
        pick(["hole", 5, true, ""]),
      ]),
      type = new Y.XmlText();
    if (rnd(4)) into.insertEmbed(at, type);
    else into.insertEmbed(at, type, rnd(2) ? {} : format());
    if (kind !== "strand") set(type, "@", rnd(9) ? kind : pick([kind, null, undefined]));
    if (kind === "strand" || (kind === "break" && rnd(4) === 0))
      set(type, "type", rnd(9) ? pick(TYPES.slice(0, 8)) : pick(TYPES));
    if (rnd(5) === 0) ownProperty(type);
    if (rnd(12) === 0) set(type, "@kind", pick(KINDS));
    types.push(type);
  };
  /** Registers of some nested type: most of the right shape. */
  const say = (type, types, doc) => {
    const is = kindOf(type);
    if (is === "strand" || is === "break") {
      if (rnd(3) === 0) set(type, "@at", register("@at", types, doc));
      if (rnd(5) === 0) set(type, "@gone", register("@gone", types, doc));
      if (rnd(9) === 0) set(type, pick(["@keep", "@open"]), true);
    }
    if (is === "break" && rnd(3) === 0) set(type, "@off", register("@off", types, doc));
    if (is === "break" ? rnd(2) : rnd(6) === 0) set(type, "@of", register("@of", types, doc));
    if (is === "seam" && rnd(2)) set(type, "@for", register("@for", types, doc));
    if (rnd(40) === 0) set(type, pick(REGISTERS), damage());
  };

  /** A document that is forged all through. */
  const forge = () => {
    const doc = new Y.Doc(),
      root = doc.get(ROOT, Y.XmlText),
      types = [root],
      authors = times(1 + rnd(3), () => pick([9, 10, 100, 1 + rnd(1000), 2 ** 32 - 1, 2 ** 31 + rnd(9)]));
    const isWide = rnd(40) === 0;
    for (let n = isWide ? 150 + rnd(200) : 3 + rnd(35); n > 0; n--) {
      doc.clientID = pick(authors);
      put(types);
    }
    for (const type of types.slice(1)) {
      doc.clientID = pick(authors);
      say(type, types, doc);
    }
    for (let n = rnd(3) ? 0 : 1 + rnd(6); n > 0; n--) {
      const type = pick(types),
        from = rnd(type.length + 1);
      if (from < type.length) type.format(from, 1 + rnd(type.length - from), format());
    }
    if (rnd(4) === 0) set(root, pick(["@", "@at", "@gone", "type", "@kind"]), pick(["break", [1], "p", "void"]));
    return doc;
  };

  /** Elements, gaps or moves as deep as they may be, and deeper. */
  const deep = () => {
    const doc = new Y.Doc(),
      how = pick(["strands", "gaps", "inline", "moves", "unwrapped", "seams"]),
      depth = pick([60, 99, 100, 101, 130, 400, 999, 1000, 1001, 1010]);
    doc.clientID = 1 + rnd(20);
    doc.transact(() => {
      let at = doc.get(ROOT, Y.XmlText);
      const nest = (kind, attrs) => {
        const type = new Y.XmlText();
        at.insertEmbed(rnd(at.length + 1), type);
        if (kind) set(type, "@", kind);
        for (const [name, value] of Object.entries(attrs)) set(type, name, value);
        if (rnd(5) === 0) type.insert(0, text());
        return type;
      };
      if (how === "moves" || how === "seams") {
        // each is shown at a marker in the one before it
        const all = times(Math.min(depth, 300), () => nest(null, { type: pick(["p", "q"]) }));
        for (const [i, type] of all.entries()) {
          at = type;
          type.insert(0, text());
          const marker = nest(how === "moves" ? "place" : "seam", {}),
            moved = all[rnd(20) ? i + 1 : rnd(all.length)];
          if (moved) set(moved, "@at", [1 + rnd(3), [idOf(marker), null]]);
        }
        return;
      }
      for (let n = 0; n < depth; n++) {
        if (how === "gaps") at = n === 0 ? nest(null, { type: "p" }) : nest("break", {});
        else if (how === "inline") at = nest(null, n === 0 ? { type: "p" } : { type: "a", url: n });
        else
          at = nest(null, {
            type: pick(["q", "p", "a"]),
            ...(how === "unwrapped" && rnd(9) ? { "@gone": [null, true] } : {}),
          });
        if (rnd(30) === 0) at.insertEmbed(rnd(at.length + 1), new Y.XmlText());
      }
      at.insert(0, "end");
      if (how !== "gaps" && rnd(2)) nest(null, { type: pick(["p", "image", "a"]) });
    });
    return doc;
  };

  /** What plain Yjs, and those who write registers at random, make of a document that an editor wrote. */
  const harm = (doc) => {
    for (let n = 1 + rnd(6); n > 0; n--) {
      const types = typesIn(doc),
        type = pick(types);
      switch (rnd(8)) {
        case 0:
        case 1: {
          const name = pick(REGISTERS);
          if (type._item) set(type, name, rnd(4) ? register(name, types, doc) : damage());
          break;
        }
        case 2: {
          // a marker, or an element, is gone
          const markers = types.filter((t) => t._item && (rnd(4) === 0 || kindOf(t) !== "strand"));
          if (!markers.length) break;
          const marker = pick(markers),
            up = marker._item.parent;
          let index = 0;
          for (let item = up._start; item && item !== marker._item; item = item.right)
            if (!item.deleted && item.countable) index += item.length;
          up.delete(index, 1);
          break;
        }
        case 3: {
          const gaps = types.filter((t) => kindOf(t) === "break"),
            into = gaps.length && rnd(4) ? pick(gaps) : type;
          into.insert(rnd(into.length + 1), text());
          break;
        }
        case 4:
          put(types);
          break;
        case 5:
          if (type.length) {
            const from = rnd(type.length);
            type.format(from, 1 + rnd(type.length - from), format());
          }
          break;
        case 6:
          if (type.length) {
            const from = rnd(type.length);
            type.delete(from, Math.min(type.length - from, 1 + rnd(3)));
          }
          break;
        default:
          if (type._item) ownProperty(type);
      }
    }
    return doc;
  };

  /** Says of letters that they were written again, mostly of what others were, too. */
  const twice = (doc) => {
    const texts = typesIn(doc).flatMap((type) => {
        const items = [];
        for (let item = type._start; item; item = item.right)
          if (!item.deleted && item.content instanceof Y.ContentString) items.push(item);
        return items;
      }),
      some = () => {
        const { id, length } = pick(texts);
        return `${id.client}:${id.clock + rnd(length)}`;
      };
    if (!texts.length) return doc;
    doc.transact(() => {
      for (let n = 2 + rnd(6); n > 0; n--) {
        const key = `=${rnd(12) ? some() : pick(ZERO_IDS)}`,
          old = rnd(5) ? `9:${rnd(4)}` : some();
        doc
          .getMap("slate-yrs:again")
          .set(key, rnd(12) ? [1 + rnd(3), old] : pick([damage(), [1.5, old], [2 ** 32, old], [0, old]]));
      }
    });
    return doc;
  };

  const begin = () => {
    next = 0x100;
  };
  return { begin, forge, deep, harm, twice };
}
