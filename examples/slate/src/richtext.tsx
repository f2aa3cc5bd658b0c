// Headings, quotes, lists and alignment.
import type { ReactNode } from "react";
import { Editor, Element, Transforms } from "slate";
import { useSlate } from "slate-react";
import type { Example } from "./example.ts";
import { Button, MarkButton, markKeys } from "./marks.tsx";
import type { Align, BlockType } from "./types.ts";

const LISTS: readonly BlockType[] = ["numbered-list", "bulleted-list"];
const BLOCKS: readonly BlockType[] = ["heading-one", "heading-two", "block-quote", ...LISTS];
const ALIGNS: readonly Align[] = ["left", "center", "right"];

function isIn(editor: Editor, fits: (element: Element) => boolean): boolean {
  if (editor.selection === null) return false;
  const at = Editor.unhangRange(editor, editor.selection);
  const [found] = Editor.nodes(editor, { at, match: (node) => Element.isElement(node) && fits(node) });
  return found !== undefined;
}

function toggleBlock(editor: Editor, type: BlockType): void {
  if (editor.selection === null) return;
  const active = isIn(editor, (element) => element.type === type);
  const isList = LISTS.includes(type);
  Transforms.unwrapNodes(editor, {
    match: (node) => Element.isElement(node) && LISTS.includes(node.type),
    split: true,
  });
  Transforms.setNodes<Element>(editor, { type: active ? "paragraph" : isList ? "list-item" : type });
  if (!active && isList) Transforms.wrapNodes(editor, { type, children: [] });
}

function toggleAlign(editor: Editor, align: Align): void {
  if (editor.selection === null) return;
  if (isIn(editor, (element) => element.align === align)) Transforms.unsetNodes<Element>(editor, "align");
  else Transforms.setNodes<Element>(editor, { align });
}

function Toolbar(): ReactNode {
  const editor = useSlate();
  return (
    <>
      {(["bold", "italic", "underline", "code"] as const).map((mark) => (
        <MarkButton key={mark} mark={mark} />
      ))}
      {BLOCKS.map((type) => (
        <Button
          key={type}
          pressed={isIn(editor, (element) => element.type === type)}
          onPress={() => toggleBlock(editor, type)}
        >
          {type}
        </Button>
      ))}
      {ALIGNS.map((align) => (
        <Button
          key={align}
          pressed={isIn(editor, (element) => element.align === align)}
          onPress={() => toggleAlign(editor, align)}
        >
          {align}
        </Button>
      ))}
    </>
  );
}

const TAGS: Partial<Record<BlockType, "h2" | "h3" | "blockquote" | "ol" | "ul" | "li">> = {
  "heading-one": "h2",
  "heading-two": "h3",
  "block-quote": "blockquote",
  "numbered-list": "ol",
  "bulleted-list": "ul",
  "list-item": "li",
};

export const richtext: Example = {
  title: "Rich text",
  initialValue: [
    {
      type: "paragraph",
      children: [
        { text: "This is " },
        { text: "rich", bold: true },
        { text: " text, " },
        { text: "much", italic: true },
        { text: " better than a " },
        { text: "<textarea>", code: true },
        { text: "." },
      ],
    },
    { type: "heading-two", children: [{ text: "Lists" }] },
    {
      type: "bulleted-list",
      children: [
        { type: "list-item", children: [{ text: "one" }] },
        { type: "list-item", children: [{ text: "two" }] },
        { type: "list-item", children: [{ text: "three" }] },
      ],
    },
    { type: "block-quote", children: [{ text: "A wise quote." }] },
    { type: "paragraph", align: "center", children: [{ text: "Try it out for yourselves." }] },
  ],
  plugin: (editor) => editor,
  toolbar: Toolbar,
  onKeyDown: markKeys,
  renderElement: ({ attributes, children, element }) => {
    const Tag = TAGS[element.type] ?? "p";
    return (
      <Tag {...attributes} style={{ textAlign: element.align }}>
        {children}
      </Tag>
    );
  },
};
