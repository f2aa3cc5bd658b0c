// The device's copy of a document, which all its tabs share: what the other tabs are told of changes made here.
import { Tabs, type TabWatcher } from "./tabs.js";

/** The update that changes nothing. */
export const NOTHING = new Uint8Array(2);

export class SharedCopy {
  readonly #document: string;
  readonly #watcher: TabWatcher;
  #tabs: Tabs | null = null;
  /** The epoch that changes made here belong to. */
  #epoch: string | undefined;
  /** This tab stores them. */
  #kept = false;
  #receiving = false;
  /** The engine has the document. */
  #isReady = false;

  constructor(document: string, watcher: TabWatcher) {
    this.#document = document;
    this.#watcher = watcher;
  }

  /** A fresh session opens the document. `database`: `null` keeps no copy, and does not talk to other tabs. */
  join(database: string | null, session: string): void {
    this.#epoch = undefined;
    this.#kept = false;
    this.#isReady = false;
    if (database !== null) this.#tabs = this.#open(database, session, false);
  }

  /** Moves to a channel and locks that tabs of older versions do not know. Returns whether there are any to move. */
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

  /** Whether the tabs agree on who keeps what the server sends. If so, this tab does not until it is told to. */
  get agree(): boolean {
    return this.#tabs?.agree ?? false;
  }

  ready(): void {
    this.#isReady = true;
    this.#tabs?.ready();
  }

  /** `can`: the server sends changes here, and the device can store them. */
  receives(can = this.#receiving): void {
    this.#receiving = can;
    this.#tabs?.receives(can);
  }

  /** A change made here. */
  post(update: Uint8Array): void {
    this.#tabs?.post(update, this.#epoch, this.#kept);
    this.#tabs?.typing();
  }

  /**
   * From now on changes made here belong to `epoch`, and are `kept` here or not. If no longer, the other tabs get those
   * that the server does not have, to store and to send.
   */
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

  /** What was found is taken over. */
  taken(): void {
    this.#tabs?.taken();
  }

  close(): void {
    this.#tabs?.close();
  }
}
