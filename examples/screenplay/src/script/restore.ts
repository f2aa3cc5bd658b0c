// Brings one scene back from an earlier version of the script, leaving the rest as it is.
import { type Descendant, Editor, Transforms } from "slate";
import { scenesOf } from "./outline.ts";
import { recorded } from "./revising.ts";

/**
 * The scene that began with the heading `headingId` in `version` takes the place of the scene with that heading now;
 * a scene that has gone since comes back at the end. Returns false if the version has no such scene.
 */
export function restoreScene(editor: Editor, version: readonly Descendant[], headingId: string): boolean {
  const wanted = rangeOf(version, headingId);
  if (!wanted) return false;
  const now = rangeOf(editor.children, headingId) ?? [editor.children.length, editor.children.length];
  recorded(editor, () =>
    Editor.withoutNormalizing(editor, () => {
      const nodes = structuredClone(version.slice(...wanted)) as Descendant[];
      for (let index = now[1] - 1; index >= now[0]; index -= 1) Transforms.removeNodes(editor, { at: [index] });
      Transforms.insertNodes(editor, nodes, { at: [now[0]] });
    }),
  );
  return true;
}

function rangeOf(script: readonly Descendant[], headingId: string): [number, number] | undefined {
  const scenes = scenesOf(script);
  const at = scenes.findIndex(({ id }) => id === headingId);
  const scene = scenes[at];
  return scene && [scene.index, scenes[at + 1]?.index ?? script.length];
}
