// The engine's own tree of identities: the editor's value, where every character and element knows its id in the document (null: not there yet).
import { Path } from "slate";
import { equal, plain, resolve } from "./doc.mjs";
import { units } from "./gap.mjs";

const isText = (n) => n.text !== undefined;
/** An element around text (a keyed format) has a `key`; every other element has an `id`. */
export function build(piece) {
  const node = { id: piece.head.id, props: plain(piece.props), kids: [] };
  for (const u of units(piece).list) {
    const { marks, around } = resolve(u.raw);
    let into = node;
    for (const a of around) {
      const last = into.kids.at(-1);
      if (last?.key === a.key) {
        into = last;
        continue;
      }
      const el = { id: null, key: a.key, props: a.props, kids: [] };
      into.kids.push(el);
      into = el;
    }
    if (u.piece) {
      into.kids.push(build(u.piece));
      continue;
    }
    const last = into.kids.at(-1),
      c = { char: u.char, id: u.id };
    if (last?.chars && equal(last.marks, marks)) last.chars.push(c);
    else into.kids.push({ marks, chars: [c] });
  }
  return node;
}
export const toSlate = (node) => (node.kids.length ? node.kids.map(slateOf) : [{ text: "" }]);
const slateOf = (k) =>
  k.chars ? { ...k.marks, text: k.chars.map((c) => c.char).join("") } : { ...k.props, children: toSlate(k) };

/** The same tree with the leaves that the editor has. */
export function inLeaves(node, children) {
  const queue = node.kids.flatMap((k) => (k.chars ? k.chars.map((c) => c) : [k]));
  const kids = children.map((n) => {
    if (!isText(n)) {
      const el = queue.shift();
      return { ...el, kids: inLeaves(el, n.children).kids };
    }
    const { text, ...marks } = n;
    return { marks, chars: queue.splice(0, text.length) };
  });
  return { ...node, kids };
}

const fresh = (text) => [...Array(text.length).keys()].map((i) => ({ char: text[i], id: null }));
const fromSlate = (n) => {
  if (isText(n)) {
    const { text, ...marks } = n;
    return { marks, chars: fresh(text) };
  }
  const { children, ...props } = n;
  return { id: null, props, kids: children.map(fromSlate) };
};
const get = (root, path) => path.reduce((n, i) => n.kids[i], root);
const merge = (props, op) => {
  for (const k of new Set([...Object.keys(op.properties), ...Object.keys(op.newProperties)]))
    if (op.newProperties[k] === null || op.newProperties[k] === undefined) delete props[k];
    else props[k] = op.newProperties[k];
};

/** An operation of Slate on the tree. `joins`: what was merged into what. */
export function apply(root, op, joins) {
  const parent = op.path?.length ? get(root, op.path.slice(0, -1)) : root,
    i = op.path?.at(-1);
  switch (op.type) {
    case "insert_text":
      get(root, op.path).chars.splice(op.offset, 0, ...fresh(op.text));
      break;
    case "remove_text":
      get(root, op.path).chars.splice(op.offset, op.text.length);
      break;
    case "insert_node":
      parent.kids.splice(i, 0, fromSlate(op.node));
      break;
    case "remove_node":
      parent.kids.splice(i, 1);
      break;
    case "set_node": {
      const n = get(root, op.path);
      if (n.chars) merge(n.marks, op);
      else {
        merge(n.props, op);
        n.changed = true;
      }
      break;
    }
    case "split_node": {
      const n = parent.kids[i];
      if (n.chars) parent.kids.splice(i + 1, 0, { marks: { ...op.properties }, chars: n.chars.splice(op.position) });
      else
        parent.kids.splice(i + 1, 0, {
          id: null,
          key: n.key,
          changed: n.changed,
          origin: n.id ?? n.origin,
          props: { ...op.properties },
          kids: n.kids.splice(op.position),
        });
      break;
    }
    case "merge_node": {
      const n = parent.kids[i],
        before = parent.kids[i - 1];
      if (n.chars) before.chars.push(...n.chars);
      else {
        before.kids.push(...n.kids);
        if (n.id && !before.id && !before.key && !before.origin)
          before.id = n.id; // what is new takes over what it is joined with
        else if (n.id) joins.set(n.id, before);
      }
      parent.kids.splice(i, 1);
      break;
    }
    case "move_node": {
      if (Path.equals(op.path, op.newPath)) break;
      const [n] = parent.kids.splice(i, 1),
        to = Path.transform(op.path, op);
      if (n.kids) n.moved = true;
      get(root, to.slice(0, -1)).kids.splice(to.at(-1), 0, n);
    }
  }
}
