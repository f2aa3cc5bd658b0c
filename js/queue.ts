// Edits on their way into the engine: what the editor has done and the document has not yet, and what the document has
// and the application was not told yet.
//
// A listener of the engine's may lead back here in the midst of a call: what the engine is at is marked, and told to it
// by nobody a second time. That is asserted, not hoped for.
import type { Operation } from "slate";

/** `normalization`: made by the editor's normalizers after a change by others. */
export interface QueuedEdit {
  operation: Operation;
  normalization: boolean;
}

export class EditQueue {
  /** What the editor has done and the document has not yet. */
  #queued: QueuedEdit[] = [];
  /** How many of these the engine is being told. */
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

  /** Whether there is anything to flush. What a caller further down the stack is at is not for a second time. */
  begin(): boolean {
    const begins = this.#flushScheduled;
    this.#flushScheduled = false;
    if (begins) this.taken();
    return begins;
  }

  /** What is one transaction: edits of one author in a row; none if nothing is queued. */
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

  /** What a transaction answers, such as a fresh id, belongs behind what it answers. */
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

  /** The engine is gone. `bad`: it may have been one of these that it could not bear, and none is told again. */
  died(bad: boolean): void {
    this.#flushScheduled = false;
    this.#committing = 0;
    if (bad) this.#queued = [];
  }

  /** Runs `work` for a fresh engine, which is told afterwards what was queued, before what that has led to. */
  after(work: () => void): void {
    const edits = this.#queued;
    this.#queued = [];
    work();
    this.#queued = [...edits, ...this.#queued];
    this.#flushScheduled = true;
  }
}
