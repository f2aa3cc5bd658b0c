// What a scenario expects, as checks of a Slate value. Each returns a list of complaints.
const isText = (n) => typeof n.text === "string";
const sorted = (o) =>
  Array.isArray(o)
    ? o.map(sorted)
    : o && typeof o === "object"
      ? Object.fromEntries(
          Object.keys(o)
            .filter((k) => o[k] !== undefined)
            .sort()
            .map((k) => [k, sorted(o[k])]),
        )
      : o;
const rest = (n) => {
  const { children, text, data, ...more } = n;
  return sorted(more);
};
/** Without empty leaves, equal neighbours joined; `data` (the bulk of large values) left out. */
export function canon(nodes) {
  const out = [];
  for (const n of nodes ?? []) {
    if (!isText(n)) {
      const c = canon(n.children);
      out.push({ ...rest(n), children: c.length ? c : [{ text: "" }] });
      continue;
    }
    if (n.text === "") continue;
    const m = rest(n),
      last = out.at(-1);
    if (last && isText(last) && JSON.stringify(rest(last)) === JSON.stringify(m)) last.text += n.text;
    else out.push({ ...m, text: n.text });
  }
  return out;
}
export const same = (a, b) => JSON.stringify(sorted(canon(a))) === JSON.stringify(sorted(canon(b)));
export const identical = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
/** One line for people. */
export function show(nodes, schema = {}) {
  const inline = new Set(schema.inline ?? []);
  const props = (n) => {
    const r = rest(n);
    delete r.type;
    const k = Object.keys(r);
    return k.length
      ? `<${k.map((x) => (r[x] === true ? x : `${x}=${typeof r[x] === "string" ? r[x] : JSON.stringify(r[x])}`)).join(",")}>`
      : "";
  };
  const f = (n) =>
    isText(n)
      ? props(n)
        ? `«${props(n).slice(1, -1)}:${n.text}»`
        : n.text
      : inline.has(n.type)
        ? `{${n.type}${props(n)}:${n.children.map(f).join("")}}`
        : blockKids(n)
          ? `${n.type}${props(n)}[${n.children.map((c) => (isText(c) ? JSON.stringify(c.text) : f(c))).join(" ")}]`
          : `${n.type}${props(n)}(${n.children.map(f).join("")})`;
  const blockKids = (n) => n.children.some((c) => !isText(c) && !inline.has(c.type));
  return canon(nodes).map(f).join(" ");
}
const walk = (nodes, f, up = []) => {
  for (const n of nodes) {
    f(n, up);
    if (!isText(n)) walk(n.children, f, [...up, n]);
  }
};
export const string = (nodes) => {
  let s = "";
  walk(nodes, (n) => {
    if (isText(n)) s += n.text;
  });
  return s;
};
/** The lowest blocks with their text: `[{ node, text }]`. Bare text among blocks counts as a block of its own. */
export function lines(nodes, schema) {
  const inline = new Set(schema?.inline ?? []),
    out = [];
  const isBlock = (n) => !isText(n) && !inline.has(n.type);
  const go = (list, owner) => {
    if (!list.some(isBlock)) {
      out.push({ node: owner, text: string(list) });
      return;
    }
    for (const n of list)
      if (isBlock(n)) go(n.children, n);
      else if (string([n]) !== "") out.push({ node: null, text: string([n]) });
  };
  for (const n of nodes)
    if (isText(n)) out.push({ node: null, text: n.text });
    else go([n], null);
  return out;
}
const count = (s, x) => s.split(x).length - 1;
const shapes = (nodes, schema) => {
  const inline = new Set(schema?.inline ?? []),
    voids = new Set(schema?.void ?? []);
  const empty = new Map(),
    mixed = [],
    kidsOf = new Map();
  const add = (m, k, n = 1) => m.set(k, (m.get(k) ?? 0) + n);
  walk(canon(nodes), (n) => {
    if (isText(n)) return;
    const blocks = n.children.filter((c) => !isText(c) && !inline.has(c.type)),
      text = n.children.filter((c) => isText(c) || inline.has(c.type));
    if (string([n]) === "" && !voids.has(n.type) && !hasVoid(n, voids)) add(empty, n.type);
    if (blocks.length && text.length) mixed.push(n.type);
    const kind = blocks.length ? "blocks" : string([n]) === "" ? null : "text";
    if (kind) {
      const s = kidsOf.get(n.type) ?? new Set();
      s.add(kind);
      kidsOf.set(n.type, s);
    }
  });
  return { empty, mixed, kidsOf };
};
const hasVoid = (n, voids) => {
  let found = false;
  walk([n], (x) => {
    if (!isText(x) && voids.has(x.type)) found = true;
  });
  return found;
};
/** Shapes in `value` that nobody had: `had` are the start and what each person had alone. */
function newShapes(value, had, schema) {
  const now = shapes(value, schema),
    each = had.map((v) => shapes(v, schema)),
    out = [];
  const [start, ...alone] = each;
  for (const [type, n] of now.empty) {
    const before = start?.empty.get(type) ?? 0;
    const allowed = before + alone.reduce((sum, s) => sum + Math.max(0, (s.empty.get(type) ?? 0) - before), 0);
    if (n > allowed) out.push(`an empty ${type} that nobody had`);
  }
  const types = (v) => {
    const t = new Set();
    walk(v, (n) => {
      if (!isText(n)) t.add(n.type);
    });
    return t;
  };
  const known = new Set(had.flatMap((v) => [...types(v)]));
  for (const type of types(value)) if (!known.has(type)) out.push(`a ${type}, a type that nobody had`);
  for (const type of now.mixed)
    if (!each.some((s) => s.mixed.includes(type))) out.push(`${type} mixes text and blocks`);
  for (const [type, kinds] of now.kidsOf)
    for (const kind of kinds)
      if (each.some((s) => s.kidsOf.has(type)) && !each.some((s) => s.kidsOf.get(type)?.has(kind)))
        out.push(`${type} has ${kind === "text" ? "bare text" : "blocks"} which nobody gave it`);
  return out;
}

/** `had`: the start, and what each person had before hearing of the others. */
export function complaints(value, expect, had, schema) {
  const bad = [],
    text = string(value),
    rows = lines(value, schema),
    say = (x) => bad.push(x);
  if (expect.value && !(expect.exact ? identical : same)(value, expect.value))
    say(`expected ${show(expect.value, schema)}`);
  if (expect.oneOf && !expect.oneOf.some((v) => same(value, v)))
    say(`expected one of ${expect.oneOf.map((v) => show(v, schema)).join("  |  ")}`);
  for (const x of expect.letters ?? "") {
    const n = count(text, x);
    if (n !== 1) say(n ? `${x} is there ${n} times` : `${x} is lost`);
  }
  for (const x of expect.gone ?? "") if (text.includes(x)) say(`${x} is back`);
  for (const x of expect.has ?? []) if (count(text, x) !== 1) say(`"${x}" is there ${count(text, x)} times`);
  for (const x of expect.hasNot ?? []) if (text.includes(x)) say(`"${x}" is there`);
  for (const w of expect.order ?? []) {
    const at = [...w].filter((x) => text.includes(x)).map((x) => text.indexOf(x));
    if (at.some((p, i) => i && p < at[i - 1])) say(`${w} out of order`);
  }
  for (const { text: t, after, before } of expect.place ?? []) {
    const want = (after ?? "") + t + (before ?? "");
    if (!rows.some((r) => r.text.includes(want)))
      say(`"${t}" is not ${after ? `right behind "${after}"` : `right before "${before}"`} in one block`);
  }
  if (expect.lines) {
    const got = rows
        .map((r) => r.text)
        .filter((t) => t !== "")
        .sort(),
      want = [...expect.lines].sort();
    for (const l of new Set([...got, ...want])) {
      const g = got.filter((x) => x === l).length,
        w = want.filter((x) => x === l).length;
      if (g !== w) say(g > w ? `a line "${l}" that should not be` : `no line "${l}"`);
    }
  }
  const rowOf = (x) => rows.findIndex((r) => r.text.includes(x));
  for (const [x, y] of expect.apart ?? []) if (rowOf(x) === rowOf(y)) say(`${x} and ${y} are in one block`);
  for (const [x, y] of expect.together ?? []) if (rowOf(x) !== rowOf(y)) say(`${x} and ${y} are in different blocks`);
  for (const k of expect.kinds ?? []) {
    let n = 0;
    walk(value, (x, up) => {
      if (
        !isText(x) &&
        x.type === k.type &&
        (k.text === undefined || string([x]) === k.text) &&
        (k.props === undefined ||
          Object.entries(k.props).every(([p, v]) => JSON.stringify(x[p]) === JSON.stringify(v))) &&
        (k.in === undefined || up.some((u) => u.type === k.in))
      )
        n++;
    });
    const want = k.count ?? 1;
    if (n !== want)
      say(`${n} ${k.type}${k.text === undefined ? "" : ` with "${k.text}"`}${k.in ? ` in ${k.in}` : ""}, not ${want}`);
  }
  for (const m of expect.marks ?? []) {
    const want = new Set(m.text);
    let wrong = "";
    walk(value, (n) => {
      if (isText(n))
        for (const x of n.text)
          if (want.has(x)) {
            const ok =
              Object.entries(m.marks ?? {}).every(([k, v]) => n[k] === v) &&
              (m.without ?? []).every((k) => !n[k]) &&
              Object.entries(m.among ?? {}).every(([k, v]) => v.includes(n[k]));
            if (!ok) wrong += x;
          }
    });
    if (wrong)
      say(
        `"${wrong}" ${m.marks ? `lacks ${JSON.stringify(m.marks)}` : m.without ? `has ${m.without}` : `has another value than ${JSON.stringify(m.among)}`}`,
      );
  }
  if (expect.noShape !== false && !expect.value && !expect.oneOf) for (const x of newShapes(value, had, schema)) say(x);
  return bad;
}
