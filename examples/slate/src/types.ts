// What Slate's editors hold in these examples.
import type { BaseEditor } from "slate";
import type { ReactEditor } from "slate-react";

export type BlockType =
  | "paragraph"
  | "heading-one"
  | "heading-two"
  | "block-quote"
  | "numbered-list"
  | "bulleted-list"
  | "list-item"
  | "mention"
  | "table"
  | "table-row"
  | "table-cell"
  | "check-list-item";
export type Align = "left" | "center" | "right";
export type Mark = "bold" | "italic" | "underline" | "code";

export interface Block {
  type: BlockType;
  align?: Align;
  checked?: boolean;
  character?: string;
  children: (Block | Leaf)[];
}
export type Leaf = { text: string } & { [mark in Mark]?: true };

declare module "slate" {
  interface CustomTypes {
    Editor: BaseEditor & ReactEditor;
    Element: Block;
    Text: Leaf;
  }
}
