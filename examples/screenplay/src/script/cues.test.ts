import { describe, expect, it } from "vitest";
import { continuedCues } from "./cues.ts";
import type { Block, BlockType, ScriptNode } from "./types.ts";

/** `type: text` lines; the id of a block is its line's number. */
const script = (...lines: string[]): Block[] =>
  lines.map((line, index) => {
    const [type = "", text = ""] = line.split(/: ?(.*)/);
    return { id: String(index), type: type as BlockType, children: [{ text }] };
  });
const continued = (...lines: string[]) => [...continuedCues(script(...lines))];

describe("(CONT’D)", () => {
  const speech = (name: string) => [`character: ${name}`, "dialogue: Words."];

  it("is where the same person goes on after action", () => {
    expect(continued(...speech("MARA"), "action: Pause.", ...speech("Mara (V.O.)"))).toEqual(["3"]);
    expect(continued(...speech("MARA"), "shot: CLOSE ON", ...speech("MARA"), "action: x", ...speech("MARA"))).toEqual([
      "3",
      "6",
    ]);
  });

  it.each([
    ["somebody else speaks", [...speech("MARA"), "action: x", ...speech("KIT"), ...speech("MARA")]],
    ["nothing comes between", [...speech("MARA"), ...speech("MARA")]],
    ["only what is not printed comes between", [...speech("MARA"), "note: x", "action: ", ...speech("MARA")]],
    ["another scene begins", [...speech("MARA"), "action: x", "scene_heading: INT. HALL", ...speech("MARA")]],
    ["the cue says so itself", [...speech("MARA"), "action: x", ...speech("MARA (CONT'D)")]],
    ["the cue is empty", ["character: ", "action: x", "character: "]],
  ])("is not where %s", (_, lines) => {
    expect(continued(...lines)).toEqual([]);
  });

  it("is not behind dual dialogue, where it would not be clear of whom", () => {
    const [a, b, c, d] = script(...speech("MARA"), "action: x", ...speech("MARA"));
    const dual = { id: "d", type: "dualDialogueBlock", children: [] } as ScriptNode;
    expect([...continuedCues([a, b, dual, c, d])]).toEqual([]);
  });
});
