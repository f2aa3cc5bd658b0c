// When suggestions are shown, and what keys do with them. A list opens while one types at the end of a cue or a heading
// (or asks for it, by Alt+↓), and closes with anything else. Without a choice Enter goes on with what was typed.
import type { KeyboardEvent } from "react";
import { Editor, Range, Transforms } from "slate";
import { blockAt } from "../script/editor.ts";
import { recorded } from "../script/revising.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { type Suggestion, suggestionsFor } from "../script/suggest.ts";
import { textOf } from "../script/types.ts";

export interface Suggesting {
  items: readonly Suggestion[];
  /** The chosen one; -1: none yet. */
  active: number;
}

type Key = Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey"> & {
  nativeEvent: { isComposing: boolean };
};

/** The line with the caret at its end. */
interface Place {
  id: string;
  typed: string;
}

export class Suggester {
  private current: Suggesting | null = null;
  private place: Place | null = null;
  private typing = false;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly editor: ScriptEditor) {}

  readonly get = (): Suggesting | null => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** What comes next is the writer's own typing. */
  typed(): void {
    this.typing = true;
  }

  /** To be called after each change of the script or the selection. */
  readonly changed = (): void => {
    const before = this.place;
    this.place = this.look();
    if (this.place === null) this.typing = false;
    if (this.place?.id === before?.id && this.place?.typed === before?.typed) return;
    const own = this.typing;
    this.typing = false;
    if (own) this.suggest(false);
    else this.close();
  };

  close(): void {
    if (this.current !== null) this.set(null);
  }

  /** Returns whether the key was for the list. */
  pressed(event: Key): boolean {
    const { key, shiftKey, altKey, ctrlKey, metaKey } = event;
    if (event.nativeEvent.isComposing || shiftKey || ctrlKey || metaKey) return false;
    if (altKey) {
      if (key !== "ArrowDown") return false;
      this.place = this.look();
      this.suggest(true);
      return this.current !== null;
    }
    if (this.current === null) return false;
    const { items, active } = this.current;
    switch (key) {
      case "ArrowDown":
        this.set({ items, active: (active + 1) % items.length });
        return true;
      case "ArrowUp":
        this.set({ items, active: active <= 0 ? items.length - 1 : active - 1 });
        return true;
      case "Escape":
        this.close();
        return true;
      case "Tab":
        this.take(Math.max(0, active));
        return true;
      case "Enter":
        if (active >= 0) this.take(active);
        else this.close();
        return active >= 0;
      default:
        return false;
    }
  }

  /** Puts the suggestion into the line. */
  take(index: number): void {
    const { editor } = this;
    const line = this.current?.items[index]?.line;
    const entry = blockAt(editor);
    this.close();
    this.place = this.look();
    if (line === undefined || !entry || this.place === null) return;
    const { typed } = this.place;
    let same = 0;
    while (same < typed.length && typed[same] === line[same]) same += 1;
    recorded(editor, () =>
      Editor.withoutNormalizing(editor, () => {
        if (same < typed.length) {
          Transforms.delete(editor, { distance: typed.length - same, unit: "character", reverse: true });
        }
        Transforms.insertText(editor, line.slice(same));
      }),
    );
    // After INT. come the places.
    if (line.endsWith(" ")) this.typing = true;
  }

  private look(): Place | null {
    const { editor } = this;
    const entry = blockAt(editor);
    if (!entry || !editor.selection || Range.isExpanded(editor.selection)) return null;
    const [block, path] = entry;
    if (block.type !== "character" && block.type !== "scene_heading") return null;
    return Editor.isEnd(editor, editor.selection.anchor, path) ? { id: block.id, typed: textOf(block) } : null;
  }

  private suggest(asked: boolean): void {
    const entry = this.place && blockAt(this.editor);
    const items = entry ? suggestionsFor(this.editor.children, entry[0], this.place?.typed ?? "", asked) : [];
    if (items.length === 0) this.close();
    else this.set({ items, active: asked ? 0 : -1 });
  }

  private set(suggesting: Suggesting | null): void {
    this.current = suggesting;
    for (const listener of [...this.listeners]) listener();
  }
}

const suggesters = new WeakMap<ScriptEditor, Suggester>();

export function suggesterIn(editor: ScriptEditor): Suggester {
  let suggester = suggesters.get(editor);
  if (!suggester) {
    suggester = new Suggester(editor);
    suggesters.set(editor, suggester);
  }
  return suggester;
}
