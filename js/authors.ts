// Who wrote each word. The server says it by the ids of characters, which never change; where they stand, the engine knows: so it
// does not matter what either has that the other lacks.
import type { Path, Point, Range } from "slate";
import { request } from "./history.js";
import type { Authored, OpenOptions, Presence } from "./types.js";

type Client = number;
/** Of a client's characters: the clocks from the first up to the last, without it. */
type AuthoredSpan = { from: number; to: number; author: string | null; at: number | null };
type BlameAnswer = { runs: { author: string | null; at: string | null; ids: [Client, number, number][] }[] };

/** `runs`: the characters of the document, as the engine has them; asked once the server has answered. */
export async function authorsOf<P extends Presence>(
  options: OpenOptions<P>,
  runs: () => ArrayLike<number>,
  range?: Range,
): Promise<readonly Authored[]> {
  const query: Record<string, string> = options.root === undefined ? {} : { root: options.root };
  const answer = (await (await request(options, "GET", "blame", query)).json()) as BlameAnswer;
  const known = new Map<Client, AuthoredSpan[]>();
  for (const { author, at, ids } of answer.runs) {
    for (const [client, from, count] of ids) {
      const span = { from, to: from + count, author, at: at === null ? null : Date.parse(at) };
      const spans = known.get(client);
      if (spans === undefined) known.set(client, [span]);
      else spans.push(span);
    }
  }
  for (const spans of known.values()) spans.sort((a, b) => a.from - b.from);
  return readRuns(runs(), known, range);
}

/** Exported for tests. `flat`: of each run the length of its path, the path, offset, length, client and clock. */
export function readRuns(
  flat: ArrayLike<number>,
  known: ReadonlyMap<Client, readonly AuthoredSpan[]>,
  range?: Range,
): Authored[] {
  const found: Authored[] = [];
  const [start, end] = range === undefined ? [] : inOrder(range);
  let at = 0;
  const next = () => flat[at++] as number;
  while (at < flat.length) {
    const path: Path = Array.from({ length: next() }, next);
    const [first, length, client, clock] = [next(), next(), next(), next()];
    // The part of it that was asked for.
    const from = Math.max(first, start === undefined ? 0 : limit(path, start));
    const to = Math.min(first + length, end === undefined ? Infinity : limit(path, end));
    const spans = known.get(client) ?? [];
    for (let offset = from; offset < to; ) {
      const id = clock + offset - first;
      const index = behind(spans, id);
      const before = spans[index - 1];
      const span = before !== undefined && id < before.to ? before : null;
      const until = Math.min(to, first + (span?.to ?? spans[index]?.from ?? Infinity) - clock);
      add(found, path, [offset, until], span);
      offset = until;
    }
  }
  return found;
}

function inOrder({ anchor, focus }: Range): [Point, Point] {
  const order = compare(anchor.path, focus.path) || anchor.offset - focus.offset;
  return order <= 0 ? [anchor, focus] : [focus, anchor];
}

function compare(a: Path, b: Path): number {
  const at = a.findIndex((index, depth) => index !== b[depth]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] ?? -1);
}

/** Where in a text a point stands: behind all of it, if it is in a later one. */
function limit(path: Path, point: Point): number {
  const order = compare(path, point.path);
  return order === 0 ? point.offset : order < 0 ? Infinity : 0;
}

/** How many spans begin at this clock or before. */
function behind(spans: readonly AuthoredSpan[], clock: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as AuthoredSpan).from <= clock) low = middle + 1;
    else high = middle;
  }
  return low;
}

function add(found: Authored[], path: Path, [from, to]: [number, number], span: AuthoredSpan | null): void {
  const { author, at } = span ?? { author: null, at: null };
  const last = found.at(-1);
  const goesOn =
    last?.author === author &&
    last.at === at &&
    last.range.focus.offset === from &&
    compare(last.range.focus.path, path) === 0;
  const anchor = goesOn ? last.range.anchor : { path, offset: from };
  if (goesOn) found.pop();
  found.push({ range: { anchor, focus: { path, offset: to } }, author, at });
}
