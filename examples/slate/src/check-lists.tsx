// Lines that can be ticked off. Backspace at the start of one makes it a paragraph.
import type { ReactNode } from "react";
import { Editor, Element, Point, Range, Transforms } from "slate";
import { ReactEditor, type RenderElementProps, useReadOnly, useSlateStatic } from "slate-react";
import type { Example } from "./example.ts";
import { Button, markKeys } from "./marks.tsx";
import type { Block } from "./types.ts";

const item = (text: string, checked: boolean): Block => ({ type: "check-list-item", checked, children: [{ text }] });

function Item({ attributes, children, element }: RenderElementProps): ReactNode {
  const editor = useSlateStatic();
  const readOnly = useReadOnly();
  const checked = element.checked === true;
  return (
    <div {...attributes} className="check">
      <span contentEditable={false}>
        <input
          type="checkbox"
          checked={checked}
          disabled={readOnly}
          onChange={(event) => {
            const at = ReactEditor.findPath(editor, element);
            Transforms.setNodes<Element>(editor, { checked: event.target.checked }, { at });
          }}
        />
      </span>
      <span data-checked={checked || undefined}>{children}</span>
    </div>
  );
}

function Toolbar(): ReactNode {
  const editor = useSlateStatic();
  const add = () => {
    if (editor.selection !== null) Transforms.setNodes<Element>(editor, { type: "check-list-item", checked: false });
  };
  return <Button onPress={add}>check-list-item</Button>;
}

export const checkLists: Example = {
  title: "Check lists",
  initialValue: [
    { type: "paragraph", children: [{ text: "With Slate you can build things like check lists:" }] },
    item("Slide to the left.", true),
    item("Slide to the right.", true),
    item("Criss-cross.", false),
    item("Cha real smooth…", false),
    { type: "paragraph", children: [{ text: "Try it out." }] },
  ],
  plugin: (editor) => {
    const { deleteBackward } = editor;
    editor.deleteBackward = (unit) => {
      const { selection } = editor;
      const match = (node: unknown) => Element.isElement(node) && node.type === "check-list-item";
      const found = selection !== null && Range.isCollapsed(selection) ? Editor.above(editor, { match }) : undefined;
      if (found !== undefined && Point.equals(selection!.anchor, Editor.start(editor, found[1]))) {
        Transforms.setNodes<Element>(editor, { type: "paragraph" }, { match });
        Transforms.unsetNodes<Element>(editor, "checked");
      } else deleteBackward(unit);
    };
    return editor;
  },
  toolbar: Toolbar,
  onKeyDown: markKeys,
  renderElement: (props) =>
    props.element.type === "check-list-item" ? <Item {...props} /> : <p {...props.attributes}>{props.children}</p>,
};
