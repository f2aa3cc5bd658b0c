// Several tabs with one document, each with a session of its own. What one edits reaches the others by a broadcast
// channel, online or not; all keep their edits in the same database. A session that is alive holds a lock of its name,
// which the browser takes from it when the tab dies, however it dies: then another tab takes over what it had not sent.

/** Who is told. */
export interface TabWatcher {
  /** Another tab has made and stored a change. */
  update(update: Uint8Array): void;
  /** The session is dead: take over what it left. Its name stays locked until the promise settles. */
  orphaned(session: string): Promise<unknown>;
}

type Message = { type: "here"; session: string } | { type: "update"; update: Uint8Array };

export class Tabs {
  readonly #prefix: string;
  readonly #watcher: TabWatcher;
  readonly #channel: BroadcastChannel | null;
  readonly #locks: LockManager | null;
  readonly #leaving = new AbortController();
  /** Settles when this session is known to the others. */
  readonly #present: Promise<void>;
  readonly #watched = new Set<string>();
  #leave: () => void = () => {};
  /** What came before the document was ready for it. */
  #early: Uint8Array[] | null = [];
  #ready: () => void = () => {};
  readonly #isReady = new Promise<void>((resolve) => {
    this.#ready = resolve;
  });

  constructor(database: string, document: string, session: string, watcher: TabWatcher) {
    this.#prefix = `slate-yrs/${database}/${document}/`;
    this.#watcher = watcher;
    this.#watched.add(session);
    this.#channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(this.#prefix) : null;
    this.#channel?.addEventListener("message", ({ data }: MessageEvent<Message>) => this.#hear(data));
    // Not in insecure contexts: there every tab takes over what it finds, which costs traffic and no edits.
    this.#locks = typeof navigator === "object" && navigator.locks ? navigator.locks : null;
    this.#present = this.#hold(session);
    // Not before the lock is held: whoever hears of this session and finds its lock free takes it for dead.
    this.#present.then(() => this.#post({ type: "here", session }));
  }

  /** The sessions that are alive elsewhere. What they have not sent is theirs to send. */
  async others(): Promise<string[]> {
    await this.#present;
    const held = (await this.#locks?.query())?.held ?? [];
    const names = held.map(({ name }) => name ?? "").filter((name) => name.startsWith(this.#prefix));
    const sessions = names.map((name) => name.slice(this.#prefix.length)).filter((name) => !this.#watched.has(name));
    for (const session of sessions) this.#watch(session);
    return [...this.#watched].slice(1);
  }

  /** From now on the document can take changes. */
  ready(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const update of early) this.#watcher.update(update);
    this.#ready();
  }

  /** Tells the other tabs of a change made here. */
  post(update: Uint8Array): void {
    this.#post({ type: "update", update });
  }

  close(): void {
    this.#leaving.abort();
    this.#leave();
    this.#channel?.close();
  }

  #post(message: Message): void {
    if (!this.#leaving.signal.aborted) this.#channel?.postMessage(message);
  }

  #hear(message: Message): void {
    if (message.type === "here") this.#watch(message.session);
    else if (this.#early === null) this.#watcher.update(message.update);
    else this.#early.push(message.update);
  }

  /** Holds the lock of `session` until this closes. */
  #hold(session: string): Promise<void> {
    const left = new Promise<void>((resolve) => {
      this.#leave = resolve;
    });
    return new Promise((held) => {
      if (this.#locks === null) return held();
      const holding = this.#locks.request(this.#prefix + session, () => {
        held();
        return left;
      });
      // Refused, as in a frame without storage: nobody will know of this session, which costs traffic only.
      holding.catch(() => held());
    });
  }

  /** Waits for the end of `session`: the lock is granted when its tab is gone. */
  #watch(session: string): void {
    if (this.#watched.has(session) || this.#locks === null) return;
    this.#watched.add(session);
    const { signal } = this.#leaving;
    const waiting = this.#locks.request(this.#prefix + session, { signal }, async () => {
      await this.#isReady;
      if (!signal.aborted) await this.#watcher.orphaned(session);
    });
    // Aborted by our own end; or the engine failed meanwhile, and whoever opens the document next takes over.
    waiting.catch(() => {});
  }
}
