// Peers' carets with their names, and their selections, drawn over the editor. The editor itself never renders for it.
import {
  type CSSProperties,
  type ReactElement,
  type ReactNode,
  type RefObject,
  useEffect,
  useRef,
  useState,
} from "react";
import type { CollabEditor } from "../slate.js";
import { type Box, layOut, nextChange, type RemoteCursor, sameLayout } from "./layout.js";
import { useRemoteSelections } from "./people.js";
import { classes } from "./style.js";

/** Props of {@link RemoteCursors}. */
export interface RemoteCursorsProps {
  editor: CollabEditor;
  /** The `<Editable>`, with whatever is around it. */
  children?: ReactNode;
  /** Added to `slate-yrs-cursors`, the element around `children`. */
  className?: string;
  /** Draws one person instead of the built-in caret, flag and selection. */
  renderCursor?: (cursor: RemoteCursor) => ReactNode;
}

const AREA: CSSProperties = { position: "relative" };
const CONTENT: CSSProperties = { display: "contents" };
const OVERLAY: CSSProperties = { position: "absolute", inset: 0, pointerEvents: "none", zIndex: 1 };

/**
 * Draws the others' carets and selections over `children`. Goes inside `<Slate>`, around `<Editable>`, within the
 * element that scrolls. Looks: `--slate-yrs-caret-width`, `--slate-yrs-selection-opacity`, `--slate-yrs-idle-opacity`,
 * `--slate-yrs-flag-font`, `-flag-padding`, `-flag-max-width`; classes `slate-yrs-caret`, `-flag`,
 * `-selection`. All of them: docs/INTEGRATION.md.
 */
export function RemoteCursors({ editor, children, className, renderCursor }: RemoteCursorsProps): ReactElement {
  const area = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const cursors = useLayout(editor, area, content);
  return (
    <div className={classes("slate-yrs-cursors", className)} ref={area} style={AREA}>
      <div ref={content} style={CONTENT}>
        {children}
      </div>
      <div aria-hidden="true" className="slate-yrs-overlay" style={OVERLAY}>
        {cursors.map((cursor) => (
          <Cursor cursor={cursor} key={cursor.person.clientId} render={renderCursor} />
        ))}
      </div>
    </div>
  );
}

/** Measures again, at most once per frame, when a peer moves, the content changes or anything is resized or scrolled. */
function useLayout(
  editor: CollabEditor,
  area: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
): readonly RemoteCursor[] {
  const selections = useRemoteSelections(editor);
  const latest = useRef(selections);
  const measure = useRef(() => {});
  const [cursors, setCursors] = useState<readonly RemoteCursor[]>([]);

  useEffect(() => {
    latest.current = selections;
    measure.current();
  }, [selections]);

  useEffect(() => {
    const [around, inside] = [area.current, content.current];
    if (around === null || inside === null) return;
    let frame: number | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const schedule = () => {
      if (latest.current.length > 0 || timer !== undefined) frame ??= requestAnimationFrame(draw);
      else setCursors((before) => (before.length === 0 ? before : []));
    };
    const draw = () => {
      frame = null;
      const now = Date.now();
      const next = layOut(editor, latest.current, around, now);
      setCursors((before) => (sameLayout(before, next) ? before : next));
      clearTimeout(timer);
      const wait = nextChange(latest.current, now);
      timer = wait === null ? undefined : setTimeout(schedule, wait);
    };
    measure.current = schedule;
    const stop = watch(around, inside, schedule);
    schedule();
    return () => {
      measure.current = () => {};
      stop();
      clearTimeout(timer);
      if (frame !== null) cancelAnimationFrame(frame);
    };
  }, [editor, area, content]);

  return cursors;
}

function watch(around: HTMLElement, inside: HTMLElement, changed: () => void): () => void {
  const mutations = new MutationObserver(changed);
  mutations.observe(inside, { childList: true, characterData: true, subtree: true, attributes: true });
  const sizes = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(changed);
  sizes?.observe(around);
  // A scroller inside; those outside move the overlay along.
  inside.addEventListener("scroll", changed, { capture: true, passive: true });
  // What was skipped off screen comes into sight.
  inside.addEventListener("contentvisibilityautostatechange", changed, { capture: true });
  return () => {
    mutations.disconnect();
    sizes?.disconnect();
    inside.removeEventListener("scroll", changed, { capture: true });
    inside.removeEventListener("contentvisibilityautostatechange", changed, { capture: true });
  };
}

function Cursor({
  cursor,
  render,
}: {
  cursor: RemoteCursor;
  render: ((cursor: RemoteCursor) => ReactNode) | undefined;
}): ReactElement {
  if (render !== undefined) return <>{render(cursor)}</>;
  const { person, caret, boxes } = cursor;
  return (
    <div
      className="slate-yrs-cursor"
      data-client-id={person.clientId}
      data-idle={cursor.idle || undefined}
      data-typing={cursor.typing || undefined}
      style={{ opacity: cursor.idle ? "var(--slate-yrs-idle-opacity, 0.4)" : 1 }}
    >
      {boxes.map((box) => (
        <div
          className="slate-yrs-selection"
          key={`${box.left} ${box.top}`}
          style={{ ...place(box), backgroundColor: person.color, opacity: "var(--slate-yrs-selection-opacity, 0.25)" }}
        />
      ))}
      {caret === null ? null : <Caret caret={caret} cursor={cursor} />}
    </div>
  );
}

function Caret({ caret, cursor }: { caret: Box; cursor: RemoteCursor }): ReactElement {
  const { name, color, textColor } = cursor.person;
  const flag: CSSProperties = {
    ...flagPlace(cursor.flag, caret.top < 16),
    position: "absolute",
    maxWidth: "var(--slate-yrs-flag-max-width, 140px)",
    overflow: "hidden",
    textOverflow: "ellipsis",
    padding: "var(--slate-yrs-flag-padding, 0 5px)",
    font: "var(--slate-yrs-flag-font, 600 11px/1.3 system-ui, sans-serif)",
    whiteSpace: "nowrap",
    userSelect: "none",
    backgroundColor: color,
    color: textColor,
  };
  return (
    <div
      className="slate-yrs-caret"
      style={{
        ...place(caret),
        width: "var(--slate-yrs-caret-width, 2px)",
        marginLeft: "calc(var(--slate-yrs-caret-width, 2px) / -2)",
        backgroundColor: color,
      }}
    >
      {cursor.active ? (
        <div className="slate-yrs-flag" style={flag}>
          {name}
        </div>
      ) : null}
    </div>
  );
}

function flagPlace(flag: RemoteCursor["flag"], below: boolean): CSSProperties {
  if (flag === "beside") return { left: "6px", top: "50%", transform: "translateY(-50%)", borderRadius: "4px" };
  const end = flag === "end";
  // The corner at the caret is square.
  const corner = ["4px", "4px", "4px", "4px"];
  corner[below ? (end ? 1 : 0) : end ? 2 : 3] = "0";
  return {
    [end ? "right" : "left"]: end ? 0 : "calc(var(--slate-yrs-caret-width, 2px) / -2)",
    [below ? "top" : "bottom"]: "100%",
    borderRadius: corner.join(" "),
  };
}

const place = ({ left, top, width, height }: Box): CSSProperties => ({
  position: "absolute",
  left,
  top,
  width,
  height,
});
