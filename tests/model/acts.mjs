// The acts of a scenario as calls of Slate. One act = one JSON object; `do` names a call of Transforms or of the editor.
import { Editor, Element, Node, Text, Transforms } from "slate";

const matches = (m) => {
  if (m === undefined) return undefined;
  if (m === "text") return Text.isText;
  return (n) => Element.isElement(n) && Object.entries(m).every(([k, v]) => n[k] === v);
};
const opts = (act) => {
  const o = {};
  for (const k of [
    "at",
    "to",
    "always",
    "split",
    "height",
    "mode",
    "select",
    "unit",
    "reverse",
    "distance",
    "voids",
    "hanging",
  ])
    if (act[k] !== undefined) o[k] = act[k];
  if (act.match !== undefined) o.match = matches(act.match);
  return o;
};
/** `{ "end": path }` and `{ "start": path }` may stand for points. */
const point = (e, at) =>
  at?.end
    ? Editor.end(e, at.end)
    : at?.start
      ? Editor.start(e, at.start)
      : at?.anchor
        ? { anchor: point(e, at.anchor), focus: point(e, at.focus) }
        : at;
const big = (n) => "x".repeat(n);

export function perform(e, act) {
  const a = { ...act, at: point(e, act.at) };
  const o = opts(a);
  switch (a.do) {
    case "insertText":
      return Transforms.insertText(e, a.text, o);
    case "splitNodes":
      return Transforms.splitNodes(e, o);
    case "mergeNodes":
      return Transforms.mergeNodes(e, o);
    case "removeNodes":
      return Transforms.removeNodes(e, o);
    case "moveNodes":
      return Transforms.moveNodes(e, o);
    case "wrapNodes":
      return Transforms.wrapNodes(e, structuredClone(a.element), o);
    case "unwrapNodes":
      return Transforms.unwrapNodes(e, o);
    case "liftNodes":
      return Transforms.liftNodes(e, o);
    case "setNodes":
      return Transforms.setNodes(e, structuredClone(a.props), o);
    case "unsetNodes":
      return Transforms.unsetNodes(e, a.props, o);
    case "insertNodes":
      return Transforms.insertNodes(e, structuredClone(a.nodes), o);
    case "insertFragment":
      Transforms.select(e, a.at);
      return e.insertFragment(structuredClone(a.nodes));
    case "delete":
      return Transforms.delete(e, o);
    case "deleteBackward":
      Transforms.select(e, a.at);
      return e.deleteBackward("character");
    case "deleteForward":
      Transforms.select(e, a.at);
      return e.deleteForward("character");
    case "deleteFragment":
      Transforms.select(e, a.at);
      return e.deleteFragment();
    case "insertBreak":
      Transforms.select(e, a.at);
      return e.insertBreak();
    case "addMark":
      Transforms.select(e, a.at);
      return e.addMark(a.key, a.value);
    case "removeMark":
      Transforms.select(e, a.at);
      return e.removeMark(a.key);
    case "insertLarge":
      return Transforms.insertNodes(e, { type: "image", data: big(a.bytes), children: [{ text: "" }] }, o);
    case "setLarge":
      return Transforms.setNodes(e, { data: big(a.bytes) }, o);
    case "together":
      return Editor.withoutNormalizing(e, () => {
        for (const each of a.acts) perform(e, each);
      });
    default:
      throw new Error(`no such act: ${a.do}`);
  }
}

/** What the schema of a family says of inlines and voids. */
export function withSchema(e, schema = {}) {
  const inline = new Set(schema.inline ?? []),
    voids = new Set(schema.void ?? []);
  const { isInline, isVoid, normalizeNode } = e;
  e.isInline = (n) => inline.has(n.type) || isInline(n);
  e.isVoid = (n) => voids.has(n.type) || isVoid(n);
  const blocksOnly = new Set(schema.blocksOnly ?? []);
  if (blocksOnly.size)
    e.normalizeNode = (entry, o) => {
      const [node, path] = entry;
      if (Element.isElement(node) && blocksOnly.has(node.type))
        for (const [child, at] of Node.children(e, path))
          if (Text.isText(child)) {
            Transforms.wrapNodes(e, { type: "p", children: [] }, { at });
            return;
          }
      normalizeNode(entry, o);
    };
  return e;
}
