// Tells Slate's types what a script is. A file of its own, so that the generator can be used without it.
import type { BaseEditor } from "slate";
import type { HistoryEditor } from "slate-history";
import type { ReactEditor } from "slate-react";
import type { FormattedText, ScriptElement } from "./types.ts";

/** What the screenplay plugin adds to an editor. */
export interface ScreenplayEditor {
  /** A fresh id for a block; replaced in tests to be predictable. */
  newId(): string;
}

export type ScriptEditor = BaseEditor & ReactEditor & ScreenplayEditor & Partial<HistoryEditor>;

declare module "slate" {
  interface CustomTypes {
    Editor: ScriptEditor;
    Element: ScriptElement;
    Text: FormattedText;
  }
}
