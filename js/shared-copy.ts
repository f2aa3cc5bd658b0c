// The device's copy of a document as its tabs share it: what the others are told of changes made here.
import { Tabs, type TabWatcher } from "./tabs.js";

/** The update that changes nothing. */
export const NOTHING = new Uint8Array(2);

export class SharedCopy {
  readonly #document: string;
  readonly #watcher: TabWatcher;
  #tabs: Tabs | null = null;
  /** What the other tabs have to know of changes made here. */
  #epoch: string | undefined;
  #kept = false;
  #receiving = false;
  /** The engine that runs has the document. */
  #isReady = false;

  constructor(document: string, watcher: TabWatcher) {
    this.#document = document;
    this.#watcher = watcher;
  }

  /** A fresh session opens the document. `database`: none keeps no copy, and has nothing to do with others. */
  join(database: string | null, session: string): void {
    this.#epoch = undefined;
    this.#kept = false;
    this.#isReady = false;
    if (database !== null) this.#tabs = this.#open(database, session, false);
  }

  /** The tabs go on where those of older versions do not listen. Returns whether there are any. */
  guard(database: string | null | undefined, session: string): boolean {
    if (database == null || this.#tabs === null) return false;
    this.#tabs.close();
    this.#tabs = this.#open(database, session, true);
    if (this.#isReady) this.#tabs.ready();
    return true;
  }

  #open(database: string, session: string, guarded: boolean): Tabs {
    return new Tabs(database, this.#document, session, this.#watcher, guarded);
  }

  /** Whether the tabs agree on who keeps what the server sends: it is another one until they say otherwise. */
  get agree(): boolean {
    return this.#tabs?.agree ?? false;
  }

  ready(): void {
    this.#isReady = true;
    this.#tabs?.ready();
  }

  /** Whether the server sends changes, and the device takes them. */
  receives(can = this.#receiving): void {
    this.#receiving = can;
    this.#tabs?.receives(can);
  }

  /** A change made here. */
  post(update: Uint8Array): void {
    this.#tabs?.post(update, this.#epoch, this.#kept);
    this.#tabs?.typing();
  }

  /** Where changes made here are kept from now on. What cannot be stored here any more, the other tabs take for their own. */
  keeping(epoch: string | undefined, kept: boolean, pending: () => Uint8Array): void {
    const lost = this.#kept && !kept;
    const news = epoch !== undefined && epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#kept = kept;
    if (lost) {
      const update = pending();
      if (update.length > NOTHING.length) this.#tabs?.post(update, epoch, false);
    } else if (news) this.#tabs?.post(NOTHING, epoch, true);
  }

  deleted(): void {
    this.#tabs?.deleted();
  }

  /** Of whom what is pending is not this tab's: see `Tabs.others`. */
  async others(found: readonly string[]): Promise<string[]> {
    return (await this.#tabs?.others(found)) ?? [];
  }

  close(): void {
    this.#tabs?.close();
  }
}
