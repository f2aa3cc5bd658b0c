// @vitest-environment jsdom
// What holds for any file and any script. `SEEDS=2000 npx vitest run …` tries more of them; `SEED=17` one.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bare, filesOf } from "../../../corpus/count.ts";
import { type Block, blocksOf, type Script } from "../types.ts";
import { decodeText } from "./decode.ts";
import { readEmphasis, tidied, writeEmphasis } from "./emphasis.ts";
import { fromFdx, toFdx } from "./fdx.ts";
import { fountainLines, fromFountain, toFountain } from "./fountain.ts";
import type { NamedScript } from "./named.ts";
import { type Dice, dice, mutated, randomScript, randomSource } from "./random-scripts.ts";

const { SEED, SEEDS } = process.env;
/** ms */
const PATIENCE = 30 * 60_000;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 60) }, (_, index) => index + 1);
const corpus = join(dirname(fileURLToPath(import.meta.url)), "../../../corpus");
const sources = filesOf(corpus)
  .filter((file) => file.endsWith(".fountain"))
  .map((file) => decodeText(readFileSync(join(corpus, file))).text);

let ids = 0;
const newId = () => `p${++ids}`;

/** What is neither a sign of Fountain nor a space, in one order. */
const counted = (text: string) =>
  [...text.matchAll(/[^\s!@.>~#=^*_\\<()[\]/-]/gu)]
    .map(([character]) => character)
    .sort()
    .join("");

function everything({ script, leftOut }: NamedScript): string {
  let text = leftOut.map((each) => each.text).join("");
  for (const block of blocksOf(script)) {
    if (Array.isArray(block.titlePage)) text += block.titlePage.map(([name, words]) => `${name}:${words}`).join("");
    text += block.children.map((leaf) => leaf.text).join("") + (block.sceneNumber ?? "");
  }
  return text;
}

/** Strikes and what tells a type are signs as well. */
const withoutSigns = (source: string) =>
  source.replaceAll(/\[\[\/?strike\]\]| \[\[(?:element|align|color|number|depth): (?!nothing)[^\s\]]+\]\]/g, "");

const contentOf = (fdx: string) => fdx.slice(0, fdx.indexOf("</Content>"));

function check(source: string, seed: number): void {
  const about = `seed ${seed}: ${JSON.stringify(source)}`;
  const read = fromFountain(source, newId);
  expect(
    read.leftOut.filter(({ reason }) => /plain text/.test(reason)),
    about,
  ).toEqual([]);
  expect(counted(withoutSigns(everything(read))), about).toBe(counted(withoutSigns(source)));
  // Nothing is kept between two calls.
  expect(bare(fromFountain(source, newId).script), about).toEqual(bare(read.script));
  const fountain = toFountain(read.script);
  expect(bare(fromFountain(fountain, newId).script), `${about}\n${fountain}`).toEqual(bare(read.script));
  const fdx = toFdx(read.script);
  expect(bare(fromFdx(fdx, newId).script), `${about}\n${contentOf(fdx)}`).toEqual(bare(read.script));
}

describe("any file", () => {
  it("random lines are in the script, and written as they were read", () => {
    for (const seed of seeds) check(randomSource(dice(seed)), seed);
  });

  it(
    "and so are files of the corpus with errors in them",
    () => {
      for (const seed of seeds) {
        const rolled = dice(seed);
        check(mutated(rolled.pick(sources), rolled), seed);
      }
    },
    PATIENCE,
  );

  it(
    "pasted, each of its lines is there",
    () => {
      for (const seed of seeds) {
        const source = randomSource(dice(seed));
        const script = fountainLines(source, newId);
        const read = everything({ title: null, script, leftOut: [] }).replaceAll("^", "");
        expect(counted(withoutSigns(read)), `seed ${seed}: ${source}`).toBe(counted(withoutSigns(source)));
      }
    },
    PATIENCE,
  );
});

/** What is no text of the script: these are made anew. */
const SETTINGS = "ElementSettings, ElementSettings *, SmartType, SmartType *";
const XML = "FinalDraft, FinalDraft *, Unknown";

/** Puts words where Final Draft may have some, and where it never has. */
function withWords(fdx: string, { below, pick }: Dice): { source: string; words: string[] } {
  const xml = new DOMParser().parseFromString(fdx, "application/xml");
  const words: string[] = [];
  for (let n = 0; n < 12; n += 1) {
    const places = [...xml.querySelectorAll(XML)].filter((element) => !element.matches(SETTINGS));
    const place = pick(places);
    const word = `word${n}x`;
    let inside: Node = xml.createTextNode(word);
    for (const name of pick(INSIDE)) {
      const element = xml.createElement(name);
      element.append(inside);
      inside = element;
    }
    place.insertBefore(inside, place.childNodes.item(below(place.childNodes.length + 1)));
    words.push(word);
  }
  return { source: new XMLSerializer().serializeToString(xml), words };
}

const INSIDE = [[], ["Text"], ["Text", "Paragraph"], ["Paragraph"], ["Unknown"], ["Text", "Paragraph", "DualDialogue"]];

describe("any FDX file", () => {
  const files = filesOf(corpus)
    .filter((file) => file.endsWith(".fdx"))
    .map((file) => decodeText(readFileSync(join(corpus, file))).text)
    .filter((source) => !new DOMParser().parseFromString(source, "application/xml").querySelector("parsererror"));

  it(
    "loses no word, wherever it stands",
    () => {
      // Each has words in a dozen places.
      for (const seed of seeds.slice(0, Math.ceil(seeds.length / 4))) {
        const rolled = dice(seed);
        const made = () => toFdx(randomScript(rolled), "T", [["Title", "T"]]);
        const { source, words } = withWords(rolled.chance(0.5) ? rolled.pick(files) : made(), rolled);
        const read = fromFdx(source, newId);
        const found = everything(read);
        expect(
          words.filter((word) => !found.includes(word)),
          `seed ${seed}: ${source}`,
        ).toEqual([]);
        // And is not said twice to be left out.
        const left = read.leftOut.map(({ text }) => text);
        expect(words.filter((word) => left.filter((text) => text === word).length > 1)).toEqual([]);
      }
    },
    PATIENCE,
  );
});

/** With text as it is after reading. What was cut is kept as it stands. */
function withText(script: Script, text: (leaves: Block["children"]) => Block["children"]): Script {
  return script.map((node) => {
    const block = node as Block;
    if (block.type === "boneyard") return block;
    const children = text(block.children);
    // A general line that is one note is one of an earlier version, and becomes a note; one that stands before a
    // heading comes behind it.
    const read = block.type === "general" || block.type === "scene_heading";
    const type = read && children.some((leaf) => leaf.aside) ? "action" : block.type;
    if (type === block.type) return { ...block, children };
    const { color: _, sceneNumber: __, ...rest } = block;
    return { ...rest, type, children };
  });
}

/** As Fountain can have it: no spaces at the ends of what is marked. */
const settled = (leaves: Block["children"]) => readEmphasis(writeEmphasis(leaves));

describe("any script", () => {
  it(
    "is the same after FDX",
    () => {
      for (const seed of seeds) {
        const script = withText(randomScript(dice(seed)), tidied);
        const fdx = toFdx(script);
        expect(bare(fromFdx(fdx, newId).script), `seed ${seed}\n${contentOf(fdx)}`).toEqual(bare(script));
      }
    },
    PATIENCE,
  );

  it(
    "is the same after Fountain",
    () => {
      for (const seed of seeds) {
        const script = withText(randomScript(dice(seed)), (leaves) => settled(settled(leaves)));
        const fountain = toFountain(script);
        expect(bare(fromFountain(fountain, newId).script), `seed ${seed}\n${fountain}`).toEqual(bare(script));
      }
    },
    PATIENCE,
  );
});
