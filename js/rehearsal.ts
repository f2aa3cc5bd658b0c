// While a page waits for its first document, the engine opens others, for nobody: a browser compiles what is called for the
// first time, and makes faster what is called often, which takes longer than to read the document.
import { rehearse } from "../pkg/slate_yrs.js";
import { isTrap, trapped } from "./recovery.js";

/** Blocks of each: at first nothing is compiled. */
const SIZES = [2, 50, 200, 200];
/** One after the other: which of them the document is of is not known yet. */
const FORMATS = [0, 1];

/** Begins when there is time, and ends when nobody `waits` any more. */
export function rehearseWhile(waits: () => boolean): void {
  const rehearsals = SIZES.flatMap((blocks) => FORMATS.map((format) => ({ format, blocks })));
  const next = () => {
    const rehearsal = rehearsals.shift();
    if (rehearsal === undefined || !waits()) return;
    try {
      rehearse(rehearsal.format, rehearsal.blocks);
      setTimeout(next);
    } catch (error) {
      if (isTrap(error)) trapped(error);
    }
  };
  setTimeout(next);
}
