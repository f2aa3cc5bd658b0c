import { describe, expect, it } from "vitest";
import { nameOf } from "./cues.ts";
import { suggestionsFor } from "./suggest.ts";
import type { Block, BlockType } from "./types.ts";

let ids = 0;
const block = (type: BlockType, text = ""): Block => ({ id: `s${++ids}`, type, children: [{ text }] });

const before = [
  block("scene_heading", "INT. KITCHEN - DAY"),
  block("character", "MARA"),
  block("dialogue", "One."),
  block("character", "MAX"),
  block("dialogue", "Two."),
  block("character", "Max (V.O.)"),
  block("dialogue", "Three."),
  block("scene_heading", "ext. Kitchen garden - DUSK AGAIN"),
  block("character", "MATT (CONT’D)"),
  block("dialogue", "Four."),
  block("character", "MARA"),
  block("dialogue", "Five."),
];

const labels = (type: BlockType, typed: string, script = before) => {
  const line = block(type, typed);
  return suggestionsFor([...script, line], line, typed).map(({ label }) => label);
};
const lines = (type: BlockType, typed: string) => {
  const line = block(type, typed);
  return suggestionsFor([...before, line], line, typed).map((each) => each.line);
};

describe("at a cue", () => {
  it("offers those of this scene first, and who has just spoken last", () => {
    expect(labels("character", "m")).toEqual(["MATT", "MAX", "MARA"]);
    expect(labels("character", "Mar")).toEqual(["MARA"]);
  });

  it("offers nothing where nothing is typed, where it is there already, and elsewhere", () => {
    expect(labels("character", "")).toEqual([]);
    expect(labels("character", "mara")).toEqual([]);
    expect(labels("character", "Zed")).toEqual([]);
    expect(labels("dialogue", "Ma")).toEqual([]);
    expect(labels("action", "Ma")).toEqual([]);
  });

  it("offers everybody on an empty line to who asks", () => {
    const line = block("character");
    expect(suggestionsFor([...before, line], line, "", true).map((each) => each.label)).toEqual([
      "MATT",
      "MAX",
      "MARA",
    ]);
  });

  it("counts nobody twice for what stands in parentheses", () => {
    expect(nameOf("MARA (V.O.) (CONT’D)")).toBe("MARA");
    expect(labels("character", "max").length).toBe(0);
    expect(labels("character", "MA").filter((name) => name.toUpperCase() === "MAX")).toHaveLength(1);
  });

  it("goes on after the name with where they are", () => {
    expect(lines("character", "MARA (")).toEqual(["MARA (V.O.)", "MARA (O.S.)", "MARA (O.C.)"]);
    expect(lines("character", "MARA (o")).toEqual(["MARA (O.S.)", "MARA (O.C.)"]);
  });
});

describe("in a heading", () => {
  it("begins with inside and outside", () => {
    expect(lines("scene_heading", "i")).toEqual(["INT. ", "INT./EXT. "]);
    expect(lines("scene_heading", "EX")).toEqual(["EXT. "]);
  });

  it("goes on with places, those of the same side first", () => {
    expect(lines("scene_heading", "INT. k")).toEqual(["INT. KITCHEN", "INT. Kitchen garden"]);
    expect(lines("scene_heading", "ext. k")).toEqual(["ext. Kitchen garden", "ext. KITCHEN"]);
    expect(labels("scene_heading", "INT. ")).toEqual(["KITCHEN", "Kitchen garden"]);
  });

  it("ends with times: the script's and the usual ones", () => {
    const times = labels("scene_heading", "INT. HALL - ");
    expect(times[0]).toBe("DAY");
    expect(times).toContain("NIGHT");
    expect(lines("scene_heading", "INT. HALL - du")).toEqual(["INT. HALL - DUSK AGAIN", "INT. HALL - DUSK"]);
    expect(labels("scene_heading", "INT. HALL - DAY")).toEqual([]);
  });

  it("knows places with a dash in them", () => {
    const script = [block("scene_heading", "INT. TRAIN - DINING CAR - NIGHT")];
    expect(labels("scene_heading", "INT. TRAIN - d", script)).toEqual(["TRAIN - DINING CAR"]);
  });
});
