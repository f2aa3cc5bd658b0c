// The numbers of locked pages: 12, 12A, 12B … once what was written into page 12 runs over, and 12aA … before a 12A that
// is itself locked. Pure.

interface Label {
  number: number;
  /** Before the page with the same capitals. */
  small: string;
  capitals: string;
}

export function parsedLabel(label: string): Label | null {
  const [, digits, small = "", capitals = ""] = /^([1-9]\d{0,5})([a-z]{0,3})([A-Z]{0,3})$/.exec(label) ?? [];
  if (digits === undefined || (small !== "" && capitals === "")) return null;
  return { number: Number(digits), small, capitals };
}

/** A before B, Z before AA. */
const letterOrder = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** In which order two pages are; of labels that are none, nothing is said. */
export function labelOrder(one: string, other: string): number {
  const [a, b] = [parsedLabel(one), parsedLabel(other)];
  if (a === null || b === null) return 0;
  if (a.number !== b.number) return a.number - b.number;
  if (a.capitals !== b.capitals) return letterOrder(a.capitals, b.capitals);
  // 12aA comes before 12A.
  if (a.small === "" || b.small === "") return a.small === b.small ? 0 : a.small === "" ? 1 : -1;
  return letterOrder(a.small, b.small);
}

/** A, B … Z, AA … */
export function letters(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

const MOST_LETTERS = 26 + 26 * 26;

/** The number of a page between two, of which the next is locked (or there is none). */
export function labelBetween(last: string, next: string | undefined): string {
  const before = parsedLabel(last);
  const after = next === undefined ? null : parsedLabel(next);
  if (before === null) return `${last}A`;
  const fits = (label: string) => labelOrder(last, label) < 0 && (!next || !after || labelOrder(label, next) < 0);
  for (let n = 0; n < MOST_LETTERS; n += 1) {
    const label = `${before.number}${letters(n)}`;
    if (after?.number === before.number && letterOrder(letters(n), after.capitals) >= 0) break;
    if (fits(label)) return label;
  }
  for (let n = 0; after && n < MOST_LETTERS; n += 1) {
    const label = `${after.number}${letters(n).toLowerCase()}${after.capitals}`;
    if (fits(label)) return label;
  }
  return `${last}A`;
}
