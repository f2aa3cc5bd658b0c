// The peers of an open document: read from the engine when somebody asks, and kept until the engine says that they have
// changed; who comes and goes; and the broadcasts among them.
import { Broadcasts, SAID } from "./broadcast.js";
import type { Emitter } from "./events.js";
import { Peers } from "./flat.js";
import type { BroadcastSender, Events, Peer, Presence } from "./types.js";

/** Where the peers are read, and this user is shown. */
export interface PeerSource<P extends Presence> {
  /** The peers' flat numbers; `undefined`: no engine runs. */
  numbers(): Float64Array | undefined;
  /** A client's awareness state as JSON text. */
  state(clientId: number): string | undefined;
  readonly isSynced: boolean;
  /** This user's presence; `null`: none is shown. */
  me(): BroadcastSender<P> | null;
  /** Puts this beside the presence. */
  show(value: Record<string, unknown>): void;
  /** Whether somebody listens to broadcasts. */
  readonly isHeard: boolean;
  /** A broadcast has come. */
  heard(message: unknown, from: BroadcastSender<P>): void;
}

type PeerEvents<P extends Presence> = Pick<Emitter<Events<P>>, "has" | "emit">;

export class LivePeers<P extends Presence> {
  readonly #source: PeerSource<P>;
  readonly #events: PeerEvents<P>;
  readonly #read = new Peers<P>();
  readonly #broadcasts: Broadcasts<P>;
  /** Whether `#last` is what the engine has now. */
  #isFresh = false;
  #last: readonly Peer<P>[] = NOBODY;
  /** Those who were there when `join` and `leave` were last emitted. */
  #here: readonly Peer<P>[] = NOBODY;
  /** Whether the document was in sync when the peers' broadcasts were last looked at. */
  #wasSynced = false;

  /** `database`: where the document is kept on this device, if it is. */
  constructor(id: string, database: string | null, events: PeerEvents<P>, source: PeerSource<P>) {
    this.#source = source;
    this.#events = events;
    this.#broadcasts = new Broadcasts(id, database, crypto.randomUUID(), {
      me: () => source.me(),
      show: (said) => source.show({ [SAID]: said }),
      heard: (message, from) => source.heard(message, from),
    });
  }

  get now(): readonly Peer<P>[] {
    if (!this.#isFresh) {
      this.#isFresh = true;
      const flat = this.#source.numbers();
      this.#last = flat === undefined ? NOBODY : this.#read.read(flat, (clientId) => this.#source.state(clientId));
    }
    return this.#last;
  }

  /** Somebody listens to who joins and leaves: those who are here now have joined already. */
  follow(): void {
    this.#here = this.now;
  }

  /** The engine has others, who are told of. */
  changed(): void {
    this.#isFresh = false;
    const before = this.#last;
    if (this.#events.has("join") || this.#events.has("leave")) this.#tellWhoComes();
    if (this.#events.has("peers") && this.now !== before) this.#events.emit("peers", this.now);
    if (this.#source.isHeard) this.#hear(true);
  }

  /** Sends a message to the peers and to the other tabs; see {@link Broadcasts.say}. */
  say(message: unknown): void {
    this.#broadcasts.say(message);
  }

  /** Somebody is about to listen to broadcasts. The first who does is not told of those that were sent before. */
  listen(): void {
    if (!this.#source.isHeard) this.#hear(false);
    this.#broadcasts.listen();
  }

  /** No message goes out or comes any more. */
  silence(): void {
    this.#broadcasts.close();
  }

  /** The document is closed: nobody is there. */
  close(): void {
    this.#last = NOBODY;
    this.#isFresh = true;
  }

  /** Takes the peers' broadcasts. Those that a new peer sent before the document was in sync are not told. */
  #hear(tell: boolean): void {
    const { isSynced } = this.#source;
    const inTime = tell && isSynced && this.#wasSynced;
    this.#wasSynced = isSynced;
    for (const { clientId, presence } of this.now) {
      const said = this.#read.said(clientId);
      if (said !== undefined) this.#broadcasts.hear(said, Object.freeze({ clientId, presence }), inTime);
    }
  }

  #tellWhoComes(): void {
    const [before, now] = [this.#here, this.now];
    this.#here = now;
    const lacks = (peers: readonly Peer<P>[]) => {
      const ids = new Set(peers.map(({ clientId }) => clientId));
      return ({ clientId }: Peer<P>) => !ids.has(clientId);
    };
    for (const peer of before.filter(lacks(now))) this.#events.emit("leave", peer);
    for (const peer of now.filter(lacks(before))) this.#events.emit("join", peer);
  }
}

const NOBODY: readonly never[] = Object.freeze([]);
