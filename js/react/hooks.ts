// Documents and their state as React hooks. Snapshots come from the document and are identical until something
// changes; nothing here copies them into state.
import { useCallback, useEffect, useReducer, useRef, useState, useSyncExternalStore } from "react";
import type { BaseEditor } from "slate";
import type { ReactEditor } from "slate-react";
import {
  type BroadcastSender,
  type Collab,
  type CollabError,
  type OpenOptions,
  open,
  type Peer,
  type Presence,
  type Status,
} from "../index.js";
import { hubOf } from "../slate/hub.js";
import { type CollabEditor, withCollab } from "../slate.js";
import { OFFLINE } from "../status.js";
import { ReactPage } from "./page.js";

/** What {@link useCollab} returns: neither of the two while the document is being opened. */
export interface UseCollab<P extends Presence = Presence> {
  readonly collab: Collab<P> | null;
  /** Why the document could not be opened. Later troubles are in `status.error`. */
  readonly error: CollabError | null;
  /** For `<Editable readOnly>`: the server lets this user read only. See {@link useReadOnly}. */
  readonly readOnly: boolean;
  /** Tries to open a document again that could not be opened. */
  readonly retry: () => void;
}

const NOTHING = { key: null, collab: null, error: null, presence: undefined } as const;

interface Opened<P extends Presence> {
  readonly key: string | null;
  readonly collab: Collab<P> | null;
  readonly error: CollabError | null;
  /** The presence it was opened with, as JSON. */
  readonly presence: string | undefined;
}

/** A document of this component that is open or being opened. */
interface Lease<P extends Presence> {
  readonly key: string;
  readonly id: string;
  readonly opening: Promise<Collab<P>>;
  presence: string | undefined;
  /** Set while nobody uses it: what closes it in the next task. */
  ending: ReturnType<typeof setTimeout> | null;
  closed: Promise<void> | null;
}

/**
 * Opens a document, and closes it on unmount or when it is another one: another `id`, `url`, `root`, or anything else
 * that cannot change while it is open. A new `token` is used from the next connection on; a new `presence` at once.
 *
 * @param options `null`: not yet.
 */
export function useCollab<P extends Presence = Presence>(options: OpenOptions<P> | null): UseCollab<P> {
  const key = options === null ? null : keyOf(options);
  const latest = useRef(options);
  const lease = useRef<Lease<P> | null>(null);
  const [state, setState] = useState<Opened<P>>(NOTHING);
  const [attempt, setAttempt] = useState(0);

  // What was open under another key may be closed by the time this one comes back.
  if (state.key !== null && state.key !== key) setState(NOTHING);

  useEffect(() => {
    latest.current = options;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt is made of the same document
  useEffect(() => {
    if (key === null) return;
    let current = true;
    const mine = renew(lease.current, key) ?? take(key, lease.current, latest);
    lease.current = mine;
    mine.opening.then(
      (collab) => current && setState({ key, collab, error: null, presence: mine.presence }),
      (error: CollabError) => current && setState({ key, collab: null, error, presence: undefined }),
    );
    return () => {
      current = false;
      // StrictMode mounts again in the same task: the document stays open for it.
      mine.ending = setTimeout(() => {
        void end(mine);
        setState((before) => (before.key === mine.key && lease.current === mine ? NOTHING : before));
      });
    };
  }, [key, attempt]);

  const { collab, error, presence } = state.key === key ? state : NOTHING;
  usePresence(collab, options?.presence, presence);
  const failed = error !== null;
  const retry = useCallback(() => {
    if (!failed) return;
    // A lease that came to nothing is not to be renewed.
    lease.current = null;
    setState(NOTHING);
    setAttempt((before) => before + 1);
  }, [failed]);
  const readOnly = useReadOnly(collab);
  return { collab, error, readOnly, retry };
}

/** What cannot change while a document is open. */
function keyOf(options: OpenOptions<Presence> | OpenOptions): string {
  const { id, url, params, root, blockId, offline, connect, undo } = options;
  return JSON.stringify([id, url, params, root, blockId, offline, connect, undo]);
}

function renew<P extends Presence>(lease: Lease<P> | null, key: string): Lease<P> | null {
  if (lease === null || lease.key !== key || lease.ending === null || lease.closed !== null) return null;
  clearTimeout(lease.ending);
  lease.ending = null;
  return lease;
}

/** Closes the document of a lease, once. Resolves when it is closed. */
function end<P extends Presence>(lease: Lease<P>): Promise<void> {
  if (lease.ending !== null) clearTimeout(lease.ending);
  lease.closed ??= lease.opening.then((collab) => collab.close()).catch(() => {});
  return lease.closed;
}

/** Opens. If the same document was open with other options, it is closed first. */
function take<P extends Presence>(
  key: string,
  previous: Lease<P> | null,
  latest: { readonly current: OpenOptions<P> | null },
): Lease<P> {
  const id = latest.current!.id;
  const before = previous !== null && previous.id === id ? end(previous) : Promise.resolve();
  const opening = before.then(() => {
    const options = latest.current!;
    mine.presence = JSON.stringify(options.presence);
    // Also where there is no token yet: whoever signs in later has one.
    return open<P>({ ...options, token: () => tokenOf(latest.current) });
  });
  const mine: Lease<P> = { key, id, opening, presence: undefined, ending: null, closed: null };
  return mine;
}

function tokenOf(options: Pick<OpenOptions, "token"> | null): string | undefined | Promise<string | undefined> {
  const token = options?.token;
  return typeof token === "function" ? token() : token;
}

/** @param opened The presence the document was opened with, and shows already. */
function usePresence<P extends Presence>(
  collab: Collab<P> | null,
  presence: P | undefined,
  opened: string | undefined,
): void {
  const text = JSON.stringify(presence);
  const shown = useRef<{ collab: Collab<P> | null; text: string | undefined }>({ collab: null, text: undefined });
  useEffect(() => {
    const before = shown.current.collab === collab ? shown.current.text : opened;
    shown.current = { collab, text };
    if (collab === null || text === undefined || before === text) return;
    collab.setPresence(JSON.parse(text) as Partial<P>);
  }, [collab, text, opened]);
}

/**
 * An editor bound to the document; `null` until there is a document. `create` is called once per document, and may be
 * written inline: `useCollabEditor(collab, () => withReact(createEditor()))`.
 */
export function useCollabEditor<T extends BaseEditor>(
  collab: Collab | null,
  create: () => T,
): (T & CollabEditor) | null {
  return useBinding(collab, create);
}

/** What {@link useBoundEditor} returns. */
export interface BoundEditor<T extends BaseEditor> {
  /** The same at every render. Bound to the document as soon as there is one, and empty until then. */
  readonly editor: T;
  /** For `<Editable readOnly>`: the document is not there yet, or this user may only read. */
  readonly readOnly: boolean;
}

/**
 * An editor from the first render on, for a component that has its editor at once: it fills when the document is there,
 * and is emptied when that is closed or is to be another one. `create` is called once. Nothing may be written before: it
 * would be dropped.
 *
 * @example
 * const { collab } = useCollab({ id, url });
 * const { editor, readOnly } = useBoundEditor(collab, () => withReact(createEditor()));
 * return (
 *   <Slate editor={editor} initialValue={editor.children}>
 *     <Editable readOnly={readOnly} />
 *   </Slate>
 * );
 */
export function useBoundEditor<T extends BaseEditor>(collab: Collab | null, create: () => T): BoundEditor<T> {
  const [editor] = useState(create);
  const last = useRef<Collab | null>(null);
  useEffect(() => {
    // What is shown is of a document that is not this one.
    if (last.current !== null && last.current !== collab) empty(editor);
    last.current = collab;
  }, [collab, editor]);
  const bound = useBinding(collab, () => editor);
  const readOnly = useReadOnly(collab);
  return { editor, readOnly: bound === null || readOnly };
}

function empty(editor: BaseEditor): void {
  editor.children = [];
  editor.selection = null;
  editor.onChange();
}

function useBinding<T extends BaseEditor>(collab: Collab | null, create: () => T): (T & CollabEditor) | null {
  const [editor, setEditor] = useState<(T & CollabEditor) | null>(null);
  const [, again] = useReducer((count: number) => count + 1, 0);
  const page = useRef<ReactPage | null>(null);
  const make = useRef(create);
  useEffect(() => {
    make.current = create;
  });
  useEffect(() => {
    if (collab === null) return;
    const made = withCollab(make.current(), collab);
    const hub = hubOf(collab);
    hub.hold(made);
    const shown = new ReactPage(made as unknown as ReactEditor, () => hub.release(made), again);
    page.current = shown;
    hub.showOn(made, shown);
    setEditor(made);
    return () => {
      made.disconnect();
      shown.close();
      setEditor(null);
    };
  }, [collab]);
  useEffect(() => {
    if (editor === null) return;
    // `<Slate>` may have been rendered with the editor, and may have given it its initial value.
    hubOf(editor.collab).verify();
    if (page.current?.isReady()) hubOf(editor.collab).release(editor);
    else page.current?.waits();
  }, [editor]);
  // After each render: what is rendered here has come, or has gone and come again.
  useEffect(() => page.current?.settle());
  return editor !== null && editor.collab === collab ? editor : null;
}

/**
 * Calls `listener` with what others broadcast, as long as the component is there. See {@link Collab.onBroadcast}.
 *
 * @example
 * useBroadcast(collab, (message, from) => toast(`${from.presence.name}: ${String(message)}`));
 */
export function useBroadcast<P extends Presence = Presence>(
  collab: Collab<P> | null,
  listener: (message: unknown, from: BroadcastSender<P>) => void,
): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => collab?.onBroadcast((message, from) => latest.current(message, from)), [collab]);
}

const NO_PEERS: readonly never[] = Object.freeze([]);

/**
 * The document's status; renders again when it changes. Without a document: offline, nothing to save.
 *
 * @param select What of it is wanted: renders again only when that is another one, compared as React compares state, and
 * where it is an array or an object by what is in it.
 * @example
 * const pending = useStatus(collab, (status) => status.pending);
 * const { saved, connection } = useStatus(collab, ({ saved, connection }) => ({ saved, connection }));
 */
export function useStatus(collab: Collab | null): Status;
export function useStatus<T>(collab: Collab | null, select: (status: Status) => T): T;
export function useStatus<T>(collab: Collab | null, select?: (status: Status) => T): T | Status {
  const subscribe = useCallback((changed: () => void) => collab?.on("status", changed) ?? nothing, [collab]);
  return useSelected(subscribe, () => collab?.status ?? OFFLINE, select);
}

/**
 * Whether this user may only read: `<Editable readOnly={useReadOnly(collab)}>`. Renders again when that changes, and at
 * nothing else. What a reader types would be set aside: the server does not take it.
 */
export function useReadOnly<P extends Presence = Presence>(collab: Collab<P> | null): boolean {
  const subscribe = useCallback((changed: () => void) => collab?.on("status", changed) ?? nothing, [collab]);
  const snapshot = () => collab?.status.readOnly ?? false;
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

/**
 * The others in the document; renders again when one comes, goes, moves or types.
 *
 * @param select What of them is wanted, as in {@link useStatus}.
 * @example
 * const names = usePeers(collab, (peers) => peers.map(({ presence }) => presence.name));
 */
export function usePeers<P extends Presence = Presence>(collab: Collab<P> | null): readonly Peer<P>[];
export function usePeers<T, P extends Presence = Presence>(
  collab: Collab<P> | null,
  select: (peers: readonly Peer<P>[]) => T,
): T;
export function usePeers<T, P extends Presence>(
  collab: Collab<P> | null,
  select?: (peers: readonly Peer<P>[]) => T,
): T | readonly Peer<P>[] {
  const subscribe = useCallback((changed: () => void) => collab?.on("peers", changed) ?? nothing, [collab]);
  return useSelected<readonly Peer<P>[], T>(subscribe, () => collab?.peers ?? NO_PEERS, select);
}

/** What `select` makes of a snapshot; the same as before as long as it is equal to it. */
function useSelected<S, T>(
  subscribe: (changed: () => void) => () => void,
  snapshot: () => S,
  select: ((snapshot: S) => T) | undefined,
): S | T {
  const before = useRef<{ value: T } | null>(null);
  const selected = (): S | T => {
    if (select === undefined) return snapshot();
    const value = select(snapshot());
    if (before.current === null || !isAlike(before.current.value, value)) before.current = { value };
    return before.current.value;
  };
  return useSyncExternalStore(subscribe, selected, selected);
}

/** Whether two values are the same, or have the same in them. */
function isAlike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  const has = (key: string) =>
    Object.hasOwn(b, key) && Object.is((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]);
  return keys.length === others.length && keys.every(has);
}

const nothing = (): void => {};
