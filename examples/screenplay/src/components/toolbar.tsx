// The element type, marks, dual dialogue, undo and redo.
import { memo, type ReactNode } from "react";
import { ReactEditor, useSlateSelector, useSlateStatic } from "slate-react";
import { blockAt, hasMark, inDual, setType, toggleDual, toggleMark } from "../script/editor.ts";
import { ELEMENTS } from "../script/elements.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { BLOCK_TYPES, type BlockType, MARKS, type Mark } from "../script/types.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { keyOf } from "./shortcuts.ts";

export const Toolbar = memo(function Toolbar({ readOnly }: { readOnly: boolean }): ReactNode {
  const editor = useSlateStatic();
  const type = useSlateSelector((current) => blockAt(current)?.[0].type ?? null);
  const dual = useSlateSelector((current) => inDual(current) !== undefined);
  const run = (action: () => void) => () => {
    action();
    ReactEditor.focus(editor);
  };
  return (
    <div className="toolbar" role="toolbar" aria-label="Format">
      <select
        className="type"
        aria-label="Element type"
        value={type ?? ""}
        disabled={readOnly || !type}
        onChange={(event) => run(() => setType(editor, event.target.value as BlockType))()}
      >
        {!type && <option value="">Element</option>}
        {BLOCK_TYPES.map((name) => (
          <option key={name} value={name}>
            {ELEMENTS[name].label}
          </option>
        ))}
      </select>
      <span className="tools">
        {MARKS.map((mark) => (
          <MarkButton key={mark} mark={mark} disabled={readOnly} onClick={run(() => toggleMark(editor, mark))} />
        ))}
        <Tool
          icon="dual"
          label="Dual dialogue"
          keys={keyOf.dual}
          pressed={dual}
          disabled={readOnly || !type}
          onClick={run(() => toggleDual(editor))}
        />
      </span>
      <span className="tools">
        <Tool
          icon="undo"
          label="Undo"
          keys={keyOf.undo}
          disabled={readOnly}
          onClick={run(() => undoable(editor)?.undo())}
        />
        <Tool
          icon="redo"
          label="Redo"
          keys={keyOf.redo}
          disabled={readOnly}
          onClick={run(() => undoable(editor)?.redo())}
        />
      </span>
    </div>
  );
});

/** Undo comes from the history plugin, or from the shared document. */
function undoable(editor: ScriptEditor): { undo(): void; redo(): void } | undefined {
  const { undo, redo } = editor;
  return undo && redo ? { undo, redo } : undefined;
}

function MarkButton({ mark, disabled, onClick }: { mark: Mark; disabled: boolean; onClick: () => void }): ReactNode {
  const on = useSlateSelector((editor) => (editor.selection ? hasMark(editor, mark) : false));
  const label = mark === "strike" ? "Strike out" : mark.charAt(0).toUpperCase() + mark.slice(1);
  return <Tool icon={mark} label={label} keys={keyOf.mark(mark)} pressed={on} disabled={disabled} onClick={onClick} />;
}

function Tool(props: {
  icon: IconName;
  label: string;
  keys: string | undefined;
  pressed?: boolean;
  disabled: boolean;
  onClick: () => void;
}): ReactNode {
  return (
    <button
      type="button"
      className="tool"
      aria-label={props.label}
      aria-pressed={props.pressed}
      title={props.keys ? `${props.label} (${props.keys})` : props.label}
      disabled={props.disabled}
      // The page keeps its selection.
      onMouseDown={(event) => event.preventDefault()}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}
