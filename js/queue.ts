// Edits on their way into the engine: what the editor has done and the document has not yet, and what the document has
// and the application was not told yet.
//
// A listener of the engine may call back into this queue while the engine still works on a commit. The edits of that
// commit are marked, so that nobody commits them a second time; `next` throws if somebody tries.
import type { Operation } from "slate";

/** `normalization`: made by the editor's normalizers after a change by others. */
export interface QueuedEdit {
  operation: Operation;
  normalization: boolean;
}

export class EditQueue {
  /** What the editor has done and the document has not yet. */
  #queued: QueuedEdit[] = [];
  /** How many of these, from the first, the engine is working on. */
  #committing = 0;
  /** What the document has and the application was not told yet. */
  #done: Operation[] = [];
  #flushScheduled = false;

  get isEmpty(): boolean {
    return this.#queued.length === 0;
  }

  /** Returns whether a flush is to be scheduled: one is enough. */
  add(edit: QueuedEdit): boolean {
    this.#queued.push(edit);
    const first = !this.#flushScheduled;
    this.#flushScheduled = true;
    return first;
  }

  /** Whether there is anything to flush. Edits that a caller further down the stack has committed count as taken. */
  begin(): boolean {
    const begins = this.#flushScheduled;
    this.#flushScheduled = false;
    if (begins) this.taken();
    return begins;
  }

  /** The edits of the next transaction: those in a row that are all the user's, or all normalization. `null`: none. */
  next(): QueuedEdit[] | null {
    if (this.#committing > 0) throw new Error("the engine is being told of edits already");
    const first = this.#queued[0];
    if (first === undefined) return null;
    const end = this.#queued.findIndex((edit) => edit.normalization !== first.normalization);
    const run = end < 0 ? [...this.#queued] : this.#queued.slice(0, end);
    this.#committing = run.length;
    return run;
  }

  /** The engine has what it was told: it must not be told again. */
  taken(): void {
    if (this.#committing === 0) return;
    for (const { operation } of this.#queued.splice(0, this.#committing)) this.#done.push(operation);
    this.#committing = 0;
  }

  /** What the document adds to a transaction, such as a fresh id, comes after the transaction's own edits. */
  answered(operations: readonly Operation[]): void {
    this.taken();
    this.#done.push(...operations);
  }

  /** What the application is to be told now. */
  done(): Operation[] {
    const operations = this.#done;
    this.#done = [];
    return operations;
  }

  /** The engine is gone. `bad`: one of the queued edits may have caused that, so none of them is committed again. */
  died(bad: boolean): void {
    this.#flushScheduled = false;
    this.#committing = 0;
    if (bad) this.#queued = [];
  }

  /** Runs `work` for a fresh engine. Edits that were queued before it stay ahead of those that `work` queues. */
  after(work: () => void): void {
    const edits = this.#queued;
    this.#queued = [];
    work();
    this.#queued = [...edits, ...this.#queued];
    this.#flushScheduled = true;
  }
}
