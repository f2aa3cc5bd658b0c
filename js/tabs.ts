// Several tabs with one document, each with a session of its own. What one edits reaches the others by a broadcast
// channel, online or not; all keep their edits in the same database. A session that is alive holds a lock of its name,
// which the browser takes from it when the tab dies, however it dies: then another tab takes over what it had not sent.
//
// One of the tabs, the keeper, stores what the server sends: the tab that holds a second lock. A tab in which somebody
// types takes this lock, so that one tab stores both an edit and the changes that the edit builds on.

/** Who is told of what other tabs do. */
export interface TabWatcher {
  /** Another tab has made a change, in this epoch of the document; `kept`: that tab stores it. */
  update(update: Uint8Array, epoch: string | undefined, kept: boolean): void;
  /** Another tab has deleted the device's copy. */
  deleted(): void;
  /** The session is dead: take over what it left. Its name stays locked until the promise settles. */
  orphaned(session: string): Promise<unknown>;
  /** Whether what the server sends is stored here, or by another tab. Here, unless this says otherwise. */
  keeper(here: boolean): void;
}

/** A wish to be the keeper. */
interface Wish {
  held: boolean;
  steals: boolean;
  release: () => void;
}

interface Update {
  type: "update";
  update: Uint8Array;
  epoch: string | undefined;
  kept: boolean;
}

type TabMessage = { type: "here"; session: string } | { type: "deleted" } | Update;

/** A promise, and what settles it. */
function later(): { promise: Promise<void>; settle: () => void } {
  let settle: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

/** So long before a tab says that it is here it may have read the database. */
const UNHEARD_MS = 10_000;

export class Tabs {
  readonly #prefix: string;
  readonly #watcher: TabWatcher;
  readonly #channel: BroadcastChannel | null;
  readonly #locks: LockManager | null;
  readonly #leaving = new AbortController();
  /** Settles when this session is known to the others. */
  readonly #present: Promise<void>;
  readonly #watched = new Set<string>();
  /** Dead ones whose locks are held here while what they left is taken over, and what lets go of them. */
  readonly #claims = new Map<string, () => void>();
  /** Of these, those that are not known to have ended. */
  readonly #living = new Set<string>();
  /**
   * Changes that no other tab was there to hear of, and when. A tab that opens may have read the database before them.
   */
  #unheard: { at: number; message: Update }[] = [];
  #wish: Wish | null = null;
  readonly #end = later();
  /** What came before the document was ready for it. */
  #early: Update[] | null = [];
  #ready: () => void = () => {};
  readonly #isReady = new Promise<void>((resolve) => {
    this.#ready = resolve;
  });

  /** `guarded`: where tabs of older versions do not listen. */
  constructor(database: string, document: string, session: string, watcher: TabWatcher, guarded = false) {
    this.#prefix = guarded ? `slate-yrs:1/${database}/${document}/` : `slate-yrs/${database}/${document}/`;
    this.#watcher = watcher;
    this.#watched.add(session);
    this.#channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(this.#prefix) : null;
    this.#channel?.addEventListener("message", ({ data }: MessageEvent<TabMessage>) => this.#hear(data));
    // Insecure contexts have no locks: there every tab takes over what it finds, which costs traffic and loses no edit.
    this.#locks = typeof navigator === "object" && navigator.locks ? navigator.locks : null;
    this.#present = this.#hold(session);
    // Not before the lock is held: whoever hears of this session and finds its lock free takes it for dead.
    this.#present.then(() => this.#post({ type: "here", session }));
  }

  /** Whether the tabs agree on who keeps what the server sends. If not, each keeps it. */
  get agree(): boolean {
    return this.#locks !== null;
  }

  /**
   * The sessions that are alive elsewhere, or of which another tab takes over what they left: what they have not sent is not
   * this one's to send. What the others of `found` have left is: nobody else takes it over until this tab says {@link taken}.
   */
  async others(found: readonly string[]): Promise<string[]> {
    await this.#present;
    await Promise.all(found.map((session) => this.#claim(session)));
    const held = (await this.#locks?.query())?.held ?? [];
    const names = held.map(({ name }) => name ?? "").filter((name) => name.startsWith(this.#prefix));
    for (const name of names) this.#watch(name.slice(this.#prefix.length));
    return [...this.#watched].slice(1);
  }

  /** What was found is this session's on the device now, or stays what it was: whoever waits for it looks. */
  taken(): void {
    for (const letGo of this.#claims.values()) letGo();
    this.#claims.clear();
  }

  /** From now on the document can take changes. */
  ready(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const { update, epoch, kept } of early) this.#watcher.update(update, epoch, kept);
    this.#ready();
  }

  /** Tells the other tabs of a change made here. What is not `kept` is theirs to store and to send. */
  post(update: Uint8Array, epoch: string | undefined, kept: boolean): void {
    const message: Update = { type: "update", update, epoch, kept };
    // Posting costs the page's thread as much as the rest of a keystroke, whether anybody hears the message or not.
    if (this.#locks === null || this.#living.size > 0) this.#post(message);
    else this.#remember(message);
  }

  /** Tells them that the device's copy is deleted: nothing of theirs is kept any more. */
  deleted(): void {
    this.#post({ type: "deleted" });
  }

  /** `can`: the server sends changes to this tab, and this tab can store them. Then it can be the keeper. */
  receives(can: boolean): void {
    if (this.#locks === null || this.#leaving.signal.aborted || can === (this.#wish !== null)) return;
    if (can) {
      this.#wishToKeep(false);
      return;
    }
    this.#wish?.release();
    this.#wish = null;
    this.#watcher.keeper(false);
  }

  /** Somebody types here: becomes the keeper if it can be. */
  typing(): void {
    if (this.#wish === null || this.#wish.held || this.#wish.steals) return;
    this.#wish.release();
    this.#wishToKeep(true);
  }

  close(): void {
    this.#leaving.abort();
    this.#wish?.release();
    this.#wish = null;
    this.#end.settle();
    this.taken();
    this.#channel?.close();
  }

  #wishToKeep(steal: boolean): void {
    const withdrawn = new AbortController();
    let done: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      done = resolve;
    });
    const release = () => {
      withdrawn.abort();
      done();
    };
    const wish: Wish = { held: false, steals: steal, release };
    this.#wish = wish;
    const options = steal ? { steal } : { signal: withdrawn.signal };
    const waiting = this.#locks?.request(`keeper/${this.#prefix}`, options, () => {
      if (this.#wish !== wish) return;
      wish.held = true;
      this.#watcher.keeper(true);
      return released;
    });
    waiting?.catch(() => {
      if (this.#wish !== wish) return;
      // A lock that was never granted: locks do not work here, and every tab is on its own. Otherwise it was stolen.
      this.#watcher.keeper(!wish.held);
      if (wish.held) this.#wishToKeep(false);
    });
  }

  #post(message: TabMessage): void {
    if (!this.#leaving.signal.aborted) this.#channel?.postMessage(message);
  }

  #remember(message: Update): void {
    const at = Date.now();
    this.#unheard.push({ at, message });
    // Not one by one: that would move all of them every time.
    const oldest = this.#unheard[0]?.at ?? at;
    if (at - oldest > 2 * UNHEARD_MS) this.#unheard = this.#unheard.filter((it) => at - it.at <= UNHEARD_MS);
  }

  /** A tab has opened the document, and may have read the database a moment ago. */
  #greet(session: string): void {
    this.#watch(session);
    for (const { message } of this.#unheard) this.#post(message);
    this.#unheard = [];
  }

  #hear(message: TabMessage): void {
    if (message.type === "here") this.#greet(message.session);
    else if (message.type === "deleted") this.#watcher.deleted();
    else if (this.#early === null) this.#watcher.update(message.update, message.epoch, message.kept);
    else this.#early.push(message);
  }

  /** Holds the lock of `session` until this closes. */
  #hold(session: string): Promise<void> {
    return new Promise((held) => {
      if (this.#locks === null) return held();
      const holding = this.#locks.request(this.#prefix + session, () => {
        held();
        return this.#end.promise;
      });
      // Refused, as in a frame without storage: nobody will know of this session, which costs traffic only.
      holding.catch(() => held());
    });
  }

  /** Takes the lock of a session that has left something. Who has it already is alive, or was first. */
  #claim(session: string): Promise<void> {
    return new Promise((settled) => {
      if (this.#locks === null || this.#watched.has(session) || this.#claims.has(session)) return settled();
      const asking = this.#locks.request(this.#prefix + session, { ifAvailable: true }, (lock) => {
        const { promise, settle } = later();
        if (lock === null || this.#leaving.signal.aborted) settle();
        else this.#claims.set(session, settle);
        if (lock === null) this.#watch(session);
        settled();
        return promise;
      });
      asking.catch(() => settled());
    });
  }

  /** Waits for the end of `session`: the lock is granted when its tab is gone. */
  #watch(session: string): void {
    if (this.#watched.has(session) || this.#claims.has(session) || this.#locks === null) return;
    this.#watched.add(session);
    this.#living.add(session);
    const { signal } = this.#leaving;
    const waiting = this.#locks.request(this.#prefix + session, { signal }, async () => {
      this.#living.delete(session);
      await this.#isReady;
      if (!signal.aborted) await this.#watcher.orphaned(session);
    });
    // Aborted by our own end; or engine or store failed meanwhile: whoever reads the store next takes over.
    waiting.catch(() => this.#watched.delete(session));
  }
}
