// `slate-yrs/comments`: comments that stay on their words. They are values of a map of the document, so they are kept offline, sent and
// acknowledged like the text; what each is about is an anchor, made of the ids of characters.
//
// Keys of the map: `THREAD/thread` what a thread is about, `THREAD/resolved` where it is, `THREAD/COMMENT` each comment. Who writes at
// once writes different keys. The server signs what is not signed, and refuses what is signed by another.
import { Editor, type Operation, Range, Element as SlateElement, type Text } from "slate";
import { handleOf } from "./engine.js";
import { CollabError } from "./errors.js";
import { Emitter, soon } from "./events.js";
import type { Collab } from "./index.js";
import { COMMENTS } from "./shared.js";
import { anchor, type CollabEditor, resolve } from "./slate.js";
import type { Json, SharedMap } from "./types.js";

/** Who wrote something. */
export interface Author {
  /** Who the token says this is (its `sub`), by the server's word; `null` where nobody was asked. */
  readonly id: string | null;
  readonly name: string;
}

export interface Comment {
  /** Names it in this document. */
  readonly id: string;
  readonly author: Author;
  /** When it was written, ms since the epoch, by the author's clock. */
  readonly at: number;
  readonly body: string;
  /** When it was changed last, by the same clock. */
  readonly editedAt: number | null;
}

/** Comments about one place. */
export interface Thread {
  /** Names it in this document. */
  readonly id: string;
  /** Where its words are now; `null` while they are gone. */
  readonly range: Range | null;
  /** The words as they were when it was begun. */
  readonly quote: string;
  readonly resolved: { readonly by: string; readonly at: number } | null;
  /** From the first to the last; never none. */
  readonly comments: readonly Comment[];
}

/** Options of {@link comments}. */
export interface CommentsOptions {
  /** Who this user is. What is left out is what the server has said of them, and the name in the presence. */
  author?: { id?: string | null; name?: string };
  /** This user's token has the claim `admin`: then the comments of others may be changed, too. */
  admin?: boolean;
}

/**
 * The comments of a document as an editor shows it. What changes something throws a CollabError: `forbidden` where this user may
 * not, `too-large` for more than 10,000 characters, `protocol` where there is no such thread or comment, nothing to say, or no word
 * in the range; `closed`.
 */
export interface Comments {
  readonly editor: CollabEditor;
  /** By place in the document; then those whose words are gone. The same array until something changes. */
  readonly threads: readonly Thread[];
  /** This user, as what they write is signed. */
  readonly me: Author;
  /** Begins a thread about the words in `range`. Its id. */
  create(range: Range, body: string): string;
  /** Answers. The comment's id. */
  reply(thread: string | Thread, body: string): string;
  /** Where {@link Comments.mayChange} says so. */
  edit(comment: string | Comment, body: string): void;
  /** Where {@link Comments.mayChange} says so. A thread goes with its last comment. */
  remove(comment: string | Comment): void;
  resolve(thread: string | Thread): void;
  reopen(thread: string | Thread): void;
  /** Whether this user may change it: whoever wrote it, and an admin. */
  mayChange(comment: Comment): boolean;
  /** Calls `listener` whenever {@link Comments.threads} is another one, until the returned function is called. */
  on(listener: () => void): () => void;
}

const MAX_BODY = 10_000;
const MAX_QUOTE = 300;
const THREAD = "thread";
const RESOLVED = "resolved";
/** Typing moves ranges along; where they are exactly is asked when it has paused. */
const PAUSE_MS = 300;

const known = new WeakMap<CollabEditor, OpenComments>();

/** The comments of a document. The same object for the same editor; `options` count when it is made. */
export function comments(collab: Collab, editor: CollabEditor, options: CommentsOptions = {}): Comments {
  const there = known.get(editor);
  if (there !== undefined && there.collab === collab) return there;
  const made = new OpenComments(collab, editor, options);
  known.set(editor, made);
  return made;
}

/** A thread as the map has it. */
interface StoredThread {
  readonly id: string;
  readonly anchor: string;
  readonly quote: string;
  readonly resolved: Thread["resolved"];
  readonly comments: readonly Comment[];
}

class OpenComments implements Comments {
  readonly collab: Collab;
  readonly editor: CollabEditor;
  readonly #options: CommentsOptions;
  readonly #map: SharedMap<Json>;
  readonly #events = new Emitter<{ change: undefined }>();
  #stored: readonly StoredThread[] | null = null;
  readonly #ranges = new Map<string, Range | null>();
  #threads: readonly Thread[] | null = null;
  #leave: (() => void) | null = null;
  #scheduled = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(collab: Collab, editor: CollabEditor, options: CommentsOptions) {
    this.collab = collab;
    this.editor = editor;
    this.#options = options;
    this.#map = handleOf(collab).map(COMMENTS);
  }

  get threads(): readonly Thread[] {
    // Nobody tells of changes while nobody listens.
    if (this.#leave === null) this.#forget();
    this.#threads ??= this.#read(null);
    return this.#threads;
  }

  get me(): Author {
    const { id, name } = handleOf(this.collab).me();
    return { id: this.#options.author?.id ?? id, name: this.#options.author?.name ?? name };
  }

  create(range: Range, body: string): string {
    const text = checkBody(body);
    const editor = this.editor as unknown as Editor;
    const [start, end] = Range.edges(range);
    if (!Editor.hasPath(editor, start.path) || !Editor.hasPath(editor, end.path)) throw missing("such range");
    const quote = quoteOf(editor, range);
    if (quote === "") throw new CollabError("protocol", "there is no word in the range");
    const [id, author, at] = [newId(), this.#signature(), Date.now()];
    this.#map.set(`${id}/${THREAD}`, { anchor: anchor(this.editor, { anchor: start, focus: end }), quote, author, at });
    this.#map.set(`${id}/${newId()}`, { author, at, body: text, editedAt: null });
    return id;
  }

  reply(thread: string | Thread, body: string): string {
    const id = `${this.#thread(thread).id}/${newId()}`;
    this.#map.set(id, { author: this.#signature(), at: Date.now(), body: checkBody(body), editedAt: null });
    return id;
  }

  edit(comment: string | Comment, body: string): void {
    const own = this.#comment(comment);
    const text = checkBody(body);
    const { author, at } = own;
    this.#map.set(own.id, { author: { ...author }, at, body: text, editedAt: Date.now() });
  }

  remove(comment: string | Comment): void {
    this.#map.delete(this.#comment(comment).id);
  }

  resolve(thread: string | Thread): void {
    this.#map.set(`${this.#thread(thread).id}/${RESOLVED}`, { by: this.#signature(), at: Date.now() });
  }

  reopen(thread: string | Thread): void {
    this.#map.delete(`${this.#thread(thread).id}/${RESOLVED}`);
  }

  mayChange({ author }: Comment): boolean {
    if (this.#options.admin === true) return true;
    const me = this.me;
    // What is not signed yet is told apart by the name.
    return author.id === null || me.id === null ? author.name === me.name : author.id === me.id;
  }

  on(listener: () => void): () => void {
    this.#leave ??= this.#listen();
    const leave = this.#events.on("change", () => listener());
    return () => {
      leave();
      if (this.#events.has("change")) return;
      this.#leave?.();
      this.#leave = null;
    };
  }

  #listen(): () => void {
    this.#forget();
    const leave = [
      this.#map.on(() => {
        this.#stored = null;
        this.#changed();
      }),
      this.collab.on("change", ({ operations }) => {
        const typed = operations.every(({ type }) => type === "insert_text" || type === "remove_text");
        if (typed) this.#later(operations);
        else {
          this.#ranges.clear();
          this.#changed();
        }
      }),
    ];
    return () => {
      for (const each of leave) each();
      clearTimeout(this.#pause);
    };
  }

  /** Typing: ranges go along as Slate moves its own, until there is time. */
  #later(operations: readonly Operation[]): void {
    for (const [id, range] of this.#ranges) {
      let now = range;
      for (const operation of operations)
        if (now !== null) now = Range.transform(now, operation, { affinity: "inward" });
      // Without words it is gone.
      this.#ranges.set(id, now === null || Range.isCollapsed(now) ? null : now);
    }
    this.#changed();
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#ranges.clear();
      this.#changed();
    }, PAUSE_MS);
  }

  /** Told once a turn: the editor has what changed by then. */
  #changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    soon(() => {
      this.#scheduled = false;
      const before = this.#threads;
      this.#threads = this.#read(before);
      if (this.#threads !== before) this.#events.emit("change", undefined);
    });
  }

  #forget(): void {
    this.#stored = null;
    this.#ranges.clear();
    this.#threads = this.#read(this.#threads);
  }

  /** What there is now; `before` if that is the same. */
  #read(before: readonly Thread[] | null): readonly Thread[] {
    this.#stored ??= storedThreads(this.#map.entries());
    const shown = new Map(before?.map((thread) => [thread.id, thread]));
    const threads = this.#stored.map(({ anchor: place, ...stored }): Thread => {
      if (!this.#ranges.has(stored.id)) this.#ranges.set(stored.id, this.#resolve(place));
      const range = this.#ranges.get(stored.id) ?? null;
      const same = shown.get(stored.id);
      const isSame =
        same !== undefined &&
        same.comments === stored.comments &&
        same.resolved === stored.resolved &&
        (range === null || same.range === null ? range === same.range : Range.equals(range, same.range));
      return isSame ? same : Object.freeze({ ...stored, range });
    });
    threads.sort(byPlace);
    const unchanged = before?.length === threads.length && threads.every((thread, at) => thread === before[at]);
    return unchanged ? before : Object.freeze(threads);
  }

  /** Collapsed: all of the words are gone, and what stood next to them is no place to show it at. */
  #resolve(place: string): Range | null {
    if (this.collab.status.connection === "closed") return null;
    const range = resolve(this.editor, place);
    if (range === null || Range.isCollapsed(range)) return null;
    const editor = this.editor as unknown as Editor;
    const [start, end] = Range.edges(range);
    return Editor.hasPath(editor, start.path) && Editor.hasPath(editor, end.path) ? range : null;
  }

  #signature(): { id: string | null; name: string } {
    return { ...this.me };
  }

  #thread(thread: string | Thread): Thread {
    const id = typeof thread === "string" ? thread : thread.id;
    const found = this.threads.find((one) => one.id === id);
    if (found === undefined) throw missing("such thread");
    return found;
  }

  #comment(comment: string | Comment): Comment {
    const id = typeof comment === "string" ? comment : comment.id;
    const found = this.threads.flatMap((thread) => thread.comments).find((one) => one.id === id);
    if (found === undefined) throw missing("such comment");
    if (!this.mayChange(found)) throw new CollabError("forbidden", "a comment is its author's");
    return found;
  }
}

const missing = (what: string): CollabError => new CollabError("protocol", `there is no ${what}`);

function checkBody(body: unknown): string {
  if (typeof body !== "string") throw new CollabError("protocol", "a comment is a text");
  if (body.trim() === "") throw new CollabError("protocol", "the comment says nothing");
  if (body.length > MAX_BODY) throw new CollabError("too-large", `a comment has at most ${MAX_BODY} characters`);
  return body;
}

function newId(): string {
  const words = crypto.getRandomValues(new Uint32Array(3));
  return Array.from(words, (word) => word.toString(36).padStart(7, "0")).join("");
}

/** The words of a range, lines parted by a space. */
function quoteOf(editor: Editor, range: Range): string {
  const lines: string[] = [];
  let line: unknown;
  for (const [, path] of Editor.nodes<Text>(editor, { at: range, match: (node) => "text" in node, mode: "lowest" })) {
    const part = Range.intersection(range, Editor.range(editor, path));
    const text = part === null ? "" : Editor.string(editor, part);
    // Letters that look otherwise, and links, stand in the same line.
    const [within] = Editor.above(editor, { at: path, match: (node) => isLine(editor, node) }) ?? [];
    if (lines.length > 0 && within === line) lines.push(`${lines.pop()}${text}`);
    else lines.push(text);
    line = within;
  }
  const quote = lines.filter((text) => text !== "").join(" ");
  return [...quote].slice(0, MAX_QUOTE).join("").trim();
}

const isLine = (editor: Editor, node: unknown): boolean => SlateElement.isElement(node) && Editor.isBlock(editor, node);

function byPlace(a: Thread, b: Thread): number {
  if (a.range !== null && b.range !== null) {
    const [one, other] = [Range.start(a.range), Range.start(b.range)];
    const order = one.path.findIndex((index, at) => index !== other.path[at]);
    const first = order < 0 ? one.offset - other.offset : one.path[order]! - (other.path[order] ?? -1);
    if (first !== 0) return first;
  } else if (a.range !== b.range) return a.range === null ? 1 : -1;
  return a.comments[0]!.at - b.comments[0]!.at || (a.id < b.id ? -1 : 1);
}

/** What the map has, as threads; what is none of ours is passed over. Parsed once for each value. */
function storedThreads(entries: ReadonlyMap<string, Json>): StoredThread[] {
  const found = new Map<string, { thread?: Json; resolved?: Json; comments: Comment[] }>();
  for (const [key, value] of entries) {
    const [id = "", part = "", more] = key.split("/");
    if (id === "" || part === "" || more !== undefined) continue;
    const thread = found.get(id) ?? { comments: [] };
    found.set(id, thread);
    if (part === THREAD) thread.thread = value;
    else if (part === RESOLVED) thread.resolved = value;
    else {
      const comment = commentOf(key, value);
      if (comment !== null) thread.comments.push(comment);
    }
  }
  const threads: StoredThread[] = [];
  for (const [id, { thread, resolved, comments: unsorted }] of found) {
    if (unsorted.length === 0) continue;
    unsorted.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    const about = fieldsOf(thread);
    threads.push({
      id,
      anchor: typeof about.anchor === "string" ? about.anchor : "",
      quote: typeof about.quote === "string" ? about.quote : "",
      resolved: once(resolved, resolutionOf),
      comments: sameList(unsorted),
    });
  }
  return threads;
}

const parsed = new WeakMap<object, unknown>();

/** The same for the same value. */
function once<T>(value: Json | undefined, parse: (value: Json) => T | null): T | null {
  if (typeof value !== "object" || value === null) return null;
  if (!parsed.has(value)) parsed.set(value, parse(value));
  return parsed.get(value) as T | null;
}

const lists = new WeakMap<Comment, readonly Comment[]>();

/** The list that began with the same comment before, if it has the same. */
function sameList(list: Comment[]): readonly Comment[] {
  const before = lists.get(list[0]!);
  if (before?.length === list.length && list.every((comment, at) => comment === before[at])) return before;
  lists.set(list[0]!, Object.freeze(list));
  return list;
}

function commentOf(id: string, value: Json): Comment | null {
  return once(value, (value) => {
    const { author, at, body, editedAt } = fieldsOf(value);
    if (typeof body !== "string" || typeof at !== "number") return null;
    const edited = typeof editedAt === "number" ? editedAt : null;
    return Object.freeze({ id, author: authorOf(author), at, body, editedAt: edited });
  });
}

function resolutionOf(value: Json): Thread["resolved"] {
  const { by, at } = fieldsOf(value);
  return typeof at === "number" ? Object.freeze({ by: authorOf(by).name, at }) : null;
}

function authorOf(value: Json | undefined): Author {
  const { id, name } = fieldsOf(value);
  return Object.freeze({ id: typeof id === "string" ? id : null, name: typeof name === "string" ? name : "" });
}

function fieldsOf(value: Json | undefined): Record<string, Json | undefined> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
