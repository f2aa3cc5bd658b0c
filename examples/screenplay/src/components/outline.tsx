// The scenes of the open script: go to one, or drag it (or move it with Alt+↑/↓) to another place.
import { type DragEvent, type KeyboardEvent, memo, type ReactNode, useState } from "react";
import { Editor, Transforms } from "slate";
import { ReactEditor, useSlateSelector, useSlateStatic } from "slate-react";
import { moveScene, sceneAt, scenesOf } from "../script/outline.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { useInsight } from "./insights.ts";

export const Outline = memo(function Outline(props: { readOnly: boolean; onChosen: () => void }): ReactNode {
  const { readOnly, onChosen } = props;
  const editor = useSlateStatic();
  const scenes = useInsight("scenes");
  const here = useSlateSelector((current) =>
    current.selection ? sceneAt(scenes, current.selection.anchor.path[0] ?? 0) : -1,
  );
  const [dragged, setDragged] = useState<number | null>(null);
  const [target, setTarget] = useState<number | null>(null);

  const over = (event: DragEvent, index: number) => {
    if (dragged === null) return;
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    setTarget(event.clientY > box.top + box.height / 2 ? index + 1 : index);
  };
  const drop = () => {
    if (dragged !== null && target !== null) moveScene(editor, dragged, target);
    setDragged(null);
    setTarget(null);
  };
  const keys = (event: KeyboardEvent, index: number) => {
    if (readOnly || !event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    moveScene(editor, index, event.key === "ArrowUp" ? index - 1 : index + 2);
  };

  return (
    <section className="outline" aria-labelledby="scenes-title">
      <h2 id="scenes-title" className="section-title">
        Scenes <span className="count">{scenes.length}</span>
      </h2>
      <ol onDrop={drop} onDragEnd={drop} onDragLeave={() => setTarget(null)}>
        {scenes.map((scene, index) => (
          <li
            key={scene.id}
            draggable={!readOnly}
            data-drop={
              target === index
                ? "before"
                : target === scenes.length && index === scenes.length - 1
                  ? "after"
                  : undefined
            }
            data-dragged={dragged === index || undefined}
            onDragStart={() => setDragged(index)}
            onDragOver={(event) => over(event, index)}
          >
            <button
              type="button"
              aria-current={index === here ? "location" : undefined}
              title={readOnly ? undefined : "Drag, or Alt+↑ / Alt+↓, to move the scene"}
              onClick={() => {
                goToScene(editor, scene.id);
                onChosen();
              }}
              onKeyDown={(event) => keys(event, index)}
            >
              <span className="number">{scene.number}</span>
              <span className="heading">{scene.title || "Untitled scene"}</span>
            </button>
          </li>
        ))}
      </ol>
      {scenes.length === 0 && <p className="quiet">Type INT. or EXT. to begin a scene.</p>}
    </section>
  );
});

/** Puts the caret behind a scene's heading, and the heading to the top of the page. */
export function goToScene(editor: ScriptEditor, id: string): void {
  // Looked up now: the list may be a moment behind the script.
  const scene = scenesOf(editor.children).find((entry) => entry.id === id);
  if (!scene) return;
  Transforms.select(editor, Editor.end(editor, [scene.index]));
  showNode(editor, scene.index);
  ReactEditor.focus(editor);
  // What lies between gets its real height only when it comes into view, so once is not always enough.
  requestAnimationFrame(() => requestAnimationFrame(() => showNode(editor, scene.index)));
}

function showNode(editor: ScriptEditor, index: number): void {
  const node = editor.children[index];
  if (node) ReactEditor.toDOMNode(editor, node).scrollIntoView({ block: "start" });
}
