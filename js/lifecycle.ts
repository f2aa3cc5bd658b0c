// Where in its life a document is, and who waits for it to be opened, brought back or closed.
import { CollabError } from "./errors.js";

const CLOSE_TIMEOUT_MS = 8_000;

/** `down`: the engine has failed and is being started again. */
type Life = "opening" | "open" | "down" | "closing" | "closed";

export class Lifecycle {
  #life: Life = "opening";
  /** No edits are taken any more. A document that is down is still brought back, to write what it has not written. */
  #shut = false;
  #opened: { resolve: () => void; reject: (error: CollabError) => void } | null = null;
  #ended: (() => void) | null = null;
  #back: (() => void) | null = null;

  get isClosed(): boolean {
    return this.#shut || this.isOver;
  }

  /** Closed, or on the way there: no engine is started any more. */
  get isOver(): boolean {
    return this.#life === "closing" || this.#life === "closed";
  }

  get isDown(): boolean {
    return this.#life === "down";
  }

  get hasEnded(): boolean {
    return this.#life === "closed";
  }

  /** Resolves when the local copy is loaded. `reason`: why there is none, if there is none. */
  async opened(reason: () => CollabError): Promise<void> {
    if (this.#life !== "opening") return this.isClosed ? Promise.reject(reason()) : undefined;
    await new Promise<void>((resolve, reject) => {
      this.#opened = { resolve, reject };
    });
  }

  /** An engine has the document. Returns whether it is one that was started again. */
  loaded(): boolean {
    const revived = this.#life === "down";
    if (revived || this.#life === "opening") this.#life = "open";
    return revived;
  }

  /** An engine has the document, and everything that had to be told to it. */
  ready(): void {
    this.#back?.();
    this.#opened?.resolve();
    this.#opened = null;
  }

  died(): void {
    if (this.#life === "open") this.#life = "down";
    this.#ended?.();
  }

  /** The session has ended: closed, or by itself. */
  ended(error: CollabError): void {
    this.#ended?.();
    this.#opened?.reject(error);
    this.#opened = null;
  }

  /** There will be no engine any more. */
  giveUp(error: CollabError, tell: () => void): void {
    this.#life = "closed";
    this.#back?.();
    tell();
    this.#opened?.reject(error);
    this.#opened = null;
  }

  /** Takes no edits any more. Waits while the document is down, until it is brought back or given up. */
  async shut(): Promise<void> {
    this.#shut = true;
    if (this.#life === "down") {
      await within((resolve) => {
        this.#back = resolve;
      });
    }
    this.#life = "closing";
  }

  /**
   * Ends the session by `close`, and waits until it has ended. The session itself waits five seconds for the device.
   */
  async end(close: () => void): Promise<void> {
    await within((resolve) => {
      this.#ended = resolve;
      close();
    });
  }

  closed(): void {
    this.#life = "closed";
  }
}

/** Resolves when `wait` says so, or after {@link CLOSE_TIMEOUT_MS}. */
async function within(wait: (resolve: () => void) => void): Promise<void> {
  let late: ReturnType<typeof setTimeout> | undefined;
  await new Promise<void>((resolve) => {
    late = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    wait(resolve);
  });
  clearTimeout(late);
}

export function closedError(): CollabError {
  return new CollabError("closed", "the document is closed");
}
