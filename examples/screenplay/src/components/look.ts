// How a block looks besides what its type says.
import type { CSSProperties } from "react";
import type { Block } from "../script/types.ts";

/** @param number What stands in the margins of a scene heading. */
export function lookOf({ align, color }: Block, number?: string): CSSProperties | undefined {
  if (!align && !color && number === undefined) return undefined;
  const textAlign = align === "full" ? "justify" : align;
  // Of four digits for each colour, a page shows the first two.
  const short = color?.length === 13 ? color.replace(/([0-9a-f]{2})[0-9a-f]{2}/gi, "$1") : color;
  const inMargin = number !== undefined && { "--scene-number": JSON.stringify(number) };
  return { ...inMargin, ...(textAlign && { textAlign }), ...(short && { "--scene-color": short }) } as CSSProperties;
}
