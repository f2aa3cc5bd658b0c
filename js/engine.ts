// What the editor bindings use of an open document. Internal: not exported from the package.

import type { Descendant, Operation, Range } from "slate";
import type { OriginNames, RemoteNames } from "../pkg/slate_yrs.js";
import { CollabError } from "./errors.js";
import type { Collab, Json, Origin, SharedMap } from "./types.js";

/** `collab[engine]` is the document's {@link EngineHandle}. */
export const engine: unique symbol = Symbol("slate-yrs engine");

/** Who has made an operation. */
export interface EditOptions {
  /** Made by the editor's normalizers after a change by others, or without saving: goes into no undo step. */
  normalization?: boolean;
}

/** What a type of elements is: inline (1), void (2), both (3) or neither (0). */
export type Kinds = (type: string) => number;

/**
 * For the editor bindings. What they call for an editor does not throw, and does nothing once the document is closed;
 * `map`, `anchor` and `resolve` throw.
 */
export interface EngineHandle {
  /** An operation the editor has just applied; `set_selection` is ignored. Schedules a flush in a microtask. */
  edit(operation: Operation, options?: EditOptions): void;
  /** Makes what is queued one transaction, now. */
  flush(): void;
  /** The editor's selection. Peers are sent it when it has changed, but not more often than they can use. */
  select(range: Range | null): void;
  /** Operations to apply as one batch, without echo. */
  onOperations(listener: (operations: readonly Operation[], origin: Origin) => void): () => void;
  /** The selection to restore after an undo or redo. */
  onSelect(listener: (range: Range) => void): () => void;
  /** The editor's value may differ from the document's: compare with `collab.value()` and mend. */
  onDiverged(listener: () => void): () => void;
  /**
   * The engine has had time to check: the editor, once at rest, is to be compared with these top-level nodes of the
   * document.
   */
  onCompare(listener: (blocks: Iterable<number>) => void): () => void;
  /** One of the document's top-level nodes, and how many there are; what is queued is in it. `null`: closed. */
  block(index: number): { node: Descendant | null; count: number } | null;
  /** Which types of elements are inline (1) and void (2), as the editor has it: a document of format 1 need not say. */
  schema(kinds: Kinds): void;
  /** Few operations that lead from one value to another; `null`: there is no engine, or a value could be in no document. */
  difference(from: readonly Descendant[], to: readonly Descendant[]): Operation[] | null;
  /**
   * A word is being composed in an editor, or is finished. Changes by others wait meanwhile, for a few seconds at most.
   */
  composing(begins: boolean): void;
  /** How many of the others, shown to the application or not, have a lower client id. */
  rank(): number;
  /** The editor was found to differ from the document, and was mended: counted in the status, goes out as an `error` event. */
  report(message: string): void;
  /** The range as text that survives edits; throws a CollabError if it does not lie in the document. */
  anchor(range: Range): string;
  /** Where an anchor is now; null if its place is gone. */
  resolve(anchor: string): Range | null;
  /** A map of the engine's own; what is set in it is no step of undo. */
  map(name: string): SharedMap<Json>;
  /** Who this user is to the server, as far as it has said, and what others see of them. */
  me(): { id: string | null; name: string };
}

/** The handle of a document. */
export function handleOf(collab: Collab): EngineHandle {
  const handle = (collab as Partial<Collab & { readonly [engine]: EngineHandle }> | null | undefined)?.[engine];
  if (handle === undefined)
    throw new CollabError("protocol", "this is no document, or an editor that is bound to none");
  return handle;
}

/** What `new Engine` takes, as JSON: `src/js/config.rs`. */
export interface EngineConfig {
  document: string;
  /** Names this opening: 128 random bits. */
  session: string;
  /** Random, non-zero. */
  clientId: number;
  seed: number;
  root: string;
  blockId: string | null;
  /** ms */
  captureTimeout: number;
  remote: RemoteNames[number];
  store: { database: string | null; strict: boolean } | null;
  presence: object | null;
  /** What the application wants the document to be. */
  format: number | null;
}

/** Whose a change is, in the engine's order: the module declares the type. */
export const ORIGINS: OriginNames = ["local", "remote", "undo", "store"];
