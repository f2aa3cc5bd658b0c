import { describe, expect, it } from "vitest";
import { createScriptEditor } from "./editor.ts";
import { generateScript } from "./generator.ts";
import { blocksOf, isDual, type Script, textOf } from "./types.ts";

function shape(script: Script) {
  const blocks = [...blocksOf(script)];
  const texts = blocks.map(textOf);
  const text = texts.join("");
  const count = (type: string) => blocks.filter((block) => block.type === type).length;
  return {
    scenes: count("scene_heading"),
    blocks: blocks.length,
    words: texts.reduce((sum, line) => sum + line.split(/\s+/).filter(Boolean).length, 0),
    characters: text.length,
    nonAscii:
      [...text].reduce((sum, character) => sum + (character > "\u007f" ? character.length : 0), 0) / text.length,
    dual: script.filter(isDual).length,
    astral: /[\u{10000}-\u{10ffff}]/u.test(text),
  };
}

describe("the script generator", () => {
  it("writes the shape of a feature", () => {
    const feature = shape(generateScript());
    expect(feature.scenes).toBe(148);
    expect(Math.abs(feature.blocks - 3300)).toBeLessThan(33);
    expect(Math.abs(feature.words - 20_700)).toBeLessThan(414);
    expect(Math.abs(feature.characters - 115_000)).toBeLessThan(3450);
    expect(feature.nonAscii).toBeGreaterThan(0.009);
    expect(feature.nonAscii).toBeLessThan(0.011);
    expect(feature.dual).toBeGreaterThan(10);
    expect(feature.astral).toBe(true);
  });

  it.each([1, 5, 30, 600])("keeps the proportions with %i scenes", (scenes) => {
    const { blocks, words } = shape(generateScript({ scenes, seed: 9 }));
    expect(blocks / scenes).toBeGreaterThan(15);
    expect(blocks / scenes).toBeLessThan(35);
    expect(words / blocks).toBeGreaterThan(4.5);
    expect(words / blocks).toBeLessThan(8);
  });

  it("writes the same for the same seed, something else for another", () => {
    expect(generateScript({ seed: 4 })).toEqual(generateScript({ seed: 4 }));
    expect(generateScript({ seed: 4 })).not.toEqual(generateScript({ seed: 5 }));
  });

  it("gives each element an id of its own", () => {
    const script = generateScript({ scenes: 40 });
    const ids = script.flatMap((node) =>
      isDual(node)
        ? [node.id, ...node.children.flatMap((column) => [column.id, ...column.children.map(({ id }) => id)])]
        : [node.id],
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is valid: normalizing changes nothing", () => {
    const editor = createScriptEditor(generateScript({ scenes: 20 }));
    const before = structuredClone(editor.children);
    editor.normalize({ force: true });
    expect(editor.children).toEqual(before);
    expect(editor.operations).toEqual([]);
  });
});
