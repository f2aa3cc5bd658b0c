// Every letter is the only one of its kind. Two people edit at the same time; what nobody deleted must be there in the
// end, once, and what somebody deleted must not. How often that fails, in slate-yjs and in slate-yrs in both formats, on
// the same runs.
import { Node, Transforms } from "slate";
import { type EditName, perform, random, somewhere } from "./random.js";
import { type Format, ours, seed, theirs } from "./replica.js";

export interface Count {
  letters: number;
  lost: number;
  doubled: number;
  /** Deleted, and there all the same. */
  back: number;
  /** Runs in which an editor threw. */
  threw: number;
}

/** What two people do at once: typing, and what else. */
export const MIXES: Record<string, readonly (EditName | "letter")[]> = {
  "type ‖ Enter": ["letter", "letter", "letter", "enter"],
  "type ‖ Backspace": ["letter", "letter", "letter", "backspace"],
  "type ‖ bold ‖ Enter": ["letter", "letter", "mark", "unmark", "enter"],
  "type ‖ move a block": ["letter", "letter", "letter", "moveBlock"],
  "type ‖ erase": ["letter", "letter", "erase", "eraseRange"],
  "type ‖ Enter ‖ Backspace": ["letter", "letter", "enter", "backspace"],
  everything: [
    "letter",
    "letter",
    "letter",
    "enter",
    "backspace",
    "mark",
    "erase",
    "setType",
    "moveBlock",
    "wrap",
    "lift",
  ],
};

const STEPS = 40;
const FIRST = 0xe000;

/** Letters nobody else uses, from the private area. */
function alphabet(): () => string {
  let code = FIRST;
  return () => String.fromCharCode(code++);
}

/** Runs a mix with these seeds. `format`: of slate-yrs; none: slate-yjs. */
export async function measure(
  format: Format | undefined,
  names: (typeof MIXES)[string],
  seeds: number,
): Promise<Count> {
  const total: Count = { letters: 0, lost: 0, doubled: 0, back: 0, threw: 0 };
  for (let at = 0; at < seeds; at++) {
    const count = await run(format, names, at).catch(() => null);
    if (count === null) total.threw++;
    else for (const key of ["letters", "lost", "doubled", "back"] as const) total[key] += count[key];
  }
  return total;
}

async function run(format: Format | undefined, names: (typeof MIXES)[string], at: number): Promise<Count> {
  const letter = alphabet();
  const next = random(at);
  const line = (length: number) => ({ type: "action", children: [{ text: Array.from({ length }, letter).join("") }] });
  const start = seed([line(12), line(6), line(9)] as never, format);
  const replicas =
    format === undefined ? [theirs(start, 11), theirs(start, 22)] : [await ours(start), await ours(start)];
  const inbox: Uint8Array[][] = [[], []];
  const deleted = new Set<string>();
  /** Whoever sees it twice may well want it once. */
  const either = new Set<string>();
  const exchange = () => {
    for (const to of [0, 1]) inbox[to]!.push(...replicas[1 - to]!.flush());
    for (const to of [0, 1]) for (const update of inbox[to]!.splice(0)) replicas[to]!.apply(update);
  };
  try {
    for (let step = 0; step < STEPS; step++) {
      const { editor } = replicas[next(2)]!;
      const name = names[next(names.length)]!;
      if (name === "letter") {
        const place = somewhere(editor, next);
        if (place) Transforms.insertText(editor, letter(), { at: place });
      } else {
        const before = Node.string(editor);
        perform(name, editor, next);
        const after = new Set(Node.string(editor));
        for (const each of before) {
          if (after.has(each)) continue;
          const seen = before.split(each).length - 1;
          (seen > 1 ? either : deleted).add(each);
        }
      }
      if (next(8) === 0) exchange();
    }
    for (let round = 0; round < 4; round++) exchange();
    // What a document of format 1 shows slate-yjs cannot read.
    const text = JSON.stringify(replicas[0]!.editor.children);
    const count: Count = { letters: letter().charCodeAt(0) - FIRST, lost: 0, doubled: 0, back: 0, threw: 0 };
    for (let code = FIRST; code < FIRST + count.letters; code++) {
      const each = String.fromCharCode(code);
      const found = text.split(each).length - 1;
      if (found === 0 && !deleted.has(each) && !either.has(each)) count.lost++;
      if (found > 1) count.doubled += found - 1;
      if (found > 0 && deleted.has(each) && !either.has(each)) count.back++;
    }
    return count;
  } finally {
    for (const replica of replicas) await replica.close();
  }
}
