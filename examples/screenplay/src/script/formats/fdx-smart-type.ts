// The lists from which Final Draft completes what is typed: who speaks, where scenes play, and how.
import { type Block, blocksOf, printedText, type ScriptNode } from "../types.ts";
import { escaped } from "./fdx-elements.ts";

export function smartType(script: readonly ScriptNode[]): string[] {
  const lists = {
    Characters: new Set<string>(),
    Extensions: new Set(["(V.O.)", "(O.S.)", "(CONT'D)"]),
    SceneIntros: new Set(["INT", "EXT", "I/E"]),
    Locations: new Set<string>(),
    TimesOfDay: new Set(["DAY", "NIGHT"]),
    Transitions: new Set(["CUT TO:"]),
  };
  for (const block of blocksOf(script)) {
    const text = textOf(block);
    if (text === "") continue;
    if (block.type === "transition") lists.Transitions.add(text);
    if (block.type === "character") {
      const [, name = "", extension = ""] = /^(.*?)\s*((?:\([^()]*\)\s*)*)$/.exec(text) ?? [];
      if (name !== "") lists.Characters.add(name);
      for (const [found] of extension.matchAll(/\([^()]*\)/g)) lists.Extensions.add(found);
    }
    if (block.type === "scene_heading") {
      const [, intro, place = ""] = /^(INT\.?\/EXT|EXT\.?\/INT|INT|EXT|EST|I\/E)[. ]\s*(.*)$/.exec(text) ?? [];
      const [, location = "", time] = /^(.*?)(?:\s+[-–—]\s+([^-–—]*))?$/.exec(place) ?? [];
      if (intro) lists.SceneIntros.add(intro);
      if (location !== "") lists.Locations.add(location);
      if (time) lists.TimesOfDay.add(time);
    }
  }
  const one: Record<keyof typeof lists, string> = {
    Characters: "Character",
    Extensions: "Extension",
    SceneIntros: "SceneIntro",
    Locations: "Location",
    TimesOfDay: "TimeOfDay",
    Transitions: "Transition",
  };
  const attributes: Partial<Record<keyof typeof lists, string>> = {
    SceneIntros: ' Separator=". "',
    TimesOfDay: ' Separator=" - "',
  };
  const names = Object.keys(lists) as (keyof typeof lists)[];
  const written = names.flatMap((name) => [
    `  <${name}${attributes[name] ?? ""}>`,
    ...[...lists[name]].map((entry) => `    <${one[name]}>${escaped(entry)}</${one[name]}>`),
    `  </${name}>`,
  ]);
  return ["<SmartType>", ...written, "</SmartType>"];
}

const textOf = (block: Block): string => printedText(block).replaceAll(/\s+/g, " ").trim().toUpperCase();
