// "Save as PDF": the sheets of the script, in the font of the page.

import italic from "@fontsource/courier-prime/files/courier-prime-latin-400-italic.woff?url";
import regular from "@fontsource/courier-prime/files/courier-prime-latin-400-normal.woff?url";
import boldItalic from "@fontsource/courier-prime/files/courier-prime-latin-700-italic.woff?url";
import bold from "@fontsource/courier-prime/files/courier-prime-latin-700-normal.woff?url";
import italicExt from "@fontsource/courier-prime/files/courier-prime-latin-ext-400-italic.woff?url";
import regularExt from "@fontsource/courier-prime/files/courier-prime-latin-ext-400-normal.woff?url";
import boldItalicExt from "@fontsource/courier-prime/files/courier-prime-latin-ext-700-italic.woff?url";
import boldExt from "@fontsource/courier-prime/files/courier-prime-latin-ext-700-normal.woff?url";
import type { Descendant } from "slate";
import type { FontFiles } from "../script/pdf.ts";
import { sheetsOf } from "../script/sheets.ts";
import type { RevisionSet, Script, TitlePage } from "../script/types.ts";
import { save } from "./files.ts";
import { paperOptions } from "./remembered.ts";

const FONTS = {
  regular: [regular, regularExt],
  bold: [bold, boldExt],
  italic: [italic, italicExt],
  boldItalic: [boldItalic, boldItalicExt],
} as const satisfies Record<keyof FontFiles, readonly string[]>;

/** Returns what is to be said about it: letters that no font has. */
export async function savePdf(
  title: string,
  script: readonly Descendant[],
  titlePage: TitlePage,
  revisions: readonly RevisionSet[],
): Promise<string | null> {
  const { pdfOf } = await import("../script/pdf.ts");
  const fonts = Object.fromEntries(
    await Promise.all(
      Object.entries(FONTS).map(async ([style, urls]) => [style, await Promise.all(urls.map(bytesOf))]),
    ),
  ) as FontFiles;
  const sheets = sheetsOf(script as Script, titlePage, { ...paperOptions(), revisions });
  const { bytes, missing } = await pdfOf(title, sheets, fonts);
  save(`${title}.pdf`, bytes, "application/pdf");
  if (missing.length === 0) return null;
  const some = missing.slice(0, 10).join(" ");
  return `The font of the PDF has no ${some}${missing.length > 10 ? " …" : ""}: left out. Print… has them.`;
}

async function bytesOf(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`a font cannot be loaded (${response.status})`);
  return response.arrayBuffer();
}
