// Random values, and random acts of an editor on them; the flags are those of fuzz.mjs.
import { Editor, Element, Node, Path, Text, Transforms } from "slate";
import { string } from "../scenarios/expect.mjs";

export const schema = { inline: ["a", "m"], void: ["image", "m"] };
/** What legal acts throw on values that they do not fit. */
export const isRefused = (x) => /Cannot merge|Cannot find|Cannot get|Cannot apply|Cannot lift/.test(x.message);

/**
 * `makeValue()`: a value to start from; `used()`: its letters; `setUp(editor)`: schema, normalizer; `act(editor)`: something random,
 * returns its name; `copied`: letters that were cut and pasted: two who do that have them twice; `begin()`: letters anew.
 */
export function acting(flags, { rnd, pick }) {
  const REMOVE = flags.includes("r"),
    LINKS = flags.includes("i"),
    OUTLINER = flags.includes("o"),
    VOIDS = flags.includes("v"),
    RANDOM = flags.includes("g"),
    MORE = flags.includes("x");
  const P = (t) => ({ type: "p", children: [{ text: t }] }),
    li = (t, ...more) => ({ type: "li", children: [P(t), ...more] }),
    td = (t) => ({ type: "td", children: [P(t)] });
  const value = () => [
    P("abcd"),
    P("efgh"),
    { type: "ul", children: [li("ijkl"), li("mnop", { type: "ul", children: [li("qrst"), li("uv")] }), li("wx")] },
    {
      type: "table",
      children: [
        { type: "tr", children: [td("yz"), td("AB")] },
        { type: "tr", children: [td("CD"), td("EF")] },
      ],
    },
    { type: "q", children: [P("GHIJ"), P("KL")] },
    ...(VOIDS ? [{ type: "image", url: 1, children: [{ text: "" }] }, P("MN")] : []),
  ];
  let used = "";
  const some = () => {
    let t = "";
    for (let n = rnd(5); n >= 0; n--) {
      const c = String.fromCharCode(0x4e00 + used.length);
      used += c;
      t += c;
    }
    return t;
  };
  const block = (deep) => {
    const k = rnd(deep > 3 ? 3 : 9),
      list = (n, f) => Array.from({ length: n }, f);
    if (k < 3) return P(rnd(6) ? some() : "");
    if (k < 6)
      return {
        type: "ul",
        children: list(1 + rnd(3), () => ({ type: "li", children: [P(some()), ...(rnd(3) ? [] : [block(deep + 1)])] })),
      };
    if (k < 7) return { type: "q", children: list(1 + rnd(2), () => block(deep + 1)) };
    if (k < 8)
      return {
        type: "table",
        children: list(1 + rnd(2), () => ({
          type: "tr",
          children: list(2, () => ({ type: "td", children: list(1 + rnd(2), () => P(some())) })),
        })),
      };
    return VOIDS ? { type: "image", url: rnd(9), children: [{ text: "" }] } : P(some());
  };
  const makeValue = () => {
    used = "";
    if (!RANDOM) {
      used = `abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL${VOIDS ? "MN" : ""}`;
      return value();
    }
    return [P(some()), ...Array.from({ length: 2 + rnd(5) }, () => block(0))];
  };
  const setUp = (e) => {
    e.isInline = (n) => schema.inline.includes(n.type);
    e.isVoid = (n) => schema.void.includes(n.type);
    if (OUTLINER) {
      const { normalizeNode } = e;
      e.normalizeNode = ([n, p], o) => {
        if (Element.isElement(n) && n.type === "li")
          for (const [c, q] of Node.children(e, p))
            if (Text.isText(c) || (Element.isElement(c) && e.isInline(c)))
              return Transforms.wrapNodes(e, { type: "p", children: [] }, { at: q });
        if (
          Element.isElement(n) &&
          (n.type === "ul" || n.type === "table") &&
          (n.children.length === 0 || n.children.every((c) => Text.isText(c) && !c.text))
        )
          return Transforms.removeNodes(e, { at: p });
        if (Element.isElement(n) && n.type === "ul") {
          for (const [c, q] of Node.children(e, p)) {
            if (Element.isElement(c) && c.type !== "li" && !e.isInline(c))
              return Transforms.wrapNodes(e, { type: "li", children: [] }, { at: q });
            if (q.at(-1) > 0 && Element.isElement(c) && c.type === "ul") return Transforms.mergeNodes(e, { at: q });
          }
        }
        if (Editor.isEditor(n))
          for (const [c, q] of Node.children(e, p))
            if (Element.isElement(c) && c.type === "li")
              return Transforms.wrapNodes(e, { type: "ul", children: [] }, { at: q });
        normalizeNode([n, p], o);
      };
    }
    return e;
  };
  let ch = 0x100;
  const copied = new Set(); // cut and pasted: two who do that have it twice
  const letter = () => String.fromCharCode(ch++);
  /** What the other acts leave out. */
  function more(e) {
    const blocks = [...Node.elements(e)].slice(1).filter(([n]) => !e.isInline(n)),
      texts = [...Node.texts(e)].filter(([, p]) => !Editor.void(e, { at: p }));
    if (!blocks.length || !texts.length) return "none";
    const [n, p] = pick(blocks),
      [t, tp] = pick(texts),
      pt = { path: tp, offset: rnd(t.text.length + 1) },
      k = rnd(13);
    const near = () => {
      const i = texts.findIndex(([x]) => x === t),
        [u, up] = texts[Math.min(texts.length - 1, i + rnd(4))];
      return { anchor: pt, focus: { path: up, offset: rnd(u.text.length + 1) } };
    };
    const home = { li: ["ul"], tr: ["table"], td: ["tr"] }[n.type],
      into = () =>
        pick(
          [[e, []], ...blocks].filter(
            ([m, q]) =>
              !Path.isAncestor(p, q) &&
              !Path.equals(p, q) &&
              (home
                ? home.includes(m.type)
                : Editor.isEditor(m) ||
                  (["li", "td", "q"].includes(m.type) && m.children.every((c) => !Text.isText(c)))),
          ),
        );
    if (k < 3) {
      const to = into();
      if (!to) return "none";
      const [m, q] = to,
        inside = Path.isParent(q, p) ? m.children.length - 1 : m.children.length;
      Transforms.moveNodes(e, { at: p, to: [...q, rnd(inside + 1)] });
      return "drag";
    }
    if (k < 4) {
      Transforms.wrapNodes(e, { type: "q", children: [] }, { at: near(), match: (x) => x.type === "p" });
      return "wraps";
    }
    if (k < 5) {
      const qs = blocks.filter(([_x, q]) => q.length > 1 && ["q"].includes(Node.parent(e, q).type));
      if (!qs.length) return "none";
      Transforms.liftNodes(e, { at: pick(qs)[1] });
      return "lift";
    }
    if (k < 7) {
      const lis = blocks.filter(
        ([x, q]) => x.type === "li" && q.length > 3 && Node.get(e, q.slice(0, -2)).type === "li",
      );
      if (!lis.length) return "none";
      const [, q] = pick(lis),
        ul = Path.parent(q),
        li = Path.parent(ul);
      Editor.withoutNormalizing(e, () => {
        const rest = Node.get(e, ul).children.length - 1 - q.at(-1);
        if (rest > 0 && rnd(2)) {
          Transforms.wrapNodes(
            e,
            { type: "ul", children: [] },
            {
              at: { anchor: Editor.start(e, Path.next(q)), focus: Editor.end(e, ul) },
              match: (x, y) => Path.isSibling(y, q) && x.type === "li",
            },
          );
          Transforms.moveNodes(e, { at: Path.next(q), to: [...q, Node.get(e, q).children.length] });
        }
        Transforms.moveNodes(e, { at: q, to: Path.next(li) });
        if (!Node.get(e, ul).children.length) Transforms.removeNodes(e, { at: ul });
      });
      return "outdent";
    }
    if (k < 8) {
      Transforms.select(e, pt);
      const some = pick([
        [P(letter())],
        [P(letter()), P(letter())],
        [li(letter()), li(letter())],
        [{ type: "ul", children: [li(letter()), li(letter())] }],
        [{ text: letter() }],
      ]);
      e.insertFragment(some);
      return "paste";
    }
    if (k < 9) {
      Transforms.select(e, near());
      const f = e.getFragment();
      if (!REMOVE) {
        Transforms.collapse(e);
        return "none";
      }
      e.deleteFragment();
      for (const c of string(f)) copied.add(c);
      Transforms.select(e, Editor.end(e, []));
      e.insertFragment(f);
      return "cutpaste";
    }
    if (k < 10) {
      const qs = blocks.filter(([x, q]) => !e.isVoid(x) && x.type !== "tr" && Path.hasPrevious(q));
      if (!qs.length) return "none";
      const [x, q] = pick(qs),
        b = Node.get(e, Path.previous(q));
      if (x.type !== b.type) return "none";
      Transforms.mergeNodes(e, { at: q });
      if (rnd(2)) {
        Transforms.splitNodes(e, {
          at:
            pt.offset <= (Node.has(e, tp) ? (Node.get(e, tp).text?.length ?? -1) : -1)
              ? pt
              : Editor.end(e, Path.previous(q)),
          always: true,
        });
      }
      return "rejoin";
    }
    if (k < 11) {
      const bare = texts.filter(([x, q]) => x.text && q.length > 1 && !["p", "a"].includes(Node.parent(e, q).type));
      if (!bare.length) return "none";
      Transforms.wrapNodes(e, { type: "p", children: [] }, { at: pick(bare)[1] });
      return "wrapbare";
    }
    if (k < 12) {
      const ps = blocks.filter(([x, q]) => x.type === "p" && q.length > 1 && Node.parent(e, q).children.length === 1);
      if (!ps.length) return "none";
      Transforms.unwrapNodes(e, { at: pick(ps)[1] });
      return "bare";
    }
    const o = [];
    for (let i = 0; i < 2 + rnd(3); i++) {
      let w;
      try {
        w = act(e);
      } catch (x) {
        if (!/Cannot/.test(x.message)) throw x;
        w = "threw";
      }
      o.push(w);
      if (!e.children.length) break;
    }
    return `(${o.join("+")})`;
  }
  function act(e) {
    if (MORE && rnd(3) === 0) return more(e);
    const elements = [...Node.elements(e)].slice(1),
      paths = elements.filter(([n]) => !e.isInline(n)),
      texts = [...Node.texts(e)].filter(([, p]) => !Editor.void(e, { at: p }));
    if (!texts.length || !paths.length) return "none";
    const [t, tp] = pick(texts),
      pt = { path: tp, offset: rnd(t.text.length + 1) };
    const range = () => {
      const a = rnd(t.text.length),
        b = a + 1 + rnd(t.text.length - a);
      return { anchor: { path: tp, offset: a }, focus: { path: tp, offset: b } };
    };
    if (LINKS && rnd(3) === 0) {
      const as = elements.filter(([n]) => n.type === "a"),
        k = rnd(6),
        inA = Editor.above(e, { at: tp, match: (n) => n.type === "a" });
      if (k < 3 && t.text.length > 1 && !inA) {
        Transforms.wrapNodes(
          e,
          { type: "a", url: rnd(3), children: [] },
          { at: range(), split: true, match: Text.isText },
        );
        return "link";
      }
      if (k === 3 && as.length) {
        Transforms.unwrapNodes(e, { at: pick(as)[1] });
        return "unlink";
      }
      if (k === 4 && as.length) {
        Transforms.setNodes(e, { url: rnd(9) }, { at: pick(as)[1] });
        return "url";
      }
      if (k === 5 && VOIDS) {
        Transforms.insertNodes(e, { type: "m", n: rnd(9), children: [{ text: "" }] }, { at: pt });
        return "mention";
      }
      if (t.text.length > 1) {
        Transforms.select(e, range());
        if (rnd(3)) e.addMark("bold", rnd(3));
        else e.removeMark("bold");
        return "bold";
      }
    }
    const k = rnd(REMOVE ? 21 : 17);
    if (k < 3) {
      Transforms.insertText(e, letter(), { at: pt });
      return "type";
    }
    if (k < 5) {
      const type = rnd(2) ? "p" : pick(["p", "li", "ul", "q", "td", "tr"]);
      Transforms.splitNodes(e, { at: pt, match: (n) => Element.isElement(n) && n.type === type, always: true });
      return `split${type}`;
    }
    if (k < 7) {
      const [n, p] = pick(paths);
      if (Path.hasPrevious(p) && !e.isVoid(n)) {
        const b = Node.get(e, Path.previous(p));
        if (Element.isElement(b) && b.type === n.type) {
          Transforms.mergeNodes(e, { at: p });
          return "merge";
        }
      }
      return "none";
    }
    if (k < 9) {
      const [n, p] = pick(paths),
        [m, q] = pick(paths);
      if (Path.isAncestor(p, q) || Path.equals(p, q)) return "none";
      if (m.type !== n.type) return "none";
      Transforms.moveNodes(e, { at: p, to: q });
      return "move";
    }
    if (k < 10) {
      const [n, p] = pick(paths);
      if (["li", "td", "tr"].includes(n.type)) return "none";
      Transforms.wrapNodes(e, { type: "q", children: [] }, { at: p });
      return "wrap";
    }
    if (k < 11) {
      const qs = paths.filter(([n]) => n.type === "q");
      if (!qs.length) return "none";
      Transforms.unwrapNodes(e, { at: pick(qs)[1] });
      return "unwrap";
    }
    if (k < 12) {
      const [n, p] = pick(paths);
      if (n.type === "p")
        Transforms.insertNodes(
          e,
          VOIDS && !rnd(3) ? { type: "image", url: rnd(9), children: [{ text: "" }] } : P(letter()),
          { at: p },
        );
      else if (n.type === "li") Transforms.insertNodes(e, li(letter()), { at: p });
      else Transforms.setNodes(e, { align: rnd(9) }, { at: p });
      return "insert";
    }
    if (k < 13) {
      const [, p] = pick(paths);
      Transforms.setNodes(e, { align: rnd(4) }, { at: p });
      return "set";
    }
    if (k < 15) {
      Transforms.select(e, pt);
      e.insertBreak();
      const lp = Editor.above(e, { match: (n) => n.type === "li" });
      if (lp && rnd(2)) Transforms.liftNodes(e, { at: lp[1] });
      return "enter";
    }
    if (k < 16) {
      const lis = paths.filter(([n, p]) => n.type === "li" && Path.hasPrevious(p));
      if (!lis.length) return "none";
      const [, p] = pick(lis),
        prev = Path.previous(p),
        b = Node.get(e, prev);
      if (b.type !== "li") return "none";
      Editor.withoutNormalizing(e, () => {
        Transforms.wrapNodes(e, { type: "ul", children: [] }, { at: p });
        Transforms.moveNodes(e, { at: p, to: [...prev, b.children.length] });
      });
      return "indent";
    }
    if (k < 17) {
      Transforms.select(e, { path: tp, offset: 0 });
      const _b = e.children.length;
      e.deleteBackward("character");
      return "backspace";
    }
    if (k < 19) {
      const [, p] = pick(paths);
      Transforms.removeNodes(e, { at: p });
      return "remove";
    }
    const [u, up] = pick(texts);
    Transforms.select(e, { anchor: pt, focus: { path: up, offset: rnd(u.text.length + 1) } });
    e.deleteFragment();
    return "delete";
  }

  const begin = () => {
    ch = 0x100;
    copied.clear();
  };
  return { makeValue, used: () => used, setUp, act, copied, begin };
}
