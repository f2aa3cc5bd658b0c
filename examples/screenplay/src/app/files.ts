// Scripts as files: reading Fountain and FDX into a new script, saving the open one.
import type { Descendant } from "slate";
import { FormatError, fromFdx, toFdx } from "../script/formats/fdx.ts";
import { fromFountain, type NamedScript, toFountain } from "../script/formats/fountain.ts";
import { randomId, type Script } from "../script/types.ts";

export const ACCEPTED = ".fountain,.fdx,.txt,.spmd";

/** Larger files are surely something else. */
const MOST_BYTES = 20_000_000;

export async function readScript(file: File): Promise<NamedScript> {
  if (file.size > MOST_BYTES) throw new FormatError("This file is too large to be a script.");
  const source = await file.text();
  const read = /\.fdx$/i.test(file.name) ? fromFdx(source, randomId) : fromFountain(source, randomId);
  if (read.script.length === 0) throw new FormatError("There is no script in this file.");
  return { title: read.title ?? file.name.replace(/\.\w+$/, ""), script: read.script };
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
