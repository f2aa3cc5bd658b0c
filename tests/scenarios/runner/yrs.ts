// The engine of the package, as an application uses it.
import { createEditor, type Editor } from "slate";
import { type Collab, type OpenOptions, open } from "slate-yrs";
import { type CollabEditor, withCollab } from "slate-yrs/slate";
import { WebSocket as NodeWebSocket } from "ws";
import { type Schema, withSchema } from "../acts.mjs";
import { WIRE, Wire } from "./presence.js";
import type { Engine, Replica } from "./replica.js";

/** `options`: what `open` is given besides. */
export function slateYrs(name: string, format: 0 | 1, options: object): Engine {
  return { name, format, options, open: (state, schema, ids) => openAll(options, state, schema, ids) };
}

let rooms = 0;

async function openAll(
  options: object,
  state: Uint8Array,
  schema: Schema,
  clientIds: readonly number[],
): Promise<Replica[]> {
  const id = `room-${rooms++}`;
  const collabs: Collab[] = [];
  for (const clientId of clientIds) {
    const presence = { name: `${clientId}` };
    const own = { id, url: WIRE, presence, offline: false, undo: { captureTimeout: 0 }, ...options };
    const collab = await openAs(clientId, own);
    collab.applyUpdate(state);
    collabs.push(collab);
  }
  for (let turns = 0; !collabs.every((each) => each.status.synced && each.peers.length === collabs.length - 1); ) {
    if (++turns > 1_000) throw new Error("they do not come to know of each other");
    await turn();
  }
  return collabs.map((collab) => replica(collab, schema));
}

function replica(collab: Collab, schema: Schema): Replica {
  const problems: string[] = [];
  let updates: Uint8Array[] = [];
  collab.on("error", ({ code, message }) => problems.push(`an error: ${code}: ${message}`));
  collab.on("update", ({ update, origin }) => {
    if (origin !== "remote") updates.push(update);
  });
  const editor: Editor & CollabEditor = withCollab(withSchema(createEditor(), schema), collab);
  return {
    editor,
    take: () => updates.splice(0),
    hear: (update) => collab.applyUpdate(update),
    settle: turn,
    value: () => collab.value(),
    state: () => collab.encodeState(),
    problems: () => {
      const { divergences } = collab.status;
      return divergences === 0 ? problems : [...problems, `${divergences} divergences`];
    },
    undo: () => collab.undo(),
    redo: () => collab.redo(),
    close: async () => {
      updates = [];
      editor.disconnect();
      await collab.close();
    },
  };
}

/** Everything that waits for the end of this turn happens. */
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** The client id that is drawn next: nobody else draws meanwhile. */
let next: number | null = null;
let drawing: Promise<unknown> = Promise.resolve();

/** Opens a document with a client id of one's choice: there is no option for it. */
export function openAs(clientId: number, options: OpenOptions): Promise<Collab> {
  const opening = drawing.then(() => {
    next = clientId;
    const drawn = new Promise<void>((done) => {
      wasDrawn = done;
    });
    const collab = open(options);
    // Where it is refused, nothing is drawn.
    return { collab, drawn: Promise.race([drawn, collab.then(() => {})]) };
  });
  drawing = opening.then(({ drawn }) => drawn).catch(() => {});
  return opening.then(({ collab }) => collab).then((collab) => checked(collab, clientId));
}

let wasDrawn: () => void = () => {};

function checked(collab: Collab, clientId: number): Collab {
  if (collab.clientId !== clientId) throw new Error(`client id ${collab.clientId} was drawn, not ${clientId}`);
  return collab;
}

/** Which of the numbers that are drawn at once is the client id: see `engineConfig` in js/options.ts. */
const DRAWN_AT_ONCE = 3;
const CLIENT_ID = 0;

/** From now on client ids are those of {@link openAs}, and sockets those of Node or of {@link WIRE}. Undone by what it returns. */
export function setUp(): () => void {
  const { WebSocket } = globalThis;
  const draw = crypto.getRandomValues;
  crypto.getRandomValues = <T extends ArrayBufferView | null>(into: T): T => {
    draw.call(crypto, into as never);
    if (into instanceof Uint32Array && into.length === DRAWN_AT_ONCE && next !== null) {
      into[CLIENT_ID] = next;
      // Opening draws more than once, all within one call.
      queueMicrotask(() => {
        next = null;
        wasDrawn();
      });
    }
    return into;
  };
  globalThis.WebSocket = function connect(url: string, protocols?: string[]) {
    return url.startsWith(WIRE) ? new Wire(url) : new NodeWebSocket(url, protocols);
  } as unknown as typeof globalThis.WebSocket;
  return () => {
    crypto.getRandomValues = draw;
    globalThis.WebSocket = WebSocket;
  };
}
