// slate-yrs: open a document, edit it with others, online or not.
import { OpenCollab } from "./collab.js";
import { hasDeviceStore } from "./device-store.js";
import { EarlySocket } from "./early.js";
import { toCollabError } from "./errors.js";
import { checkOptions } from "./options.js";
import { rehearseWhile } from "./rehearsal.js";
import type { Collab, OpenOptions, Presence } from "./types.js";
import { localDocuments as engineDocuments, init, isLoaded } from "./wasm.js";

export { CollabError, type CollabErrorCode } from "./errors.js";
export type {
  Authored,
  BroadcastSender,
  Collab,
  DebugEntry,
  Events,
  History,
  Json,
  OpenOptions,
  Origin,
  Peer,
  Presence,
  RolledBack,
  SharedMap,
  SharedMapChange,
  Status,
  ValueChange,
  Version,
  WebSocketClass,
} from "./types.js";
export { askBeforeLeaving } from "./unload.js";
export { init, type WasmSource } from "./wasm.js";

/**
 * Opens a document. Resolves as soon as its local copy is loaded, before any network: what is there can be edited.
 *
 * @throws CollabError `root-mismatch` if the document's content lies under another root, `wasm` if the engine does not
 * load, `protocol` if an option is not what it must be.
 */
export async function open<P extends Presence = Presence>(options: OpenOptions<P>): Promise<Collab<P>> {
  checkOptions(options);
  const early = isLoaded() ? null : EarlySocket.dial(options);
  try {
    await init();
    const collab = await OpenCollab.open(options, early);
    // The engine has just come, and there was nothing on the device: next to nothing of it has run.
    if (early !== null && collab.value().length === 0) {
      rehearseWhile(() => !collab.status.synced && collab.status.connection !== "closed");
    }
    return collab;
  } catch (error) {
    early?.drop();
    throw error;
  }
}

/** A document that is on this device. */
export interface LocalDocument {
  id: string;
  /** Edits that no server has acknowledged or taken. They are sent when the document is opened. */
  pending: number;
}

/**
 * The documents on this device, open or not.
 *
 * @throws CollabError `storage` if the device does not say.
 * @example
 * const unsent = (await localDocuments()).filter(({ pending }) => pending > 0);
 */
export async function localDocuments(options: { database?: string } = {}): Promise<LocalDocument[]> {
  if (!hasDeviceStore()) return [];
  await init();
  try {
    const found: (string | number)[] = await engineDocuments(options.database);
    return Array.from({ length: found.length / 2 }, (_, index) => ({
      id: String(found[2 * index]),
      pending: Number(found[2 * index + 1]),
    }));
  } catch (error) {
    throw toCollabError(error, "storage");
  }
}
