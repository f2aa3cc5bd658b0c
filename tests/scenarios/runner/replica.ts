// What the scenarios need of an engine: somebody with an editor on a document, without a network.
import { slateNodesToInsertDelta } from "@slate-yjs/core";
import type { Descendant, Editor } from "slate";
import * as Y from "yjs";
import type { Schema } from "../acts.mjs";

/** One person's editor on a document. */
export interface Replica {
  readonly editor: Editor;
  /** The updates made here since the last time. */
  take(): Uint8Array[];
  /** Somebody else's update arrives. */
  hear(update: Uint8Array): void;
  /** The turn ends: what the editor did reaches the document, and what waits for the end of a turn happens. */
  settle(): Promise<void>;
  /** What the document holds, read without the editor. */
  value(): Descendant[];
  state(): Uint8Array;
  /** What went wrong by itself: errors, divergences. */
  problems(): string[];
  undo(): boolean;
  redo(): boolean;
  close(): Promise<void>;
}

/** How an engine is opened. */
export interface Engine {
  readonly name: string;
  /** Of the documents that it begins with. */
  readonly format: 0 | 1;
  /** Several at one document, with these client ids; they know of each other. Each act is an undo step of its own. */
  open(state: Uint8Array, schema: Schema, clientIds: readonly number[]): Promise<Replica[]>;
  /** What `open` of the package is given besides, where the engine is the package: then it lives with servers, too. */
  readonly options: object | null;
}

/** The root map in which a document says what holds for all of it. */
const OF_DOCUMENT = "slate-yrs:doc";

/** A document with this content that none of those who open it has made: client id 1. */
export function seed(value: readonly Descendant[], format: 0 | 1): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = 1;
  doc.get("content", Y.XmlText).applyDelta(slateNodesToInsertDelta([...value]), { sanitize: false });
  if (format !== 0) doc.getMap(OF_DOCUMENT).set("format", format);
  return Y.encodeStateAsUpdate(doc);
}

/** In which order people hear each other: one after the other, or all at the same moment. */
export type Order = "first" | "last" | "all";

/** Hands over updates until nobody has anything to say. Returns how many each has made. */
export async function exchange(replicas: readonly Replica[], order: Order): Promise<number[]> {
  const made = replicas.map(() => 0);
  const inbox: Uint8Array[][] = replicas.map(() => []);
  const collect = async (from: number) => {
    await replicas[from]!.settle();
    for (const update of replicas[from]!.take()) {
      made[from]! += 1;
      inbox.forEach((queue, to) => {
        if (to !== from) queue.push(update);
      });
    }
  };
  const turn = [...replicas.keys()];
  for (const each of turn) await collect(each);
  if (order === "last") turn.reverse();
  // What somebody answers may come in a later turn: it is quiet after two rounds without a word.
  for (let round = 0, quiet = 0; quiet < 2; round++) {
    if (round === ROUNDS) throw new Error(`they still answer each other after ${ROUNDS} rounds`);
    const heard = order === "all" ? await allAtOnce() : await oneByOne();
    quiet = heard ? 0 : quiet + 1;
  }
  return made;

  async function allAtOnce(): Promise<boolean> {
    const arrived = inbox.map((queue) => queue.splice(0));
    for (const to of turn) for (const update of arrived[to]!) replicas[to]!.hear(update);
    for (const each of turn) await collect(each);
    return arrived.some((updates) => updates.length > 0);
  }

  async function oneByOne(): Promise<boolean> {
    let heard = false;
    for (const to of turn) {
      for (const update of inbox[to]!.splice(0)) {
        replicas[to]!.hear(update);
        heard = true;
      }
      await collect(to);
    }
    return heard;
  }
}

const ROUNDS = 40;
