// Random files and random documents for tests, the same for the same seed.
import { random } from "../generator.ts";
import { BLOCK_TYPES, type Block, type BlockType, type FormattedText, MARKS, type Script } from "../types.ts";

export interface Dice {
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  chance(share: number): boolean;
}

export function dice(seed: number): Dice {
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, pick: (from) => from[below(from.length)] as never, chance: (share) => next() < share };
}

const LINES = (
  "INT. HALL - DAY|ext. yard|.FORCED|est la vie|EST. SHORE|I/E CAR #7A#|INT. A #1# [[n]]|MARA|@McCLANE|McCLANE|KIT (v.o.)|" +
  "JUNO ^|SINGER|ONE^|~la la|~|(quietly)|(open|closed)|(a) b|CUT TO:|FADE IN:|> over there|>|> mid <|> ACT TWO <|# One|" +
  "### Three|#|= about|=|===|=====|==|!BANG|!|!!|!# no|  |   |\t| |[[note]]|[[two|lines]]|[[]]|[[ ]]|/* cut|*/|/* all */|" +
  "He *says* no.|**bold *both* b**|_under_|snake_case_|a_b_c|un**bel**x|*open|2 * 3|\\*lit\\*|C:\\dir\\|\\|[[strike]]x[[/strike]]|" +
  "BANG|CLOSE ON IT|    indented|trailing  |Title: T|Author: A|Éa ЖЯ 語|and/**or**|x[[in]]y|x/*in*/y|#5#|END #6#|a^|b <|c\\"
).split("|");
const SIGNS = "*_[]/\\#=~>!@.^() \tabAB19é\u00a0";

/** A file of lines that mean something, and of characters that mean nothing. */
export function randomSource({ below, pick, chance }: Dice): string {
  const noise = () => Array.from({ length: below(8) }, () => pick([...SIGNS])).join("");
  const lines = Array.from({ length: 1 + below(24) }, () => {
    if (chance(0.4)) return "";
    const line = chance(0.85) ? pick(LINES) : noise();
    return chance(0.15) ? line + pick(LINES) : line;
  });
  return lines.join(chance(0.1) ? "\r\n" : "\n");
}

/** The file with lines and characters taken out, doubled and exchanged. */
export function mutated(source: string, { below, pick }: Dice): string {
  const lines = source.split("\n");
  for (let turn = 1 + below(5); turn > 0; turn -= 1) {
    const at = below(lines.length);
    const line = lines[at] ?? "";
    const place = below(line.length + 1);
    const what = below(3);
    if (what === 0) lines.splice(at, 1);
    else if (what === 1) lines.splice(at, 0, pick(LINES));
    else lines[at] = line.slice(0, place) + pick([...SIGNS]) + line.slice(place + below(3));
  }
  return lines.join("\n");
}

const WORDS =
  "She waits. No INT. x *two* stars snake_case a_ [[ .]] /* # = ~sung > < ^ \\ (beat) !no @at CUT TO: MARA ÉA 語 …".split(
    " ",
  );

function leaves({ below, pick, chance }: Dice, breaks: boolean): FormattedText[] {
  const found: FormattedText[] = [];
  for (let left = 1 + below(4); left > 0; left -= 1) {
    const words = Array.from({ length: 1 + below(3) }, () => pick(WORDS));
    const text = words.join(breaks && chance(0.15) ? "\n" : " ");
    const marks = Object.fromEntries(MARKS.filter(() => chance(0.2)).map((mark) => [mark, true]));
    found.push({ text: left > 1 && chance(0.6) ? `${text} ` : text, ...marks });
  }
  return found;
}

const MANY_LINES: ReadonlySet<BlockType> = new Set(["action", "dialogue", "general", "lyrics", "summary"]);

export function randomScript(rolled: Dice): Script {
  const { below, pick, chance } = rolled;
  let ids = 0;
  return Array.from({ length: 1 + below(12) }, () => {
    const type = pick(BLOCK_TYPES);
    const block: Block = { id: `r${++ids}`, type, children: leaves(rolled, MANY_LINES.has(type)) };
    const plain = block.children
      .map(({ text }) => text)
      .join("")
      .trim();
    // What was cut is kept as it stands; notes have marks or lines.
    if (type === "boneyard") block.children = [{ text: plain }];
    if (type === "note" && chance(0.5)) block.children = [{ text: plain.replace(" ", pick(["\n", "\n\n"])) }];
    if (type === "scene_heading" && chance(0.3)) block.sceneNumber = pick(["1", "2A", "3-B"]);
    if (type === "scene_heading" && chance(0.2)) block.color = pick(["#ff0000", "#1234567890ab"]);
    if (type === "section" && chance(0.5)) block.depth = 2 + below(3);
    if (chance(0.1) && type !== "note" && type !== "boneyard" && type !== "section" && type !== "summary") {
      block.startsNewPage = true;
    }
    if (chance(0.1) && type !== "transition" && type !== "note" && type !== "boneyard")
      block.align = pick(["right", "full"]);
    return block;
  });
}
