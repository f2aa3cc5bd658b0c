// The status of an open document: read from the engine when somebody asks, and kept until the engine says that it has
// changed; and promises that wait for a status.
import type { DebugLog } from "./debug.js";
import { type CollabError, toCollabError } from "./errors.js";
import { CLOSED, decodeStatus, type Status } from "./status.js";

/** Where the status is read. */
export interface StatusSource {
  readonly isClosed: boolean;
  /** Edits of this very turn have not reached the engine yet. */
  readonly hasQueued: boolean;
  readonly transport: Status["transport"];
  /** The flat numbers; `undefined`: the engine is being started again, or is gone for good. */
  numbers(): Float64Array | undefined;
  /** The code and the message of the last error. */
  error(): [code?: string, message?: string] | undefined;
}

export class LiveStatus {
  readonly #source: StatusSource;
  readonly #hasServer: boolean;
  /** Whether `#last` is what the engine has now. */
  #isFresh = false;
  #last: Status = CLOSED;
  /** `#last`, while edits of this very turn are in memory only. */
  #unsaved: { of: Status; status: Status } | null = null;
  #error: CollabError | null = null;
  #logged = "";

  constructor(source: StatusSource, hasServer: boolean) {
    this.#source = source;
    this.#hasServer = hasServer;
  }

  get now(): Status {
    if (!this.#isFresh) {
      this.#isFresh = true;
      this.#last = this.#read();
    }
    if (this.#last.saved === "memory" || !this.#source.hasQueued) return this.#last;
    if (this.#unsaved?.of !== this.#last) {
      this.#unsaved = { of: this.#last, status: Object.freeze({ ...this.#last, saved: "memory" as const }) };
    }
    return this.#unsaved.status;
  }

  /** The engine has another one. */
  changed(): void {
    this.#isFresh = false;
  }

  /** An error was reported: the status has this object, for as long as the engine names the same error. */
  reported(error: CollabError): void {
    this.#error = error;
  }

  /** The document is closed: what was known `last` stays, but for the connection. Returns what is shown from now on. */
  close(last: Status): Status {
    const closed = { connection: "closed", synced: false, retryAt: null, progress: null } as const;
    this.#last = Object.freeze({ ...last, ...closed });
    this.#isFresh = true;
    return this.#last;
  }

  /** Adds a line to the log, if it would be another than the last one. */
  writeTo(log: DebugLog): void {
    const { connection, synced, saved, pending, setAside, storage, error } = this.now;
    const line = `${connection}, ${synced ? "synced" : "not synced"}, saved: ${saved}, ${pending} pending, ${setAside} set aside, storage: ${storage}`;
    const told = error === null ? line : `${line}, ${error.code}: ${error.message}`;
    if (told !== this.#logged) log("status", told);
    this.#logged = told;
  }

  #read(): Status {
    const flat = this.#source.numbers();
    if (flat === undefined) {
      const connection = this.#source.isClosed ? "closed" : "offline";
      // What it had saved is not known before it is there again.
      return Object.freeze({
        ...this.#last,
        local: !this.#hasServer,
        connection,
        synced: false,
        saved: "memory" as const,
        error: this.#error,
      });
    }
    return decodeStatus(flat, !this.#hasServer, this.#source.transport, () => {
      const [code = "protocol", message = ""] = this.#source.error() ?? [];
      return this.#sameError({ code, message });
    });
  }

  /** The error that was reported, as the same object. */
  #sameError(error: { code: string; message: string }): CollabError {
    const reported = this.#error;
    if (reported?.code === error.code && reported.message === error.message) return reported;
    return toCollabError(error, "protocol");
  }
}
