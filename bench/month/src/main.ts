// A day of somebody who types into a document of this device, which they open in the morning and close in the evening.
import { createEditor, type Descendant, Editor, Node, Transforms } from "slate";
import { open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";

export interface Day {
  /** ms, from asking for the document until there is an editor with its text. */
  opening: number;
  /** ms of each key, from Slate's operation until the engine has it and the device was given it. */
  keys: number[];
  /** ms of each key with all that the page does before the next: what is due a while after a key, too. */
  turns: number[];
  blocks: number;
  characters: number;
}

interface Plan {
  id: string;
  /** The server; none: whoever types is offline all month. */
  url: string | null;
  keys: number;
  seed: number;
  initialValue: Descendant[];
}

/** xorshift: the same month in every run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2654435761 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const { port1, port2 } = new MessageChannel();
const turn = () =>
  new Promise<void>((next) => {
    port1.onmessage = () => next();
    port2.postMessage(0);
  });

async function day({ id, url, keys, seed, initialValue }: Plan): Promise<Day> {
  const random = randomOf(seed);
  const asked = performance.now();
  const collab = await open({ id, initialValue, ...(url === null ? {} : { url }) });
  const editor = withCollab(createEditor(), collab);
  const opening = performance.now() - asked;
  if (url !== null) await collab.whenSynced();
  const result: Day = { opening, keys: [], turns: [], blocks: 0, characters: 0 };
  const place = () => {
    const block = random(editor.children.length);
    const { length } = Node.string(editor.children[block] as Node);
    Transforms.select(editor, { path: [block, 0], offset: random(length + 1) });
  };
  place();
  await turn();
  for (let key = 0; key < keys; key += 1) {
    // Somewhere else, every line or so.
    if (random(60) === 0) place();
    const kind = random(100);
    const begun = performance.now();
    if (kind < 8) Editor.deleteBackward(editor);
    else if (kind < 10) Editor.insertBreak(editor);
    else Editor.insertText(editor, "etaoin shrdlu"[random(13)] ?? " ");
    // The engine is told at the end of the tick.
    await null;
    await null;
    result.keys.push(performance.now() - begun);
    await turn();
    result.turns.push(performance.now() - begun);
  }
  if (url !== null) await collab.whenSaved();
  if (collab.status.divergences !== 0) throw new Error("the editor differs from the document");
  result.blocks = editor.children.length;
  result.characters = editor.children.reduce((sum, block) => sum + Node.string(block as Node).length, 0);
  await collab.close();
  return result;
}

declare global {
  interface Window {
    day: typeof day;
  }
}
window.day = day;
