// node forged.mjs COUNT SEED: documents that no engine wrote (random markers, registers, joins, removals). The view must not throw, must be the same
// after a round through an update, must show no character twice, and may lose none.
import * as Y from "yjs";
import { dump, scan } from "./doc.mjs";
import { same, string } from "./expect.mjs";
import { build, toSlate } from "./tree.mjs";
import { view } from "./view.mjs";

const [N = 1000, S = 1] = process.argv.slice(2);
let s = +S;
const rnd = (n) => {
  s = (s + 0x6d2b79f5) | 0;
  let t = Math.imul(s ^ (s >>> 15), 1 | s);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
};
const schema = { isInline: (p) => p.type === "a", isVoid: (p) => p.type === "image" },
  pick = (l) => l[rnd(l.length)],
  kinds = {},
  tally = (k) => {
    kinds[k] = (kinds[k] ?? 0) + 1;
  };
let bad = 0;
for (let i = 0; i < +N; i++) {
  const start = s,
    doc = new Y.Doc(),
    root = doc.get("content", Y.XmlText);
  doc.clientID = 1;
  let c = 0x100;
  const nodes = [{ type: root, kind: "strand" }];
  for (let n = 3 + rnd(25); n > 0; n--) {
    const into = pick(nodes.filter((x) => x.kind === "strand" || x.kind === "break")),
      at = rnd(into.type.length + 1);
    if (into.kind === "strand" && rnd(3) === 0) {
      into.type.insert(at, String.fromCharCode(c++, c++));
      continue;
    }
    const kind = pick(["strand", "strand", "break", "break", "place", "seam"]),
      type = new Y.XmlText();
    into.type.insertEmbed(at, type);
    if (kind !== "strand") type.setAttribute("@", kind);
    else type.setAttribute("type", pick(["p", "li", "ul", "q", "a"]));
    nodes.push({ type, kind });
  }
  const id = (x) => `${x.type._item.id.client}:${x.type._item.id.clock}`,
    some = nodes.slice(1),
    any = () => (rnd(9) ? id(pick(some)) : pick([null, "9:9", 7]));
  for (const x of some)
    if (x.kind === "strand" || x.kind === "break") {
      if (rnd(3) === 0) {
        const marks = some.filter((m) => m.kind === "place" || m.kind === "seam");
        x.type.setAttribute("@at", [
          rnd(5),
          ...Array.from({ length: 1 + rnd(2) }, () => [
            marks.length && rnd(9) ? id(pick(marks)) : any(),
            rnd(2) ? any() : null,
          ]),
        ]);
      }
      if (x.kind === "break" && rnd(2)) x.type.setAttribute("@of", any());
      if (x.kind === "break" && rnd(3) === 0) x.type.setAttribute("@off", pick([true, "erased"]));
      if (rnd(5) === 0) x.type.setAttribute("@gone", pick([false, [null], [any()], [null, true], [any(), true]]));
      if (rnd(9) === 0) x.type.setAttribute(pick(["@keep", "@open"]), true);
    }
  try {
    const value = toSlate(build(view(root, schema).root)),
      text = string(value),
      copy = new Y.Doc();
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
    const all = [...scan(root).all.values()]
        .flatMap((n) => (n.kind === "strand" || n.kind === "break" ? n.items.map((it) => it.text ?? "") : []))
        .join(""),
      say = (x) => {
        bad++;
        tally(x);
        if (kinds[x] < 2) console.log(i, start, x, `\n${dump(doc)}`, "\n", JSON.stringify(value));
      };
    if ([...text].some((x, k) => text.indexOf(x) !== k)) say("twice");
    if ([...all].some((x) => !text.includes(x))) say("not shown");
    if (!same(value, toSlate(build(view(copy.get("content", Y.XmlText), schema).root)))) say("differs");
  } catch (x) {
    bad++;
    tally(`threw ${x.message}`);
    if (bad < 4) console.log(i, start, x.stack.split("\n").slice(0, 4).join("\n"));
  }
}
console.log(`forged: ${N} documents, ${bad} bad`, kinds);
