// The text of a file: which bytes are characters, and which files are no text at all. Pure.
import { FormatError, type LeftOut } from "./named.ts";

const KINDS: readonly (readonly [string, readonly number[]])[] = [
  ["a PDF file. Its words can be copied and pasted", [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ["a ZIP archive or a Word, Pages or Fade In document. Save it as Fountain, FDX or text", [0x50, 0x4b, 0x03, 0x04]],
  ["a Word document. Save it as text", [0xd0, 0xcf, 0x11, 0xe0]],
  ["a picture", [0x89, 0x50, 0x4e, 0x47]],
  ["a picture", [0xff, 0xd8, 0xff]],
  ["a compressed file", [0x1f, 0x8b]],
];

/** Of characters that no text has, one in so many bytes makes a file binary. */
const MOST_CONTROLS = 1 / 50;

/** UTF-8, UTF-16 with or without a mark, what an XML file says of itself, or else Windows-1252. */
export function decodeText(bytes: Uint8Array): { text: string; leftOut: LeftOut[] } {
  const kind = KINDS.find(([, signs]) => signs.every((sign, at) => bytes[at] === sign));
  if (kind) throw new FormatError(`This is ${kind[0]}: it cannot be opened as a script.`);
  const wide = utf16(bytes);
  if (wide) return { text: new TextDecoder(wide).decode(bytes), leftOut: [] };
  if (isBinary(bytes)) throw new FormatError("This file is not text: it cannot be opened as a script.");
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), leftOut: [] };
  } catch {
    const label = declared(bytes) ?? "windows-1252";
    const reason = `the file is not UTF-8: it was read as ${label}; look at accents and quotation marks`;
    const text = label === "windows-1252" ? decode1252(bytes) : new TextDecoder(label).decode(bytes);
    return { text, leftOut: [{ line: 0, text: "", reason }] };
  }
}

function utf16(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  // Without the mark: every other byte of Latin letters is nothing.
  const length = Math.min(bytes.length & ~1, 4096);
  const zeros = [0, 0];
  for (let at = 0; at < length; at += 1) if (bytes[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (odd > length / 4 && even === 0) return "utf-16le";
  if (even > length / 4 && odd === 0) return "utf-16be";
  return null;
}

function isBinary(bytes: Uint8Array): boolean {
  let controls = 0;
  for (const byte of bytes) {
    if (byte === 0) return true;
    if (byte < 0x20 && (byte < 0x09 || byte > 0x0d) && byte !== 0x1a && byte !== 0x1b) controls += 1;
  }
  return controls > bytes.length * MOST_CONTROLS;
}

/** What Windows-1252 has from 0x80 on, where Latin-1 has control characters; some versions of Node take it for that. */
const FROM_80 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

function decode1252(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes)
    text += byte >= 0x80 && byte < 0xa0 ? FROM_80.charAt(byte - 0x80) : String.fromCharCode(byte);
  return text;
}

/** `<?xml … encoding="…"?>`, if it is one that can be read. */
function declared(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 200));
  const [, label] = /^<\?xml[^>]*\bencoding=["']([\w.:-]+)["']/.exec(start) ?? [];
  if (!label || /^utf-?8$/i.test(label)) return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}
