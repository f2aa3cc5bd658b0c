// Updates that are well formed, within every limit, and cost more than they should. Yjs 13.6.33 applies `chain`, `tiny` and
// `merged` in 0.1 to 0.2 s; in `pending`, `ascending` and `key` it grows by the square itself.
import * as Y from "yjs";

const varUint = (n) => {
  const out = [];
  for (let rest = n; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...out, rest]);
    out.push((rest % 128) | 128);
  }
};
const bytes = (parts) => Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : part)));
const string = (text) => bytes([varUint(Buffer.byteLength(text)), Buffer.from(text)]);
/** The first text of the root type `content`. */
const first = (text) => bytes([4, 1, string("content"), string(text)]);
/** Text behind the character (client, clock). */
const behind = (client, clock, text) => bytes([4 | 128, varUint(client), varUint(clock), string(text)]);
/** One update of [client, clock, structs] in this order, without deletions. */
const update = (clients) =>
  bytes([
    varUint(clients.length),
    ...clients.map(([id, clock, structs]) => bytes([varUint(structs.length), varUint(id), varUint(clock), ...structs])),
    0,
  ]);
const range = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const link = (i) => [1_000 + i, 0, [i === 0 ? behind(1, 0, "c") : behind(999 + i, 0, "c")]];

/** By name: how many by default, and the updates, to be applied in this order. */
export const CASES = {
  /** Each client's text stands behind that of the next lower client, the highest first. */
  chain: [24_000, (n) => [update([[1, 0, [first("x")]], ...range(n, link)].reverse())]],
  /** The same as one small edit each, lowest first. */
  ascending: [24_000, (n) => [update([[1, 0, [first("x")]]]), ...range(n, (i) => update([link(i)]))]],
  /** Keystrokes of one client that were never joined, in one update. */
  tiny: [150_000, (n) => [update([[1, 0, [first("x"), ...range(n, (i) => behind(1, i, "a"))]]])]],
  /** Keystrokes as an application keeps and merges them: `Y.mergeUpdates`. */
  merged: [60_000, merged],
  /** Updates that wait for something that never comes. */
  pending: [3_000, (n) => range(n, (i) => update([[5_000 + i, 5, [behind(3, 9, "p")]]]))],
  /** One map key, set by one client in one update by sets that do not know of each other. */
  key: [
    60_000,
    (n) => [update([[1, 0, range(n, () => bytes([8 | 32, 1, string("m"), string("k"), varUint(1), 125, 1]))]])],
  ],
};

function merged(n) {
  const doc = new Y.Doc();
  const updates = [];
  doc.on("update", (one) => updates.push(one));
  for (let i = 0; i < n; i += 1) doc.getText("content").insert(i, "a");
  // Of many at once it takes the square.
  let level = updates;
  while (level.length > 1)
    level = range(Math.ceil(level.length / 100), (i) => Y.mergeUpdates(level.slice(100 * i, 100 * (i + 1))));
  return level;
}

/** Updates in one file: each after its length in four bytes. */
export const pack = (updates) =>
  Buffer.concat(
    updates.flatMap((one) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(one.length);
      return [length, one];
    }),
  );

export function unpack(file) {
  const updates = [];
  for (let at = 0; at < file.length; ) {
    const end = at + 4 + file.readUInt32LE(at);
    updates.push(file.subarray(at + 4, end));
    at = end;
  }
  return updates;
}
