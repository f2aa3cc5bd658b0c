// What `--dump` has written, with less and less of it for as long as something is wrong.
import { readFileSync } from "node:fs";
import { type Descendant, Editor, type Operation } from "slate";
import type { Schema } from "../scenarios/acts.mjs";
import { same } from "../scenarios/expect.mjs";
import type { Replica } from "../scenarios/runner/replica.js";
import { setUp } from "../scenarios/runner/yrs.js";
import { alike, ENGINE, readAnew, shown } from "./run.js";

interface Case {
  state: Uint8Array;
  flushes: Operation[][];
  back: boolean;
  schema: Schema;
}

/** Operations that Slate refused when they were made are refused again. Others mean that too much was left out. */
const REFUSED = new WeakSet<Operation>();

/** What is wrong with it, or nothing. */
async function judge({ state, flushes, back, schema }: Case, refuses = false): Promise<string | null> {
  const [replica] = await ENGINE.open(state, schema, [1_000]);
  try {
    await replica!.settle();
    return await play(replica!, flushes, back, refuses);
  } finally {
    await replica!.close();
  }
}

async function play(
  replica: Replica,
  flushes: readonly Operation[][],
  back: boolean,
  refuses: boolean,
): Promise<string | null> {
  const { editor } = replica;
  const now = () => structuredClone(editor.children);
  const values = [now()];
  for (const flush of flushes) {
    Editor.withoutNormalizing(editor, () => {
      for (const operation of flush) {
        try {
          editor.apply(structuredClone(operation));
        } catch (error) {
          if (!refuses && !REFUSED.has(operation)) throw error;
          REFUSED.add(operation);
        }
      }
    });
    await replica.settle();
    if (!alike(now(), values.at(-1)!)) values.push(now());
    const read = await readAnew(replica.state(), editor);
    if (!same(read, now())) return `editor ${shown(now())}\n  read   ${shown(read)}`;
    if (replica.problems().length > 0) return `${replica.problems().join("; ")}\n  editor ${shown(now())}`;
  }
  if (!back) return null;
  for (const [way, wanted] of [
    ["undo", values.slice(0, -1).reverse()],
    ["redo", values.slice(1)],
  ] as const) {
    for (const value of wanted) {
      const said = replica[way]();
      await replica.settle();
      if (!said || !alike(now(), value as Descendant[]))
        return `${way} ${said}: wanted ${shown(value as Descendant[])}\n  editor ${shown(now())}`;
    }
  }
  return null;
}

export async function shrink(file: string): Promise<string> {
  const wrong = JSON.parse(readFileSync(file, "utf8"));
  const back = /undo|redo/.test(wrong.what);
  const { schema } = wrong;
  const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));
  let least: Case = back
    ? { state: bytes(wrong.start), flushes: wrong.history, back, schema }
    : { state: bytes(wrong.state), flushes: [wrong.operations], back, schema };
  let said = await judge(least, true);
  // The last operations may be those that mended the editor.
  for (let last = least.flushes.at(-1)!.length - 1; said === null && last > 0; last--) {
    least = { ...least, flushes: [...least.flushes.slice(0, -1), least.flushes.at(-1)!.slice(0, last)] };
    said = await judge(least).catch(() => null);
  }
  if (said === null) return `${file}: does not show it`;
  for (let again = true; again; ) {
    again = false;
    for (const flushes of smaller(least.flushes)) {
      const found = await judge({ ...least, flushes }).catch(() => null);
      if (found === null || kind(found) !== kind(said!)) continue;
      [least, said, again] = [{ ...least, flushes }, found, true];
      break;
    }
  }
  const start = await shownBy(least.state, least.schema);
  const lines = least.flushes.map((flush) => `  ${flush.map((each) => JSON.stringify(each)).join("\n  ")}`);
  return [`${file}: ${wrong.what}`, `  from   ${shown(start)}`, ...lines, `  ${said}`].join("\n  --\n");
}

async function shownBy(state: Uint8Array, schema: Schema): Promise<Descendant[]> {
  const [replica] = await ENGINE.open(state, schema, [1_000]);
  const value = structuredClone(replica!.editor.children);
  await replica!.close();
  return value;
}

/** Else something different would be found in the end. */
const kind = (said: string): string => said.slice(0, 24).replace(/ (true|false).*/s, "");

function* smaller(flushes: readonly Operation[][]): Generator<Operation[][]> {
  for (let at = 0; at < flushes.length; at++) yield flushes.filter((_, index) => index !== at);
  for (let at = 0; at < flushes.length; at++) {
    for (let op = flushes[at]!.length - 1; op >= 0; op--) {
      yield flushes.map((flush, index) => (index === at ? flush.filter((_, each) => each !== op) : flush));
    }
  }
}

export async function main(args: readonly string[]): Promise<number> {
  const undo = setUp();
  try {
    for (const file of args) console.log(await shrink(file));
    return 0;
  } finally {
    undo();
  }
}
