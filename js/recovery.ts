// Surviving a trap: a panic in the engine, or memory that runs out, leaves its instance unusable, and with it every
// open document. A fresh instance takes its place, and each document is opened in it again: from the device's journal,
// or, where there is none, from the updates kept here.
import { __wbg_reset_state, isRunning } from "../pkg/slate_yrs.js";
import { CollabError } from "./errors.js";

/** A document that can be opened again. */
export interface Revivable {
  /** Its engine is gone: nothing of it may be called any more, not even to free it. */
  died(error: CollabError): void;
  /** There is a fresh instance to open it in. */
  revive(): void;
  /** There is none, and there will be none. */
  giveUp(error: CollabError): void;
}

/** After more traps than this within a minute recovery gives up: their cause comes back with the document. */
const MOST_TRAPS = 5;
const MINUTE_MS = 60_000;

const documents = new Set<Revivable>();
let scheduled = false;
let traps: number[] = [];
let instances = 0;

/** The instance's number. An object of an earlier one must not even be freed: its address is now another object's. */
export function instance(): number {
  return instances;
}

/** Takes part in the recovery until the returned function is called. */
export function register(document: Revivable): () => void {
  if (documents.size === 0) watch(true);
  documents.add(document);
  return () => {
    documents.delete(document);
    if (documents.size === 0) watch(false);
  };
}

/** Whether what a call into the engine has thrown means that the instance is gone. */
export function isTrap(error: unknown): boolean {
  if (error instanceof WebAssembly.RuntimeError) return true;
  // The engine's stack has overflown. Its name differs between browsers.
  return error instanceof RangeError || (error instanceof Error && error.name === "InternalError");
}

/** Whether the instance is gone, and its successor not there yet. */
export function isRecovering(): boolean {
  return scheduled;
}

/** The instance is gone. Recovers as soon as nothing of it is on the stack any more. */
export function trapped(cause: unknown): CollabError {
  const error = new CollabError("wasm", "the engine failed and is started again", { cause });
  if (scheduled) return error;
  scheduled = true;
  for (const document of [...documents]) document.died(error);
  queueMicrotask(recover);
  return error;
}

function recover(): void {
  scheduled = false;
  const now = Date.now();
  traps = [...traps.filter((at) => now - at < MINUTE_MS), now];
  let failure: CollabError | null = null;
  if (traps.length > MOST_TRAPS) failure = new CollabError("wasm", "the engine fails again and again");
  else {
    try {
      instances += 1;
      __wbg_reset_state();
    } catch (cause) {
      failure = new CollabError("wasm", "the engine cannot be started again", { cause });
    }
  }
  for (const document of [...documents]) {
    // One of them has made the fresh instance fail as well: all start over.
    if (scheduled) return;
    if (failure === null) document.revive();
    else document.giveUp(failure);
  }
}

/** Callbacks of timers, sockets and the database may trap too. Nothing here called them, so only the page is told. */
function onUncaught(event: ErrorEvent | PromiseRejectionEvent): void {
  const error: unknown = "reason" in event ? event.reason : event.error;
  if (error instanceof WebAssembly.RuntimeError && (isRunning() || error.stack?.includes("slate_yrs"))) trapped(error);
}

function watch(on: boolean): void {
  if (typeof globalThis.addEventListener !== "function") return;
  const change = on ? globalThis.addEventListener : globalThis.removeEventListener;
  change("error", onUncaught as EventListener);
  change("unhandledrejection", onUncaught as EventListener);
}

/** More updates than this are replaced by the state they lead to. */
const MOST_UPDATES = 4000;

/** Says nothing. */
const EMPTY = new Uint8Array(2);

/** What a document without a journal is opened from again. */
export class Backup {
  #state: Uint8Array | null = null;
  /** Own edits that the server has not acknowledged are marked. */
  #updates: { update: Uint8Array; own: boolean }[] = [];

  /** `state` is what all updates lead to, `pending` the own ones that are not acknowledged, in one update. */
  add(update: Uint8Array, own: boolean, state: () => Uint8Array, pending: () => Uint8Array): void {
    this.#updates.push({ update, own });
    if (this.#updates.length <= MOST_UPDATES) return;
    this.#state = state();
    const unsent = this.#updates.some(({ own }) => own) ? pending() : EMPTY;
    this.#updates = unsent.length > EMPTY.length ? [{ update: unsent, own: true }] : [];
  }

  /** The server has every own edit. */
  acknowledged(): void {
    for (const entry of this.#updates) entry.own = false;
  }

  /** In order; `own` is false for the state. */
  *entries(): Generator<{ update: Uint8Array; own: boolean }> {
    if (this.#state !== null) yield { update: this.#state, own: false };
    yield* this.#updates;
  }
}
