// slate-yrs: open a document, edit it with others, online or not.
import { OpenCollab } from "./collab.js";
import { checkOptions } from "./options.js";
import type { Collab, OpenOptions, Presence } from "./types.js";
import { init } from "./wasm.js";

export { CollabError, type CollabErrorCode } from "./errors.js";
export type { Collab, Events, History, OpenOptions, Origin, Peer, Presence, Status, Version } from "./types.js";
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
  await init();
  return OpenCollab.open(options);
}
