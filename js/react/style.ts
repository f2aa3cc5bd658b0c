// What the components share in looks.
import type { CSSProperties } from "react";

/** Read out, not shown. */
export const HIDDEN: CSSProperties = {
  position: "absolute",
  width: 1,
  height: 1,
  margin: -1,
  overflow: "hidden",
  clipPath: "inset(50%)",
  whiteSpace: "nowrap",
};

/** Class names that are there, in one attribute. */
export const classes = (...names: (string | undefined)[]): string => names.filter(Boolean).join(" ");
