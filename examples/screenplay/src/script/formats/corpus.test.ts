// @vitest-environment jsdom
// Each script of the corpus is kept: its text, its elements, and all of it when it is written and read again.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { countCorpus, type Expected, filesOf } from "../../../corpus/count.ts";
import { decodeText } from "./decode.ts";
import { fromFdx, toFdx } from "./fdx.ts";
import { fromFountain, toFountain } from "./fountain.ts";

const corpus = join(dirname(fileURLToPath(import.meta.url)), "../../../corpus");
const expected = JSON.parse(readFileSync(join(corpus, "fixtures/expected.json"), "utf8")) as Expected;
const text = (bytes: Uint8Array) => decodeText(bytes).text;
const results = countCorpus(corpus, { text, fromFountain, toFountain, fromFdx, toFdx }, expected);

/** Empty lines, and marks on spaces at the ends of words: Fountain has no place for them. */
const NOT_IN_FOUNTAIN = ["made/empty-lines.fdx", "made/styles-spaces.fdx"];

describe("the corpus", () => {
  it("has its files", () => {
    expect(filesOf(corpus)).toEqual(Object.keys(expected).sort());
    expect(filesOf(join(corpus, "made")).length).toBeGreaterThanOrEqual(60);
  });

  it("has each element at least twice in either format", () => {
    for (const format of [".fountain", ".fdx"]) {
      const elements = filesOf(corpus)
        .filter((file) => file.endsWith(format))
        .flatMap((file) => expected[file] ?? []);
      const found = new Map<string, number>();
      for (const element of elements) {
        for (const word of element.split(" ")) {
          const name = word.replace(/=.*/, "");
          found.set(name, (found.get(name) ?? 0) + 1);
        }
      }
      const types = "scene_heading action character parenthetical dialogue transition shot general cast_list new_act";
      const rest = "end_of_act summary lyrics section note boneyard L R sceneNumber color align startsNewPage depth";
      for (const name of `${types} ${rest}`.split(" ")) {
        expect.soft(found.get(name) ?? 0, `${name} in ${format}`).toBeGreaterThanOrEqual(2);
      }
    }
  });

  it.each(results)("$file", (result) => {
    const { file, error: _, ...kept } = result;
    const other = !NOT_IN_FOUNTAIN.includes(file);
    expect(kept).toEqual({ opened: true, text: true, elements: true, same: true, other });
  });
});
