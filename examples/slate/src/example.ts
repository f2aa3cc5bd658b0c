// What makes an example: a value to begin with, a plugin, and how its parts look.
import type { JSX, KeyboardEvent, ReactNode } from "react";
import type { Descendant, Editor } from "slate";
import type { RenderElementProps } from "slate-react";

export interface Example {
  readonly title: string;
  readonly initialValue: Descendant[];
  /** The editor's own behaviour. */
  readonly plugin: (editor: Editor) => Editor;
  readonly renderElement: (props: RenderElementProps) => JSX.Element;
  /** Buttons above the page. */
  readonly toolbar?: () => ReactNode;
  readonly onKeyDown?: (editor: Editor, event: KeyboardEvent) => void;
}
