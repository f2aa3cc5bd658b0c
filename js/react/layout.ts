// Where on the page the peers' selections are. Reads the DOM, writes nothing; whatever cannot be found (a path that is
// gone, a node not rendered yet) is left out, and never throws.
import { Editor, Path, type Point, Range, Text } from "slate";
import { ReactEditor } from "slate-react";
import type { CollabEditor } from "../slate.js";
import { fits, type RemotePerson, type RemoteSelection } from "./people.js";

/** In CSS pixels, from the top left of the area that {@link RemoteCursors} covers. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** One person's caret and selection as they are to be drawn. */
export interface RemoteCursor {
  readonly person: RemotePerson;
  /** `null` while the place of the caret is not rendered, or skipped by the browser. */
  readonly caret: Box | null;
  /** One box per line or so. */
  readonly boxes: readonly Box[];
  readonly typing: boolean;
  /**
   * Where there is room for the name: beside the caret at the end of a block, where it covers no words; else above it,
   * towards the end of the line (`start`) or, near the edge, the other way (`end`).
   */
  readonly flag: "beside" | "start" | "end";
  /** They did something in the last seconds: the name is shown. */
  readonly active: boolean;
  /** They did nothing for a minute. */
  readonly idle: boolean;
}

/** A selection over more leaves than this is drawn up to here: a whole script selected must not cost a frame. */
const MOST_LEAVES = 400;
const ACTIVE_FOR = 3_000;
/** Nothing done for so long, in ms: they are away. */
export const IDLE_AFTER = 60_000;
/** In CSS pixels: what a name takes, or a little more. */
const FLAG_WIDTH = 140;

/** @param area The element that the boxes are relative to. */
export function layOut(
  editor: CollabEditor,
  selections: readonly RemoteSelection[],
  area: Element,
  now: number,
): RemoteCursor[] {
  const origin = area.getBoundingClientRect();
  return selections.map(({ person, range, typing, lastActive }) => {
    const here = fits(editor, range);
    const caret = here ? caretBox(editor, range, origin) : null;
    return {
      person,
      typing,
      active: typing || now - lastActive < ACTIVE_FOR,
      idle: now - lastActive >= IDLE_AFTER,
      caret,
      flag: caret === null ? "start" : flagAt(editor, range.focus, caret, origin.width),
      boxes: here && Range.isExpanded(range) ? selectionBoxes(editor, range, origin) : [],
    };
  });
}

/** When the looks change next without anything happening, in ms from `now`; `null`: never. */
export function nextChange(selections: readonly RemoteSelection[], now: number): number | null {
  const waits = selections
    .flatMap(({ lastActive }) => [lastActive + ACTIVE_FOR - now, lastActive + IDLE_AFTER - now])
    .filter((wait) => wait > 0);
  return waits.length === 0 ? null : Math.min(...waits);
}

export function sameLayout(a: readonly RemoteCursor[], b: readonly RemoteCursor[]): boolean {
  return a.length === b.length && a.every((cursor, index) => sameCursor(cursor, b[index]!));
}

function sameCursor(a: RemoteCursor, b: RemoteCursor): boolean {
  return (
    a.person === b.person &&
    a.typing === b.typing &&
    a.active === b.active &&
    a.idle === b.idle &&
    a.flag === b.flag &&
    sameBox(a.caret, b.caret) &&
    a.boxes.length === b.boxes.length &&
    a.boxes.every((box, index) => sameBox(box, b.boxes[index]!))
  );
}

function sameBox(a: Box | null, b: Box | null): boolean {
  if (a === null || b === null) return a === b;
  return a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height;
}

function flagAt(editor: CollabEditor, focus: Point, caret: Box, width: number): RemoteCursor["flag"] {
  if (caret.left > Math.max(FLAG_WIDTH, width - FLAG_WIDTH)) return "end";
  return Editor.isEnd(editor as unknown as Editor, focus, Path.parent(focus.path)) ? "beside" : "start";
}

function caretBox(editor: CollabEditor, { focus }: Range, origin: DOMRect): Box | null {
  const domRange = toDOMRange(editor, { anchor: focus, focus });
  if (domRange === null || isSkipped(domRange.startContainer)) return null;
  const rects = rectsOf(domRange);
  // An empty block has no text to measure: the caret is at the start of what stands for it.
  const start = domRange.startContainer;
  const element = start instanceof globalThis.Element ? start : start.parentElement;
  const rect = rects[0] ?? element?.getBoundingClientRect();
  if (rect === undefined) return null;
  return { left: rect.left - origin.left, top: rect.top - origin.top, width: 0, height: rect.height };
}

function selectionBoxes(editor: CollabEditor, range: Range, origin: DOMRect): Box[] {
  const target = editor as unknown as Editor;
  const boxes: Box[] = [];
  let leaves = 0;
  for (const [, path] of Editor.nodes(target, { at: range, match: Text.isText })) {
    if (++leaves > MOST_LEAVES) break;
    const part = Range.intersection(range, Editor.range(target, path));
    if (part === null) continue;
    const domRange = toDOMRange(editor, part);
    if (domRange === null || isSkipped(domRange.startContainer)) continue;
    for (const { left, top, width, height } of rectsOf(domRange)) {
      if (width > 0) boxes.push({ left: left - origin.left, top: top - origin.top, width, height });
    }
  }
  return boxes;
}

function toDOMRange(editor: CollabEditor, range: Range): globalThis.Range | null {
  try {
    return ReactEditor.toDOMRange(editor as unknown as ReactEditor, range);
  } catch {
    return null;
  }
}

/**
 * Off screen in a part with `content-visibility: auto`, which the browser has not laid out. To measure there would make
 * it, and for a caret that nobody sees.
 */
function isSkipped(node: Node): boolean {
  const element = node instanceof globalThis.Element ? node : node.parentElement;
  return element?.checkVisibility?.({ contentVisibilityAuto: true }) === false;
}

/** Not every DOM can measure ranges: on those nothing is drawn. */
function rectsOf(range: globalThis.Range): DOMRect[] {
  return typeof range.getClientRects === "function" ? [...range.getClientRects()] : [];
}
