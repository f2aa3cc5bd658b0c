// Small messages that nobody keeps. They travel in the user's presence, under a name of ours, so that every server
// carries them, and several servers with one database do too. To the other tabs of this device they go over a channel,
// online or not.
//
// Invariants: whoever is there and in sync hears a message once, and those of one sender in order; nobody hears a
// message later than a few seconds after it was sent. What comes from others may be anything.
import { CollabError } from "./errors.js";
import { toJson } from "./json.js";
import type { BroadcastSender, Presence } from "./types.js";

/** Where in a user's presence the messages stand. */
export const SAID = "slate-yrs:said";

/** Most bytes of one message, as JSON in UTF-8. */
const MOST_BYTES = 1_000;
/** How long a message stays in the presence. */
const SHOWN_MS = 2_000;
/** How much of a sender stays in the presence at once. */
const MOST_MESSAGES = 20;
const MOST_BYTES_AT_ONCE = 8_000;
/** Most senders that are remembered; the one that was silent longest is forgotten first. */
const MOST_SENDERS = 500;

/** The value under {@link SAID}. `by` names one opening of the document; `last` is the number of the last message. */
export interface Said {
  by: string;
  last: number;
  /** Each as JSON text. */
  messages: string[];
}

/** A message on its way to another tab. */
interface Told extends Said {
  clientId: number;
  presence: Presence;
}

/** What broadcasts need of the document. */
export interface Voice<P extends Presence> {
  /** The user's presence; `null`: none is shown. */
  me(): BroadcastSender<P> | null;
  /** Puts this into the presence under {@link SAID}. */
  show(said: Said): void;
  /** A message has come. */
  heard(message: unknown, from: BroadcastSender<P>): void;
}

/** One document's messages. */
export class Broadcasts<P extends Presence> {
  readonly #voice: Voice<P>;
  readonly #name: string | null;
  readonly #by: string;
  #channel: BroadcastChannel | null = null;
  #last = 0;
  #shown: { at: number; bytes: number; message: string }[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** For each sender the number of the last message that was heard, or that was shown before anybody listened. */
  readonly #heard = new Map<string, number>();
  #closed = false;

  /** `database`: where the document is kept on this device; `null`: nowhere, and no other tab has it. */
  constructor(document: string, database: string | null, by: string, voice: Voice<P>) {
    this.#voice = voice;
    this.#by = by;
    this.#name = database === null ? null : `slate-yrs:said/${database}/${document}`;
  }

  /** @throws CollabError `too-large`, `rate-limited`, or `protocol` if it is not JSON, or nobody knows who says it. */
  say(message: unknown): void {
    const json = toJson(message, "the message");
    const bytes = new TextEncoder().encode(json).length;
    if (bytes > MOST_BYTES)
      throw new CollabError("too-large", `a message of ${bytes} bytes: at most ${MOST_BYTES} are sent`);
    const me = this.#voice.me();
    if (me === null) throw new CollabError("protocol", "who shows no presence cannot broadcast");
    this.#forget();
    const held = this.#shown.reduce((sum, { bytes }) => sum + bytes, 0);
    if (this.#shown.length >= MOST_MESSAGES || held + bytes > MOST_BYTES_AT_ONCE) {
      const most = `${MOST_MESSAGES} messages and ${MOST_BYTES_AT_ONCE} bytes in ${SHOWN_MS / 1000} seconds`;
      throw new CollabError("rate-limited", `at most ${most} are sent`);
    }
    this.#last += 1;
    this.#shown.push({ at: Date.now(), bytes, message: json });
    this.#show();
    this.listen();
    const told: Told = { by: this.#by, last: this.#last, messages: [json], ...me };
    this.#channel?.postMessage(told);
    this.#timer ??= setTimeout(this.#clear, SHOWN_MS);
  }

  /** From now on the other tabs are heard. */
  listen(): void {
    if (this.#channel !== null || this.#name === null || this.#closed || typeof BroadcastChannel !== "function") return;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.addEventListener("message", ({ data }: MessageEvent<Told>) => {
      const { clientId, presence } = data;
      this.hear(data, Object.freeze({ clientId, presence: presence as P }), true);
    });
  }

  /**
   * Takes what a peer shows. `tell`: the messages of a sender that was not heard before are told. Otherwise they were
   * sent before this document was in sync, or before anybody listened.
   */
  hear(shown: unknown, from: BroadcastSender<P>, tell: boolean): void {
    const said = asSaid(shown);
    if (said === null || said.by === this.#by) return;
    const { by, last, messages } = said;
    const before = this.#heard.get(by) ?? (tell ? 0 : last);
    if (last <= before && this.#heard.has(by)) return;
    this.#heard.delete(by);
    this.#heard.set(by, Math.max(last, before));
    if (this.#heard.size > MOST_SENDERS) this.#heard.delete(this.#heard.keys().next().value!);
    const first = last - messages.length + 1;
    messages.forEach((json, index) => {
      if (first + index > before) this.#tell(json, from);
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#channel?.close();
    this.#channel = null;
  }

  #tell(json: string, from: BroadcastSender<P>): void {
    let message: unknown;
    try {
      message = JSON.parse(json);
    } catch {
      return;
    }
    this.#voice.heard(message, from);
  }

  #forget(): void {
    const now = Date.now();
    // The device's clock may be set back.
    this.#shown = this.#shown.filter(({ at }) => Math.abs(now - at) < SHOWN_MS);
  }

  readonly #clear = (): void => {
    this.#timer = null;
    this.#forget();
    if (this.#shown.length > 0) this.#timer = setTimeout(this.#clear, SHOWN_MS / 4);
    else this.#show();
  };

  #show(): void {
    this.#voice.show({ by: this.#by, last: this.#last, messages: this.#shown.map(({ message }) => message) });
  }
}

function asSaid(value: unknown): Said | null {
  if (typeof value !== "object" || value === null) return null;
  const { by, last, messages } = value as Partial<Record<keyof Said, unknown>>;
  if (typeof by !== "string" || by.length > 64 || !Number.isSafeInteger(last)) return null;
  if (!Array.isArray(messages) || messages.length > MOST_MESSAGES) return null;
  if (!messages.every((message) => typeof message === "string")) return null;
  return { by, last: last as number, messages };
}
