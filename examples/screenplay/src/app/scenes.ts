// The scripts on offer: a few that come with the example, and those opened or made in this browser.
import type { Descendant } from "slate";
import { generateScript } from "../script/generator.ts";
import { importedScript } from "./imports.ts";
import { recall, remember } from "./remembered.ts";

export interface SceneInfo {
  id: string;
  title: string;
  note: string;
}

const BUILT_IN: readonly (SceneInfo & { seed?: number; scenes?: number })[] = [
  { id: "pilot", title: "The Long Harbour", note: "Pilot, 24 scenes", seed: 11, scenes: 24 },
  { id: "feature", title: "Salt and Signal", note: "Feature, 148 scenes", seed: 1, scenes: 148 },
  { id: "short", title: "Four Minutes to Dusk", note: "Short film", seed: 5, scenes: 3 },
  { id: "blank", title: "Blank page", note: "Yours to begin" },
];

/** @param open The id of the open script; empty: there is none. */
export function sceneList(open: string): SceneInfo[] {
  const own = ownScenes().filter(({ id }) => !BUILT_IN.some((scene) => scene.id === id));
  const list = [...BUILT_IN, ...own];
  if (open !== "" && !list.some(({ id }) => id === open))
    list.push({ id: open, title: titleFrom(open), note: "Shared with you" });
  return list;
}

/** What a script begins with if nobody has written anything in it yet. The same in every browser. */
export function initialScript(id: string): Descendant[] {
  const imported = importedScript(id);
  if (imported) return imported;
  const known = BUILT_IN.find((scene) => scene.id === id);
  if (known?.scenes) return generateScript({ seed: known.seed, scenes: known.scenes });
  return [{ id: "b1", type: "scene_heading", children: [{ text: "" }] }];
}

/** Makes a new script and returns its id. */
export function addScene(title: string): string {
  const words = title
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const id = `${words.slice(0, 40) || "script"}-${Math.random().toString(36).slice(2, 8)}`;
  remember("scenes", JSON.stringify([...ownScenes(), { id, title, note: "Made here" }]));
  return id;
}

/** Whether it is this browser's own list that has it: those that come with the example stay. */
export function isOwn(id: string): boolean {
  return ownScenes().some((scene) => scene.id === id) && !BUILT_IN.some((scene) => scene.id === id);
}

/** The list calls it by the name that it has by now. */
export function retitleScene(id: string, title: string): void {
  const own = ownScenes();
  if (!own.some((scene) => scene.id === id && scene.title !== title)) return;
  remember("scenes", JSON.stringify(own.map((scene) => (scene.id === id ? { ...scene, title } : scene))));
}

/** Takes it off the list, and nothing else. */
export function dropScene(id: string): void {
  remember("scenes", JSON.stringify(ownScenes().filter((scene) => scene.id !== id)));
}

function ownScenes(): SceneInfo[] {
  try {
    const list: unknown = JSON.parse(recall("scenes") ?? "[]");
    if (!Array.isArray(list)) return [];
    return list.filter((item): item is SceneInfo => typeof item?.id === "string" && typeof item?.title === "string");
  } catch {
    return [];
  }
}

function titleFrom(id: string): string {
  const words = id.replace(/[-_.]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
