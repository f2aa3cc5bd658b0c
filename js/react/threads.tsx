// Comments as React components: threads in a list, each with its answers. Plain elements with roles, labels and names of classes; looks
// are the application's.
import {
  type KeyboardEvent,
  type ReactElement,
  type ReactNode,
  useCallback,
  useId,
  useState,
  useSyncExternalStore,
} from "react";
import type { Comment, Comments, Thread } from "../comments.js";
import { classes } from "./style.js";

const NONE: readonly Thread[] = Object.freeze([]);

/**
 * The threads of a document; renders again when one of them changes, or its place.
 *
 * @example
 * const open = useThreads(comments).filter(({ resolved }) => resolved === null);
 */
export function useThreads(comments: Comments | null): readonly Thread[] {
  const subscribe = useCallback((changed: () => void) => comments?.on(changed) ?? (() => {}), [comments]);
  const snapshot = () => comments?.threads ?? NONE;
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

/** Props of {@link ThreadCard}. */
export interface ThreadCardProps {
  comments: Comments;
  thread: Thread;
  /** Whether it is the one that the reader looks at: `aria-current`. */
  active?: boolean;
  /** Somebody wants to see its words. Without it the quote is only shown. */
  onGo?: (thread: Thread) => void;
  /** This user may read only. */
  readOnly?: boolean;
  /** Added to `slate-yrs-thread`. */
  className?: string;
}

/**
 * One thread: its words, its comments, and what can be done with it. Classes: `slate-yrs-thread`, `-quote`, `-comment`, `-author`,
 * `-time`, `-body`, `-actions`, `-form`, `-problem`.
 *
 * @example
 * threads.map((thread) => <ThreadCard key={thread.id} comments={comments} thread={thread} />)
 */
export function ThreadCard(props: ThreadCardProps): ReactElement {
  const { comments, thread, active = false, onGo, readOnly = false, className } = props;
  const [problem, run] = useProblem();
  const { range, quote, resolved } = thread;
  const first = thread.comments[0];
  const toggle = () => run(() => (resolved === null ? comments.resolve(thread) : comments.reopen(thread)));
  return (
    <article
      className={classes("slate-yrs-thread", className)}
      aria-label={`Comment by ${nameOf(first)} on “${quote}”`}
      aria-current={active || undefined}
      data-thread={thread.id}
      data-resolved={resolved !== null || undefined}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: articles take the focus, as in the ARIA pattern of a feed
      tabIndex={0}
    >
      <blockquote className="slate-yrs-quote">
        {onGo !== undefined && range !== null ? (
          <button type="button" onClick={() => onGo(thread)} title="Go to these words">
            {quote}
          </button>
        ) : (
          quote
        )}
        {range === null && <small> These words are gone.</small>}
      </blockquote>
      <ol>
        {thread.comments.map((comment) => (
          <li key={comment.id}>
            <OneComment comments={comments} comment={comment} readOnly={readOnly} />
          </li>
        ))}
      </ol>
      {resolved !== null && (
        <p className="slate-yrs-resolved">
          Resolved by {resolved.by || "somebody"}, <Time at={resolved.at} />
        </p>
      )}
      {!readOnly && (
        <>
          {resolved === null && (
            <CommentForm label="Reply" action="Reply" onSend={(body) => void comments.reply(thread, body)} />
          )}
          <p className="slate-yrs-actions">
            <button type="button" onClick={toggle}>
              {resolved === null ? "Resolve" : "Reopen"}
            </button>
          </p>
        </>
      )}
      {problem}
    </article>
  );
}

function OneComment(props: { comments: Comments; comment: Comment; readOnly: boolean }): ReactElement {
  const { comments, comment, readOnly } = props;
  const [editing, setEditing] = useState(false);
  const [problem, run] = useProblem();
  const may = !readOnly && comments.mayChange(comment);
  return (
    <div className="slate-yrs-comment" data-comment={comment.id}>
      <p>
        <strong className="slate-yrs-author">{nameOf(comment)}</strong> <Time at={comment.at} />
        {comment.editedAt !== null && <small> edited</small>}
      </p>
      {editing ? (
        <CommentForm
          label="Your comment"
          action="Save"
          initial={comment.body}
          focused
          onSend={(body) => {
            comments.edit(comment, body);
            setEditing(false);
          }}
          onCancel={() => setEditing(false)}
        />
      ) : (
        <p className="slate-yrs-body" style={{ whiteSpace: "pre-wrap" }}>
          {comment.body}
        </p>
      )}
      {may && !editing && (
        <p className="slate-yrs-actions">
          <button type="button" onClick={() => setEditing(true)}>
            Edit
          </button>{" "}
          <button type="button" onClick={() => run(() => comments.remove(comment))}>
            Delete
          </button>
        </p>
      )}
      {problem}
    </div>
  );
}

/** Props of {@link CommentForm}. */
export interface CommentFormProps {
  /** What the field is called. */
  label: string;
  /** What the button says. */
  action: string;
  /** What is in the field at first. */
  initial?: string;
  /** Whether it takes the focus when it comes. */
  focused?: boolean;
  /** What it throws is shown. */
  onSend: (body: string) => void;
  /** By a button, and by Escape. */
  onCancel?: () => void;
}

/**
 * A field for a comment. Ctrl or Cmd with Enter sends it.
 *
 * @example
 * <CommentForm label="Comment" action="Send" onSend={(body) => comments.create(range, body)} />
 */
export function CommentForm(props: CommentFormProps): ReactElement {
  const { label, action, initial = "", focused = false, onSend, onCancel } = props;
  const [body, setBody] = useState(initial);
  const [problem, run] = useProblem();
  const id = useId();
  const take = useCallback((field: HTMLTextAreaElement | null) => field?.focus(), []);
  const send = () =>
    run(() => {
      onSend(body);
      setBody("");
    });
  const pressed = (event: KeyboardEvent) => {
    // The keys of the list around it are not meant.
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && body.trim() !== "") {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && onCancel !== undefined) onCancel();
  };
  return (
    <form
      className="slate-yrs-form"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        rows={2}
        value={body}
        {...(focused && { ref: take })}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={pressed}
      />
      <button type="submit" disabled={body.trim() === ""}>
        {action}
      </button>{" "}
      {onCancel !== undefined && (
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      )}
      {problem}
    </form>
  );
}

/** Props of {@link ThreadList}. */
export interface ThreadListProps {
  comments: Comments;
  /** The id of the thread that the reader looks at. */
  active?: string | null;
  onGo?: (thread: Thread) => void;
  readOnly?: boolean;
  /** What is said where there are none. */
  empty?: ReactNode;
  /** Added to `slate-yrs-threads`. */
  className?: string;
}

/** All threads, in the order of the text; the resolved ones on demand. Arrow keys go from one to the next. */
export function ThreadList(props: ThreadListProps): ReactElement {
  const { comments, active = null, onGo, readOnly = false, empty = "There are no comments.", className } = props;
  const threads = useThreads(comments);
  const [all, setAll] = useState(false);
  const resolved = threads.filter((thread) => thread.resolved !== null).length;
  const shown = threads.filter((thread) => all || thread.resolved === null || thread.id === active);
  return (
    <section className={classes("slate-yrs-threads", className)} aria-label="Comments" onKeyDown={walk}>
      {shown.length === 0 && <p>{empty}</p>}
      <ul>
        {shown.map((thread) => (
          <li key={thread.id}>
            <ThreadCard
              comments={comments}
              thread={thread}
              active={thread.id === active}
              readOnly={readOnly}
              {...(onGo !== undefined && { onGo })}
            />
          </li>
        ))}
      </ul>
      {resolved > 0 && (
        <button type="button" aria-pressed={all} onClick={() => setAll(!all)}>
          {`Resolved (${resolved})`}
        </button>
      )}
    </section>
  );
}

/** Up, Down, Home and End on a card go to another one. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const cards = [...event.currentTarget.querySelectorAll<HTMLElement>(".slate-yrs-thread")];
  const at = cards.indexOf(event.target as HTMLElement);
  if (at < 0) return;
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: cards.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  cards[Math.max(0, Math.min(to, cards.length - 1))]?.focus();
}

function Time({ at }: { at: number }): ReactElement {
  const date = new Date(at);
  const isTime = Number.isFinite(date.getTime());
  return (
    <time className="slate-yrs-time" dateTime={isTime ? date.toISOString() : undefined}>
      {isTime ? date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : ""}
    </time>
  );
}

/** What an action throws, as an alert. */
function useProblem(): [ReactNode, (work: () => void) => void] {
  const [message, setMessage] = useState<string | null>(null);
  const run = (work: () => void) => {
    try {
      work();
      setMessage(null);
    } catch (error) {
      setMessage(error instanceof Error ? error.message : String(error));
    }
  };
  const shown = message !== null && (
    <p className="slate-yrs-problem" role="alert">
      {message}
    </p>
  );
  return [shown, run];
}

const nameOf = (comment: Comment | undefined): string => comment?.author.name || "Somebody";
