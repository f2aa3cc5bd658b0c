// Scripts as files: reading Fountain and FDX into a new script, saving the open one.
import type { Descendant } from "slate";
import { decodeText } from "../script/formats/decode.ts";
import { FormatError, fromFdx, toFdx } from "../script/formats/fdx.ts";
import { fromFountain, toFountain } from "../script/formats/fountain.ts";
import type { LeftOut, NamedScript } from "../script/formats/named.ts";
import { randomId, type Script } from "../script/types.ts";

export const ACCEPTED = ".fountain,.fdx,.txt,.spmd";

/** Larger files are surely something else. */
const MOST_BYTES = 20_000_000;

export async function readScript(file: File): Promise<NamedScript> {
  if (file.size > MOST_BYTES) throw new FormatError("This file is too large to be a script.");
  const { text, leftOut } = decodeText(new Uint8Array(await file.arrayBuffer()));
  // Some are called .txt or .xml.
  const isFdx = /\.fdx$/i.test(file.name) || /^\s*(?:<\?xml[^>]*>\s*)?<FinalDraft\b/.test(text.replace(/^\ufeff/, ""));
  const read = isFdx ? fromFdx(text, randomId) : fromFountain(text, randomId);
  if (read.script.length === 0) throw new FormatError("There is no script in this file.");
  return { ...read, title: read.title ?? file.name.replace(/\.\w+$/, ""), leftOut: [...leftOut, ...read.leftOut] };
}

/** What a file had that the script has not, for the writer. `null`: nothing. */
export function whatWasLeftOut(leftOut: readonly LeftOut[]): string | null {
  if (leftOut.length === 0) return null;
  const MOST = 8;
  const all = leftOut.map(({ line, text, reason }) => {
    const what = text === "" ? "" : `“${text.length > 40 ? `${text.slice(0, 40)}…` : text}”: `;
    return `${line > 0 ? `line ${line}: ` : ""}${what}${reason}`;
  });
  const different = [...new Set(all)];
  const more = different.length - MOST;
  return `Some of this file is not as it was: ${different.slice(0, MOST).join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
}

export function saveFountain(title: string, script: readonly Descendant[]): void {
  save(`${title}.fountain`, toFountain(script as Script, title), "text/plain");
}

export function saveFdx(title: string, script: readonly Descendant[]): void {
  save(`${title}.fdx`, toFdx(script as Script, title), "application/xml");
}

export function save(name: string, content: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name.replace(/[/\\:*?"<>|]/g, "-");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
