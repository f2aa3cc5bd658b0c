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

/** Empty lines, revisions, and marks on spaces at the ends of words: Fountain has no place for them. */
const NOT_IN_FOUNTAIN = [
  "made/empty-lines.fdx",
  "made/revisions.fdx",
  "made/styles-other.fdx",
  "made/styles-spaces.fdx",
];

const F = ".fountain";
const X = ".fdx";
const CONSTRUCTS: Record<string, [ending: string, pattern: RegExp]> = {
  "int. and ext.": [F, /^(?:INT|EXT)\. /gm],
  "est.": [F, /^EST\. |^est /gm],
  "int./ext., ext/int., i/e": [F, /^(?:INT\.?\/EXT|EXT\/INT|I\/E)/gm],
  "a heading in small letters": [F, /^(?:int|ext)\b.* - /gim],
  "a forced heading": [F, /^\.[^.\s]/gm],
  "an ellipsis at the start": [F, /^\.\.\./gm],
  "a scene number": [F, /#[\w.-]+#$/gm],
  "a note after a scene number": [F, /#[\w.-]+# (?:\[\[|\/\*)/g],
  "forced action": [F, /^!\S/gm],
  "action with spaces in front": [F, /^(?: {4}|\t)\S/gm],
  "a cue with an extension": [F, /^[A-Z]+ \(.+\)$/gm],
  "an extension in small letters": [F, /^[A-Z]+ \([a-z ]+\)$|^@van/gm],
  "a forced cue": [F, /^@\S/gm],
  "dual dialogue": [F, /\^$/gm],
  "a parenthetical": [F, /^\(.*\)$/gm],
  "an empty line in a speech": [F, /\S\r?\n {2}\r?\n/g],
  "a lyric": [F, /^~\S/gm],
  "a transition": [F, /^[A-Z ]+TO:$/gm],
  "a forced transition": [F, /^>[^<\n]+$/gm],
  "centred text": [F, /^>.*<$/gm],
  "italic, bold, both, underlined": [F, /(?<!\*)\*\w+\*(?!\*)|\*\*\w+\*\*|\*\*\*|_\w+_/g],
  "marks in marks": [F, /\*\*\w+ \*|_\*+/g],
  "an escape": [F, /\\[*_]/g],
  "an underscore in a word": [F, /\w_\w/g],
  "a title page with several lines": [F, /^\w+: ?\r?\n(?:\t| {3,})\S/gm],
  "a page break": [F, /^={3,}$/gm],
  "a section, and one below": [F, /^#+ ?\w/gm],
  "a deeper section": [F, /^##+ ?\w/gm],
  "a synopsis": [F, /^= ?\w/gm],
  "a note": [F, /\[\[[^\]]+\]\]/g],
  "a note over several lines": [F, /\[\[[^\]\n]+\n[^\]]+\]\]/g],
  "what was cut": [F, /\/\*[\s\S]*?\*\//g],
  "a cut over several lines": [F, /\/\*[^*]*\n[\s\S]*?\*\//g],
  Style: [X, /Style="[^"]+"/g],
  Strikeout: [X, /Strikeout/g],
  Alignment: [X, /<Paragraph Alignment="(?:Center|Right|Full)" Type/g],
  StartsNewPage: [X, /StartsNewPage="Yes"/g],
  DualDialogue: [X, /<DualDialogue>/g],
  Number: [X, / Number="/g],
  "SceneProperties Color": [X, /<SceneProperties[^>]*Color="/g],
  Summary: [X, /<Summary>/g],
  ScriptNote: [X, /<ScriptNote /g],
  ScriptNotes: [X, /<ScriptNotes>|<ScriptNote ID="2">/g],
  OmittedScene: [X, /<OmittedScene>/g],
  TitlePage: [X, /<TitlePage>/g],
  RevisionID: [X, /RevisionID="[1-9]"|Revisions/g],
};

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

  it.each(Object.entries(CONSTRUCTS))(
    "has each construct of the formats at least twice: %s",
    (_, [ending, pattern]) => {
      const files = filesOf(corpus).filter((file) => file.endsWith(ending));
      const found = files.flatMap((file) => text(readFileSync(join(corpus, file))).match(pattern) ?? []);
      expect(found.length).toBeGreaterThanOrEqual(2);
    },
  );

  it.each(results)("$file", (result) => {
    const { file, error: _, ...kept } = result;
    const other = !NOT_IN_FOUNTAIN.includes(file);
    expect(kept).toEqual({ opened: true, text: true, elements: true, same: true, other });
  });
});
