// A colour and a name for each person, whatever they send of themselves: peers may be anybody. A colour is their own if
// it is one, else one of a palette, the same everywhere and always. Pure, except that named colours are looked up where
// there is a browser to ask.

/** Seen on white and on near-black pages alike (contrast 3 or more). */
export const PALETTE: readonly string[] = [
  "#d9480f",
  "#b7791f",
  "#6b8e23",
  "#2f9e44",
  "#0c8599",
  "#1c7ed6",
  "#4c6ef5",
  "#7950f2",
  "#ae3ec9",
  "#d6336c",
  "#e03131",
  "#868e96",
];

/** A person's colour, and that of text upon it. */
export interface PersonColor {
  readonly color: string;
  readonly textColor: string;
}

const known = new Map<string, PersonColor>();

/**
 * A colour that can be seen on light and on dark pages (contrast 3 or more): their own is made lighter or darker where it
 * cannot. It is written anew, so that nothing else that CSS takes (`url(…)`, `var(…)`) gets into a page.
 *
 * @param presence What the person shows of themselves: `color` if it is one, else chosen by `id`, else by `name`.
 * @param fallback Tells people apart who show nothing.
 * @example
 * const { color, textColor } = colorOf(peer.presence, peer.clientId);
 */
export function colorOf(presence: unknown, fallback: number): PersonColor {
  const { color, id, name } = (typeof presence === "object" && presence !== null ? presence : {}) as Record<
    string,
    unknown
  >;
  const own = typeof color === "string" ? color : "";
  const identity = [id, name].find((each) => typeof each === "string" && each !== "") ?? String(fallback);
  const key = `${own}\n${String(identity)}`;
  let found = known.get(key);
  if (found === undefined) {
    const rgb = own === "" ? null : parseColor(own);
    const chosen = PALETTE[hash(String(identity)) % PALETTE.length]!;
    found = withText(visible(rgb ?? parseColor(chosen)!));
    if (known.size > 1_000) known.clear();
    known.set(key, found);
  }
  return found;
}

type Rgb = readonly [number, number, number];

function withText(rgb: Rgb): PersonColor {
  const luminance = relativeLuminance(rgb);
  const color = `#${rgb.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
  return { color, textColor: contrast(luminance, 1) >= 4.5 ? "#fff" : "#000" };
}

/** Contrast 3 with a page as dark as #1d1f23, and with a white one. */
const DARKEST = 0.142;
const LIGHTEST = 0.299;

/** The same colour, mixed with as little white or black as it takes. */
function visible(rgb: Rgb): Rgb {
  const luminance = relativeLuminance(rgb);
  if (luminance >= DARKEST && luminance <= LIGHTEST) return rgb;
  const end = luminance < DARKEST ? 255 : 0;
  const mixed = (part: number) => rgb.map((channel) => Math.round(channel + (end - channel) * part)) as unknown as Rgb;
  for (let percent = 1; percent < 100; percent++) {
    const mix = mixed(percent / 100);
    const now = relativeLuminance(mix);
    if (end === 255 ? now >= DARKEST : now <= LIGHTEST) return mix;
  }
  return mixed(0.5);
}

/** WCAG 2 contrast of two luminances, 1 to 21. */
export function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** WCAG 2 relative luminance, 0 to 1. */
export function relativeLuminance([r, g, b]: Rgb): number {
  const linear = (channel: number) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** `#rgb`, `#rrggbb`, `rgb()`, `hsl()`; in a browser also names and the rest of CSS. `null`: not a colour. */
export function parseColor(color: string): Rgb | null {
  return hex(color) ?? functional(color) ?? named(color);
}

function hex(color: string): Rgb | null {
  const match = /^#([0-9a-f]{3,8})$/i.exec(color.trim());
  if (match === null) return null;
  const digits = match[1]!;
  if (digits.length === 5 || digits.length === 7) return null;
  const size = digits.length <= 4 ? 1 : 2;
  const channel = (index: number) => {
    const part = digits.slice(index * size, index * size + size);
    return Number.parseInt(size === 1 ? part + part : part, 16);
  };
  return [channel(0), channel(1), channel(2)];
}

function functional(color: string): Rgb | null {
  const match =
    /^(rgb|hsl)a?\(\s*(-?[\d.]+)(?:deg)?[\s,]+([\d.]+)(%?)[\s,]+([\d.]+)(%?)(?:[\s,/]+[\d.]+%?)?\s*\)$/i.exec(
      color.trim(),
    );
  if (match === null) return null;
  const [first, second, third] = [Number(match[2]), Number(match[3]), Number(match[5])];
  if (![first, second, third].every(Number.isFinite)) return null;
  const byte = (value: number) => Math.round(Math.min(255, Math.max(0, value)));
  if (match[1]!.toLowerCase() === "rgb") return [byte(first), byte(second), byte(third)];
  const [s, l] = [Math.min(second, 100) / 100, Math.min(third, 100) / 100];
  const channel = (n: number) => {
    const k = (((n + first / 30) % 12) + 12) % 12;
    return byte(255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

function named(color: string): Rgb | null {
  if (typeof OffscreenCanvas === "undefined") return null;
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  if (context === null) return null;
  // What is no colour leaves the style as it was, so two different ones are tried.
  const styles = ["#000", "#fff"].map((initial) => {
    context.fillStyle = initial;
    context.fillStyle = color;
    return String(context.fillStyle);
  });
  return styles[0] === styles[1] ? (hex(styles[0]!) ?? functional(styles[0]!)) : null;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** More letters than this are no name. */
const LONGEST_NAME = 60;

/**
 * What to call somebody, who may have given no name, or something else than one.
 *
 * @example
 * <li>{nameOf(peer.presence)}</li>
 */
export function nameOf(presence: unknown): string {
  const name = typeof presence === "object" && presence !== null ? (presence as { name?: unknown }).name : undefined;
  // Neither lines, nor what turns the direction of the text around it.
  const plain =
    typeof name === "string" ? name.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ").trim() : "";
  if (plain === "") return "Anonymous";
  const letters = [...plain.slice(0, 4 * LONGEST_NAME)];
  return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME - 1).join("")}…` : letters.join("");
}

/**
 * Two letters at most, of the first and the last word.
 *
 * @example
 * initialsOf("Ada King Lovelace") // "AL"
 */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u);
  const letters = words.length > 1 ? [words[0]!, words[words.length - 1]!] : [words[0] ?? ""];
  return letters.map((word) => [...word][0]?.toUpperCase() ?? "").join("");
}
