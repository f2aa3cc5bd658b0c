// A scene that was taken out of a script whose numbers are locked: its heading stays with its number and says so, and what
// was in it stands behind the heading, as what was cut. Pure.
import { type Block, isBlock, textOf } from "./types.ts";

export const OMITTED = "OMITTED";

/** Where what was in the scene of this heading stands; -1: it is not omitted. */
export function omittedBehind(script: readonly unknown[], heading: number): number {
  const node = script[heading];
  // Whoever wrote in the heading at that moment goes on behind the word.
  if (!isBlock(node) || node.type !== "scene_heading" || !textOf(node).toUpperCase().startsWith(OMITTED)) return -1;
  for (let at = heading + 1; ; at += 1) {
    const next = script[at];
    if (!isBlock(next) || (next.type !== "summary" && next.type !== "boneyard")) return -1;
    if (next.type === "boneyard") return at;
  }
}

/** What stays with the heading of a scene, whatever it says. */
export function headingAlone(heading: Block): Block {
  return { id: heading.id, type: heading.type, children: heading.children };
}
