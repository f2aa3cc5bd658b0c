// Scripts as files: reading Fountain and FDX into a new script, saving the open one.
import type { Descendant } from "slate";
import { decodeText } from "../script/formats/decode.ts";
import { FormatError, fromFdx, toFdx } from "../script/formats/fdx.ts";
import { fromFountain, toFountain } from "../script/formats/fountain.ts";
import type { LeftOut, NamedScript } from "../script/formats/named.ts";
import { type RevisionSet, randomId, type Script, type TitlePage } from "../script/types.ts";

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

/** Of reasons, that a writer may want to read at once. */
const MOST_REASONS = 8;

/** What a file had that the script has not, for the writer. `null`: nothing. */
export function whatWasLeftOut(leftOut: readonly LeftOut[]): string | null {
  if (leftOut.length === 0) return null;
  const byReason = new Map<string, LeftOut[]>();
  for (const each of leftOut) {
    const like = byReason.get(each.reason);
    if (like) like.push(each);
    else byReason.set(each.reason, [each]);
  }
  const said = [...byReason].slice(0, MOST_REASONS).map(([reason, [first, ...more]]) => {
    const { line = 0, text = "" } = first ?? {};
    const what = text === "" ? "" : `“${text.length > 40 ? `${text.slice(0, 40)}…` : text}”: `;
    const again = more.length > 0 ? ` (and ${more.length} more like this)` : "";
    return `${line > 0 ? `line ${line}: ` : ""}${what}${reason}${again}`;
  });
  const rest = byReason.size - said.length;
  return `Some of this file is not as it was: ${said.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}.`;
}

export function saveFountain(title: string, script: readonly Descendant[], titlePage: TitlePage): void {
  save(`${title}.fountain`, toFountain(script as Script, title, titlePage), "text/plain");
}

export function saveFdx(
  title: string,
  script: readonly Descendant[],
  titlePage: TitlePage,
  revisions: readonly RevisionSet[],
): void {
  save(`${title}.fdx`, toFdx(script as Script, title, titlePage, revisions), "application/xml");
}

export function save(name: string, content: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name.replace(/[/\\:*?"<>|]/g, "-");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
