// Loading the WebAssembly module, once, in browsers, workers and Node.
import instantiate, { difference, Engine, localDocuments } from "../pkg/slate_yrs.js";
import { toCollabError } from "./errors.js";

/** Where the module may come from: its address, a request for it, its bytes, or a compiled module. */
export type WasmSource = URL | RequestInfo | BufferSource | WebAssembly.Module;

let loading: Promise<void> | null = null;
let loaded = false;

/**
 * Loads and instantiates the engine. `open` does it by itself; call it earlier to have it ready, or with a source where
 * the default location, beside this package's code, does not fit. Calls after the first successful one do nothing.
 *
 * @throws CollabError `wasm` if the module does not load; it may be tried again.
 */
export function init(source?: WasmSource): Promise<void> {
  loading ??= load(source).catch((error: unknown) => {
    loading = null;
    throw toCollabError(error, "wasm");
  });
  return loading;
}

async function load(source?: WasmSource): Promise<void> {
  // Bundlers look for exactly this expression.
  const from = source ?? new URL("../pkg/slate_yrs_bg.wasm", import.meta.url);
  const local = from instanceof URL && from.protocol === "file:";
  await instantiate({ module_or_path: local ? await readFile(from) : from });
  loaded = true;
}

/** Node's `fetch` does not know files. */
async function readFile(url: URL): Promise<BufferSource> {
  // Not named in the import, so that bundlers for browsers do not look for it.
  const name = "node:fs/promises";
  const fs: { readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> } = await import(
    /* webpackIgnore: true */ /* @vite-ignore */ name
  );
  return fs.readFile(url);
}

/** Whether the engine is there. */
export function isLoaded(): boolean {
  return loaded;
}

export { difference, Engine, localDocuments };
