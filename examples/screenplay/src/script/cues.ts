// Who speaks, and where somebody goes on speaking. Pure.
import { isBlock, isDual, printedText } from "./types.ts";

/** Who speaks, without (V.O.), (CONT’D) and the like. */
export function nameOf(cue: string): string {
  return cue.replace(/\s*\([^()]*\)/g, "").trim();
}

const SAYS_SO = /\(\s*cont/i;

/**
 * The ids of cues at which the same person goes on after action, within a scene: (CONT’D) is shown there. It is no part
 * of the text; a cue that says so itself (files may) is left as it is.
 */
export function continuedCues(script: readonly unknown[]): Set<string> {
  const continued = new Set<string>();
  let speaker: string | null = null;
  let interrupted = false;
  for (const node of script) {
    if (isDual(node)) speaker = null;
    if (!isBlock(node)) continue;
    const text = node.type === "character" || node.type in INTERRUPTS ? printedText(node) : "";
    if (node.type === "scene_heading" || node.type === "new_act" || node.type === "end_of_act") speaker = null;
    else if (node.type !== "character") interrupted ||= text.trim() !== "";
    else {
      const name = nameOf(text).toUpperCase();
      if (name === "") continue;
      if (name === speaker && interrupted && !SAYS_SO.test(text)) continued.add(node.id);
      speaker = name;
      interrupted = false;
    }
  }
  return continued;
}

const INTERRUPTS = { action: true, shot: true, general: true, transition: true, cast_list: true };
