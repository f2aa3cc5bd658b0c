// FDX, Final Draft's XML.
export { fromFdx } from "./fdx-read.ts";
export { toFdx } from "./fdx-write.ts";
export { FormatError } from "./named.ts";
