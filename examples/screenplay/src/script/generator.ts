// Writes scripts of any size, the same one for the same seed. Pure: usable in tests and benchmarks as well as in the editor.
//
// Without options the script has the shape of a feature film: 148 scenes, about 3,300 blocks, 20,700 words,
// 115,000 characters of which 1 % are not ASCII, and some dual dialogue. Smaller and larger scripts keep these
// proportions: while writing, the generator compares what it has with what it should have and chooses accordingly.
import type { Block, BlockType, Column, DualDialogueBlock, FormattedText, Mark, Script } from "./types.ts";
import {
  ACTION,
  ACTION_CURLY,
  ADJECTIVES,
  EXTRAS,
  MANNER,
  NOUNS,
  PEOPLE,
  PLACES,
  SHOTS,
  SPEECH,
  SPEECH_CURLY,
  TIMES,
  TRANSITIONS,
  WHEN,
  WHERE,
} from "./words.ts";

export interface ScriptOptions {
  seed?: number;
  scenes?: number;
  /** What the ids begin with; a number follows. */
  idPrefix?: string;
}

const BLOCKS_PER_SCENE = 3300 / 148;
const WORDS_PER_BLOCK = 20_700 / 3300;
const NON_ASCII_SHARE = 0.01;
/** Every how many scenes two people speak at once. */
const SCENES_PER_DUAL = 6;

export function generateScript(options: ScriptOptions = {}): Script {
  const { seed = 1, scenes = 148, idPrefix = "b" } = options;
  const writer = new Writer(random(seed), idPrefix);
  writer.opening();
  for (let number = 1; number <= scenes; number += 1) writer.scene(number, scenes);
  return writer.script;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

class Writer {
  readonly script: Script = [];
  private blocks = 0;
  private words = 0;
  private characters = 0;
  private nonAscii = 0;
  private ids = 0;
  /** The people, the place and the object of the current scene. */
  private cast: string[] = [];
  private thing = "";
  /** What was said in this scene: nobody repeats it. */
  private said = new Set<string>();
  private turn = 0;

  constructor(
    private readonly next: () => number,
    private readonly idPrefix: string,
  ) {}

  opening(): void {
    this.add("transition", "FADE IN:");
  }

  scene(number: number, scenes: number): void {
    const place = this.pick(PLACES);
    this.thing = this.pick(place.things);
    this.said.clear();
    this.cast = this.people(this.chance(0.3) ? 3 : 2);
    if (this.chance(0.15)) this.cast.push(this.pick(EXTRAS));
    const start = place.inside ? (this.chance(0.06) ? "INT./EXT." : "INT.") : "EXT.";
    this.add("scene_heading", `${start} ${place.name} - ${this.pick(TIMES)}`);
    this.add("action", this.action(), this.chance(0.1) ? "italic" : undefined);
    const end = Math.round(number * BLOCKS_PER_SCENE);
    // Scenes vary between half and one and a half of the average, but the script as a whole stays on its course.
    const swing = number > scenes - 3 ? 0 : Math.round((this.next() - 0.5) * BLOCKS_PER_SCENE);
    const stop = Math.max(this.blocks + 4, end + swing);
    if (number % SCENES_PER_DUAL === 3) this.dual();
    while (this.blocks < stop) this.beat();
    if (this.chance(0.2)) this.add("transition", this.pick(TRANSITIONS));
  }

  private beat(): void {
    const dice = this.next();
    if (dice < 0.21) this.add("action", this.action());
    else if (dice < 0.215) this.add("shot", this.pick(SHOTS));
    else if (dice < 0.3) this.monologue();
    else this.exchange();
  }

  /** A few lines back and forth between two people. */
  private exchange(): void {
    const turns = 2 + Math.floor(this.next() * 3);
    for (let turn = 0; turn < turns; turn += 1) for (const block of this.speech(this.speaker())) this.push(block);
  }

  private monologue(): void {
    const name = this.speaker();
    this.add("character", name);
    this.add("dialogue", `${this.speak(name)} ${this.speak(name)} ${this.speak(name)}`);
  }

  private dual(): void {
    const side = (name: string): Column => ({ id: this.id(), type: "column", children: this.speech(name) });
    const id = this.id();
    const [first = "ONE", second = "OTHER"] = this.cast;
    const dual: DualDialogueBlock = { id, type: "dualDialogueBlock", children: [side(first), side(second)] };
    this.script.push(dual);
  }

  private speaker(): string {
    this.turn += 1;
    return this.cast[this.turn % this.cast.length] ?? "VOICE";
  }

  private speech(name: string): Block[] {
    const cue = this.chance(0.06) ? `${name} (O.S.)` : name;
    const blocks = [this.block("character", cue)];
    if (this.chance(0.13)) blocks.push(this.block("parenthetical", this.pick(MANNER)));
    blocks.push(
      this.block(
        "dialogue",
        this.line(() => this.speak(name), 2),
      ),
    );
    return blocks;
  }

  private action(): string {
    return this.line(() => this.sentence(this.short(0) ? ACTION_CURLY : ACTION, this.cast), 3);
  }

  private speak(speaker: string): string {
    const others = this.cast.filter((name) => name !== speaker);
    return this.sentence(this.short(0.5) ? SPEECH_CURLY : SPEECH, [speaker, ...others]);
  }

  /** Between one and `most` sentences, more where the script has become too terse. */
  private line(sentence: () => string, most: number): string {
    let line = sentence();
    const terse = this.words < this.blocks * WORDS_PER_BLOCK;
    for (let count = 1; count < most; count += 1) if (this.chance(terse ? 0.85 : 0.3)) line += ` ${sentence()}`;
    return line;
  }

  private sentence(lines: readonly string[], people: readonly string[]): string {
    let template = this.pick(lines);
    for (let tries = 0; this.said.has(template) && tries < 8; tries += 1) template = this.pick(lines);
    this.said.add(template);
    const name = (index: number) => capitalised(people[index] ?? "someone");
    const filled = template
      .replaceAll("{a}", name(0))
      .replaceAll("{b}", name(1))
      .replaceAll("{thing}", this.thing)
      .replaceAll("{adj}", this.pick(ADJECTIVES))
      .replaceAll("{noun}", this.pick(NOUNS))
      .replaceAll("{where}", this.pick(WHERE))
      .replaceAll("{when}", this.pick(WHEN))
      .replace(/\ban? (?=(\w))/g, (_, letter: string) => ("aeiou".includes(letter) ? "an " : "a "));
    return filled.charAt(0).toUpperCase() + filled.slice(1);
  }

  /** Whether there are too few characters beyond ASCII so far; leaves it to chance how soon that is put right. */
  private short(luck: number): boolean {
    return this.nonAscii < this.characters * NON_ASCII_SHARE && !this.chance(luck);
  }

  private add(type: BlockType, text: string, mark?: Mark): void {
    this.push(this.block(type, text, mark));
  }

  private push(block: Block): void {
    this.script.push(block);
  }

  private block(type: BlockType, text: string, mark?: Mark): Block {
    this.blocks += 1;
    this.words += text.split(" ").length;
    this.characters += text.length;
    for (const character of text) if (character > "\u007f") this.nonAscii += character.length;
    return { id: this.id(), type, children: this.leaves(type, text, mark) };
  }

  /** Now and then one word is stressed. */
  private leaves(type: BlockType, text: string, mark?: Mark): FormattedText[] {
    if (mark) return [{ text, [mark]: true }];
    const words = text.split(" ");
    if (words.length < 4 || (type !== "action" && type !== "dialogue") || !this.chance(0.05)) return [{ text }];
    const at = 1 + Math.floor(this.next() * (words.length - 2));
    const stress: Mark = type === "dialogue" ? this.pick(["italic", "underline"] as const) : "bold";
    const before = `${words.slice(0, at).join(" ")} `;
    const after = ` ${words.slice(at + 1).join(" ")}`;
    return [{ text: before }, { text: words[at] ?? "", [stress]: true }, { text: after }];
  }

  private people(count: number): string[] {
    const chosen: string[] = [];
    while (chosen.length < count) {
      const name = this.pick(PEOPLE);
      if (!chosen.includes(name)) chosen.push(name);
    }
    return chosen;
  }

  private id(): string {
    this.ids += 1;
    return `${this.idPrefix}${this.ids}`;
  }

  private chance(of: number): boolean {
    return this.next() < of;
  }

  private pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }
}

/** A cue as a name in running text: `OLD PETRA` → `Old Petra`. */
function capitalised(cue: string): string {
  return cue
    .toLowerCase()
    .replace(/(^|[\s.])(\p{L})/gu, (_, gap: string, letter: string) => gap + letter.toUpperCase());
}
