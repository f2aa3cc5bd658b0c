// What reading a file gives, and what is said of a file that cannot be read.
import type { Script } from "../types.ts";

/** Something of a file that is not in the script. */
export interface LeftOut {
  /** Counted from 1; 0: of the file as a whole. */
  line: number;
  text: string;
  /** For the writer, as the end of "left out: ". */
  reason: string;
}

export interface NamedScript {
  title: string | null;
  script: Script;
  leftOut: LeftOut[];
}

/** Thrown for a file that is no script; the message is for the writer. */
export class FormatError extends Error {
  override name = "FormatError";
}
