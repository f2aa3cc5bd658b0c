// Listeners, and what happens when one of them throws; and what has to wait for the end of the current turn.

/** Calls listeners in the order in which they came. */
export class Emitter<E extends object> {
  readonly #listeners = new Map<keyof E, Set<(value: never) => void>>();

  on<K extends keyof E>(event: K, listener: (value: E[K]) => void): () => void {
    // One function may listen twice: each is a registration of its own.
    const own = (value: E[K]) => listener(value);
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(own));
    return () => {
      listeners.delete(own);
    };
  }

  has(event: keyof E): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  /** A listener that throws is reported as an uncaught error, and the others are called all the same. */
  emit<K extends keyof E>(event: K, value: E[K]): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined || listeners.size === 0) return;
    for (const listener of [...listeners]) {
      if (!listeners.has(listener)) continue;
      try {
        (listener as (value: E[K]) => void)(value);
      } catch (error) {
        report(error);
      }
    }
  }
}

function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}

const NOW = Promise.resolve();

/**
 * Runs `work`, which must not throw, as a microtask. `queueMicrotask` is a function of the page, and takes several
 * times as long.
 */
export function soon(work: () => void): void {
  void NOW.then(work);
}
