// Whether editor and document still agree, looked at when there is time: the block that was touched last, and one more
// each time, so that in the end all have been seen. A look costs as much as one block, however long the document is.
import type { Operation } from "slate";

/** At most so often, in ms. */
const INTERVAL = 1_000;

export class SelfCheck {
  /** Compares one block; returns how many there are. */
  readonly #compare: (index: number) => number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #touched = 0;
  #next = 0;

  constructor(compare: (index: number) => number) {
    this.#compare = compare;
  }

  /** After a change. The look comes later, when the editor is at rest. */
  touched(operations: readonly Operation[]): void {
    const last = operations[operations.length - 1];
    if (last !== undefined && last.type !== "set_selection") this.#touched = last.path[0] ?? 0;
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#look();
    }, INTERVAL);
    // In Node, this alone keeps no program alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const count = this.#compare(this.#touched);
    if (count === 0) return;
    this.#next = (this.#next + 1) % count;
    if (this.#next !== this.#touched) this.#compare(this.#next);
  }
}
