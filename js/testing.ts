// `slate-yrs/testing`: documents that hear of each other without a server, for the tests of an application.
import { handleOf } from "./engine.js";
import { open } from "./index.js";
import type { Collab, OpenOptions, Presence } from "./types.js";

export { type FakeClock, fakeClock } from "./clock.js";

/** Documents in one room, as if each were open in a browser of its own. */
export interface TestRoom<P extends Presence = Presence> {
  readonly documents: readonly Collab<P>[];
  /** From now on nobody hears of the others, as when all are offline. */
  part(): void;
  /** What was done apart reaches everybody, at once; from now on each change does so in the turn in which it is made. */
  meet(): void;
  /** Closes all documents. */
  close(): Promise<void>;
}

let rooms = 0;

/**
 * Opens documents that exchange their changes by themselves: no server, no network, nothing stored. Presence does not
 * travel.
 *
 * @param count How many.
 * @param options As for {@link open}; the first gets `initialValue`.
 * @throws CollabError as {@link open} does.
 * @example
 * const room = await openTogether(2, { initialValue: [{ type: "action", children: [{ text: "" }] }] });
 * const [ada, ben] = room.documents.map((collab) => withCollab(createEditor(), collab));
 * room.part();
 * Transforms.insertText(ada, "Ada", { at: [0, 0] });
 * Transforms.insertText(ben, "Ben", { at: [0, 0] });
 * room.meet();
 * expect(ada.children).toEqual(ben.children);
 */
export async function openTogether<P extends Presence = Presence>(
  count: number,
  options: Partial<Omit<OpenOptions<P>, "url" | "offline">> = {},
): Promise<TestRoom<P>> {
  rooms += 1;
  const { initialValue, ...others } = options;
  const documents: Collab<P>[] = [];
  const waiting: { from: Collab<P>; update: Uint8Array }[] = [];
  let together = true;
  const tell = (from: Collab<P>, update: Uint8Array) => {
    for (const to of documents) if (to !== from) to.applyUpdate(update);
  };
  for (let at = 0; at < count; at += 1) {
    const own = at === 0 && initialValue !== undefined ? { initialValue } : {};
    const collab = await open<P>({ id: `test-room-${rooms}`, ...others, ...own, offline: false });
    const [first] = documents;
    if (first !== undefined) collab.applyUpdate(first.encodeState());
    documents.push(collab);
  }
  for (const from of documents) {
    from.on("update", ({ update, origin }) => {
      if (origin !== "local" && origin !== "undo") return;
      if (together) tell(from, update);
      else waiting.push({ from, update });
    });
  }
  // What an editor has done in this turn belongs to before it.
  const settle = () => {
    for (const collab of documents) handleOf(collab).flush();
  };
  return {
    documents,
    part: () => {
      settle();
      together = false;
    },
    meet: () => {
      settle();
      together = true;
      for (const { from, update } of waiting.splice(0)) tell(from, update);
    },
    close: async () => {
      await Promise.all(documents.map((collab) => collab.close()));
    },
  };
}
