// The door of the engine: every call into it passes here. Errors become CollabErrors, a trap starts the recovery, and
// after the engine's end no call reaches it.
import { type CollabError, toCollabError } from "./errors.js";
import { instance, isRecovering, isTrap, trapped } from "./recovery.js";
import type { Engine } from "./wasm.js";

export class EngineDoor {
  #engine: Engine | null = null;
  #lastError: CollabError | null = null;
  readonly #tell: (error: CollabError) => void;

  /** `tell` is called with each error that is reported. */
  constructor(tell: (error: CollabError) => void) {
    this.#tell = tell;
  }

  /** Whether there is an engine, with or without the document. */
  get isOpen(): boolean {
    return this.#engine !== null;
  }

  get lastError(): CollabError | null {
    return this.#lastError;
  }

  open(start: () => Engine): void {
    this.#engine = safely(start);
  }

  /** The engine is gone: nothing of it may be called any more, not even to free it. */
  shut(): void {
    this.#engine = null;
  }

  /** Runs `call` if there is an engine. */
  call<T>(call: (engine: Engine) => T): T | undefined {
    const engine = this.#engine;
    return engine === null ? undefined : safely(() => call(engine));
  }

  /** For work that the editor or the page starts, where no caller catches: reports what `work` throws. */
  quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.reportOnce(error, "wasm");
    }
  }

  report(error: CollabError): void {
    this.#lastError = error;
    this.#tell(error);
  }

  /** Reports `error`, unless it was the last one reported, as a trap is by then. */
  reportOnce(error: unknown, code: "wasm" | "invalid-update"): void {
    if (error !== this.#lastError) this.report(toCollabError(error, code));
  }

  /** Gives the engine's memory back. */
  free(): void {
    const engine = this.#engine;
    this.#engine = null;
    if (engine === null) return;
    engine.closeStore();
    // Calls into the engine may still be on the stack, such as the one that closed it: it is freed after them.
    const born = instance();
    setTimeout(() => {
      if (instance() === born && !isRecovering()) this.quietly(() => engine.free());
    });
  }
}

function safely<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw isTrap(error) ? trapped(error) : toCollabError(error, "wasm");
  }
}
