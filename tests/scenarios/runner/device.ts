// A device: an editor on a document with a server, and a store that stays when the page is closed.
import { createEditor, type Descendant, type Editor } from "slate";
import type { Collab, OpenOptions } from "slate-yrs";
import { type CollabEditor, withCollab } from "slate-yrs/slate";
import { type Act, perform, type Schema, withSchema } from "../acts.mjs";
import { show } from "../expect.mjs";
import { openAs } from "./yrs.js";

/** How long a write to the device may take, in ms: nothing tells when it is done. */
const LOCAL = 250;
/** After that, in ms, what is waited for does not come. */
const LIMIT = 30_000;

export class Device {
  /** Whether it connects; stays so when the page is opened again. */
  online = true;
  readonly problems: string[] = [];
  #page: { collab: Collab; editor: Editor & CollabEditor } | null = null;
  #opened = 0;

  /** `firstId`: its first client id; each page has the next one. */
  constructor(
    readonly name: string,
    readonly options: OpenOptions,
    readonly schema: Schema,
    readonly firstId: number,
  ) {}

  get isOpen(): boolean {
    return this.#page !== null;
  }

  get editor(): Editor {
    return this.#here.editor;
  }

  get shown(): Descendant[] {
    return this.#here.editor.children;
  }

  /** It has what the server has, and the server has what it has. */
  get isQuiet(): boolean {
    const { status } = this.#here.collab;
    return status.synced && isSaved(status);
  }

  value(): Descendant[] {
    return this.#here.collab.value();
  }

  async open(initialValue?: Descendant[]): Promise<void> {
    const id = this.firstId + this.#opened++;
    const collab = await openAs(id, {
      ...this.options,
      connect: this.online,
      ...(initialValue === undefined ? {} : { initialValue }),
    });
    collab.on("error", ({ code, message }) => this.problems.push(`an error: ${code}: ${message}`));
    this.#page = { collab, editor: withCollab(withSchema(createEditor(), this.schema), collab) };
    if (this.online) await this.#synced();
  }

  async act(acts: readonly Act[]): Promise<void> {
    for (const act of acts) {
      perform(this.editor, act);
      await new Promise((turn) => setImmediate(turn));
    }
  }

  async turnBack(how: "undo" | "redo"): Promise<boolean> {
    const said = this.#here.collab[how]();
    await new Promise((turn) => setImmediate(turn));
    return said;
  }

  saved(): Promise<void> {
    return within(this.#here.collab.whenSaved(), () => `it is not saved: ${this.describe(this.schema)}`);
  }

  local(): Promise<void> {
    return new Promise((wake) => setTimeout(wake, LOCAL));
  }

  async disconnect(): Promise<void> {
    this.online = false;
    this.#page?.collab.disconnect();
  }

  async connect(): Promise<void> {
    this.online = true;
    if (this.#page === null) return;
    this.#page.collab.connect();
    await this.#synced();
  }

  /** As a page is closed in an orderly way. */
  async close(): Promise<void> {
    if (this.#page === null) return;
    const { collab, editor } = this.#page;
    const { divergences } = collab.status;
    if (divergences > 0) this.problems.push(`${divergences} divergences`);
    this.#page = null;
    editor.disconnect();
    await collab.close();
  }

  /** In one line. */
  describe(schema: Schema): string {
    if (this.#page === null) return `${this.name} is closed`;
    const { connection, synced, saved, pending } = this.#page.collab.status;
    const state = `${connection}, ${synced ? "" : "not "}synced, saved ${saved}, ${pending} pending`;
    return `${this.name} (${state}) has ${show(this.shown, schema)}`;
  }

  get #here(): { collab: Collab; editor: Editor & CollabEditor } {
    if (this.#page === null) throw new Error(`${this.name} is closed`);
    return this.#page;
  }

  async #synced(): Promise<void> {
    const { collab } = this.#here;
    await within(collab.whenSynced(), () => `it is not synced: ${this.describe(this.schema)}`);
    await this.saved();
  }
}

const isSaved = ({ saved, pending }: Collab["status"]): boolean => saved === "server" && pending === 0;

/** Waits until `reached` holds, and has held for so many ms. */
export async function until(reached: () => boolean, otherwise: () => string, during = 0): Promise<void> {
  let since: number | null = null;
  for (const end = Date.now() + LIMIT; ; await new Promise((wake) => setTimeout(wake, 10))) {
    const now = Date.now();
    if (!reached()) since = null;
    else {
      since ??= now;
      if (now - since >= during) return;
    }
    if (now > end) throw new Error(otherwise());
  }
}

async function within(promise: Promise<void>, otherwise: () => string): Promise<void> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((_, reject) => {
    late = setTimeout(() => reject(new Error(otherwise())), LIMIT);
  });
  try {
    await Promise.race([promise, limit]);
  } finally {
    clearTimeout(late);
  }
}
