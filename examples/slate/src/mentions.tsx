// People named in the text: inline elements without text of their own.
import type { ReactNode } from "react";
import { Transforms } from "slate";
import { type RenderElementProps, useFocused, useSelected, useSlateStatic } from "slate-react";
import type { Example } from "./example.ts";
import { Button, markKeys } from "./marks.tsx";
import type { Block } from "./types.ts";

const PEOPLE = ["Ahsoka", "Boba", "Chewbacca", "Dooku", "Ewok"];

const mention = (character: string): Block => ({ type: "mention", character, children: [{ text: "" }] });

function Mention({ attributes, children, element }: RenderElementProps): ReactNode {
  const [selected, focused] = [useSelected(), useFocused()];
  return (
    <span {...attributes} contentEditable={false} className="mention" data-ring={(selected && focused) || undefined}>
      @{element.character}
      {children}
    </span>
  );
}

function Toolbar(): ReactNode {
  const editor = useSlateStatic();
  const insert = (character: string) => {
    if (editor.selection === null) return;
    Transforms.insertNodes(editor, mention(character));
    Transforms.move(editor);
  };
  return PEOPLE.map((character) => (
    <Button key={character} onPress={() => insert(character)}>
      @{character}
    </Button>
  ));
}

export const mentions: Example = {
  title: "Mentions",
  initialValue: [
    {
      type: "paragraph",
      children: [
        { text: "Try mentioning somebody, like " },
        mention("Ewok"),
        { text: " or " },
        mention("Boba"),
        { text: "!" },
      ],
    },
    { type: "paragraph", children: [{ text: "They stand in the line like a letter." }] },
  ],
  plugin: (editor) => {
    const { isInline, isVoid, markableVoid } = editor;
    editor.isInline = (element) => element.type === "mention" || isInline(element);
    editor.isVoid = (element) => element.type === "mention" || isVoid(element);
    editor.markableVoid = (element) => element.type === "mention" || markableVoid(element);
    return editor;
  },
  toolbar: Toolbar,
  onKeyDown: markKeys,
  renderElement: (props) =>
    props.element.type === "mention" ? <Mention {...props} /> : <p {...props.attributes}>{props.children}</p>,
};
