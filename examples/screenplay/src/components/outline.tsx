// The scenes of the open script: go to one, or move it: by dragging, by Alt+↑/↓, or by the buttons at the one with the
// caret, which omit it as well. Scenes are known by their ids: while one is dragged, others may add some.
import { type DragEvent, type KeyboardEvent, memo, type ReactNode, useState } from "react";
import { Editor, Transforms } from "slate";
import { ReactEditor, useSlateSelector, useSlateStatic } from "slate-react";
import { bringBack, omitScene } from "../script/omit.ts";
import { moveSceneById, type SceneEntry, sceneAt, scenesOf, shiftScene } from "../script/outline.ts";
import type { ScriptEditor } from "../script/slate.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { useInsight } from "./insights.ts";

export const Outline = memo(function Outline(props: { readOnly: boolean; onChosen: () => void }): ReactNode {
  const { readOnly, onChosen } = props;
  const editor = useSlateStatic();
  const scenes = useInsight("scenes");
  const here = useSlateSelector((current) =>
    current.selection ? sceneAt(scenes, current.selection.anchor.path[0] ?? 0) : -1,
  );
  const [dragged, setDragged] = useState<string | null>(null);
  /** The scene before which the dragged one would come; `END`: behind them all. */
  const [target, setTarget] = useState<string | null>(null);

  const over = (event: DragEvent, index: number) => {
    if (dragged === null) return;
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    const below = event.clientY > box.top + box.height / 2;
    setTarget(scenes[below ? index + 1 : index]?.id ?? END);
  };
  const drop = () => {
    if (dragged !== null && target !== null) moveSceneById(editor, dragged, target === END ? null : target);
    setDragged(null);
    setTarget(null);
  };
  const keys = (event: KeyboardEvent, id: string) => {
    if (readOnly || !event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    shiftScene(editor, id, event.key === "ArrowUp" ? "up" : "down");
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
              target === scene.id ? "before" : target === END && index === scenes.length - 1 ? "after" : undefined
            }
            data-dragged={dragged === scene.id || undefined}
            onDragStart={() => setDragged(scene.id)}
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
              onKeyDown={(event) => keys(event, scene.id)}
            >
              <span className="number">{scene.number}</span>
              <span className="heading">{scene.title || "Untitled scene"}</span>
            </button>
            {index === here && !readOnly && (
              <SceneTools
                scene={scene}
                first={index === 0}
                last={index === scenes.length - 1}
                onRun={(run) => run(editor, scene.id)}
              />
            )}
          </li>
        ))}
      </ol>
      {scenes.length === 0 && <p className="quiet">Type INT. or EXT. to begin a scene.</p>}
    </section>
  );
});

/** No id is empty. */
const END = "";

type Run = (editor: ScriptEditor, id: string) => unknown;

/** Moves the scene where nothing can be dragged, as by a finger; and omits it, once its number is locked. */
function SceneTools(props: { scene: SceneEntry; first: boolean; last: boolean; onRun: (run: Run) => void }): ReactNode {
  const { scene, first, last, onRun } = props;
  const tool = (icon: IconName, what: string, run: Run, disabled = false) => (
    <button
      type="button"
      className="tool small"
      aria-label={`${what}: ${scene.title || "untitled scene"}`}
      title={what}
      disabled={disabled}
      onClick={() => onRun(run)}
    >
      <Icon name={icon} />
    </button>
  );
  const alone = first && last;
  if (alone && !scene.locked) return null;
  return (
    <span className="shift">
      {!alone && tool("up", "Move up", (editor, id) => shiftScene(editor, id, "up"), first)}
      {!alone && tool("down", "Move down", (editor, id) => shiftScene(editor, id, "down"), last)}
      {scene.omitted && tool("undo", "Bring back", bringBack)}
      {scene.locked && !scene.omitted && tool("close", "Omit", omitScene)}
    </span>
  );
}

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
  try {
    if (node) ReactEditor.toDOMNode(editor, node).scrollIntoView({ block: "start" });
  } catch {
    // Not on the page: somebody has just removed or moved it.
  }
}
