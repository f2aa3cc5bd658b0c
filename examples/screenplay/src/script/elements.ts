// The elements of a screenplay and how writing flows from one to the next. Pure tables.
import { BLOCK_TYPES, type BlockType } from "./types.ts";

interface ElementSpec {
  label: string;
  /** What an empty block of this type says, greyed out. */
  hint: string;
  /** Shown (not stored) in capitals. */
  capitals: boolean;
  /** What Enter at the end of the block begins. */
  next: BlockType;
  /** Characters per line, from which the length in pages is estimated. */
  measure: number;
  /** Blank lines above. */
  above: number;
  /** Whether it is on paper. What is not takes no lines of a page. */
  printed: boolean;
  /** The digit of its shortcut. Tab goes through those from 1 on, in this order; the others are in the menu only. */
  key?: number;
}

const element = (
  label: string,
  hint: string,
  next: BlockType,
  options: Partial<Pick<ElementSpec, "capitals" | "measure" | "above" | "key" | "printed">> = {},
): ElementSpec => ({ label, hint, next, capitals: false, measure: 60, above: 1, printed: true, ...options });

export const ELEMENTS: Record<BlockType, ElementSpec> = {
  scene_heading: element("Scene heading", "INT. SOMEWHERE - DAY", "action", { key: 1, capitals: true, above: 2 }),
  action: element("Action", "What we see and hear", "action", { key: 2 }),
  character: element("Character", "Who speaks", "dialogue", { key: 3, capitals: true, measure: 38 }),
  parenthetical: element("Parenthetical", "how they say it", "dialogue", { key: 4, measure: 25, above: 0 }),
  dialogue: element("Dialogue", "What they say", "character", { key: 5, measure: 35, above: 0 }),
  transition: element("Transition", "CUT TO:", "scene_heading", { key: 6, capitals: true, measure: 60 }),
  shot: element("Shot", "CLOSE ON …", "action", { key: 7, capitals: true }),
  general: element("General", "Anything else", "general", { key: 0 }),
  cast_list: element("Cast list", "Who is in it", "cast_list", { measure: 55 }),
  new_act: element("New act", "ACT ONE", "scene_heading", { capitals: true, above: 2 }),
  end_of_act: element("End of act", "END OF ACT ONE", "new_act", { capitals: true, above: 2 }),
  summary: element("Summary", "What this scene is about", "scene_heading", { printed: false }),
  lyrics: element("Lyrics", "What they sing", "lyrics", { measure: 35, above: 0 }),
  section: element("Section", "A part of the story", "scene_heading", { printed: false }),
  note: element("Note", "A note, which is not printed", "action", { printed: false }),
  boneyard: element("Cut", "What was cut, and is not printed", "action", { printed: false }),
};

/** Also of what another program has put into the script: it is shown as a general element. */
export const elementOf = (type: BlockType): ElementSpec => ELEMENTS[type] ?? ELEMENTS.general;

const withKeys = BLOCK_TYPES.filter((type) => ELEMENTS[type].key !== undefined);

export const TAB_ORDER: readonly BlockType[] = withKeys.filter((type) => ELEMENTS[type].key !== 0);

export function typeOfKey(digit: number): BlockType | undefined {
  return withKeys.find((type) => ELEMENTS[type].key === digit);
}

export function afterTab(type: BlockType, back: boolean): BlockType {
  const index = TAB_ORDER.indexOf(type);
  if (index < 0) return "action";
  const step = back ? TAB_ORDER.length - 1 : 1;
  return TAB_ORDER[(index + step) % TAB_ORDER.length] ?? "action";
}

const INSIDE_OR_OUT = /^(?:int\.?\/ext|ext\.?\/int|int|ext|i\.?\/e|e\.?\/i)(?:\.|\s)|^i\/e$/i;
/** Without its full stop, `est` is a word of French: only capitals make it a heading. */
const ESTABLISHING = /^[Ee][Ss][Tt]\.|^EST\s/;

/** Whether a line that begins like this is a scene heading: `int.`, `ext.`, `est.`, `i/e`, `int./ext.`. */
export function looksLikeHeading(text: string): boolean {
  const line = text.trimStart();
  return INSIDE_OR_OUT.test(line) || ESTABLISHING.test(line);
}

const TRANSITION = /^[^a-z]*\bTO:$|^FADE (?:IN:?|OUT[.:]?|TO BLACK[.:]?)$|^(?:SMASH|MATCH|JUMP) CUT[.:]$/;

/** Whether a whole line reads as a transition, `CUT TO:` and the like. */
export function looksLikeTransition(text: string): boolean {
  return TRANSITION.test(text.trim());
}

const SHOT = /^(?:CLOSE ON|ANGLE ON|INSERT|WIDE ON|BACK TO SCENE|POV)\b[^\p{Ll}]*$/u;

/** Whether a whole line reads as a shot, `CLOSE ON THE KEY` and the like. */
export function looksLikeShot(text: string): boolean {
  return SHOT.test(text.trim());
}
