// Whether the user composes a word in one of the page's editors, with an input method or on a phone's keyboard. The
// browser's events tell; slate-react reads the last letters a moment after the event that ends the word.

const AFTERWARDS_MS = 300;

/** Calls `tell` when a word is begun and when the editor has read it. Returns a function that ends this. */
export function watchComposing(tell: (begins: boolean) => void): () => void {
  if (typeof document === "undefined") return () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  let composing = false;
  const begin = ({ target }: Event) => {
    if (!(target instanceof Element) || target.closest("[data-slate-editor]") === null) return;
    clearTimeout(timer);
    timer = undefined;
    if (!composing) tell(true);
    composing = true;
  };
  const end = () => {
    if (!composing) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      composing = false;
      tell(false);
    }, AFTERWARDS_MS);
  };
  const events = [
    ["compositionstart", begin],
    ["compositionend", end],
    // A user who leaves the editor has finished, whatever the browser says.
    ["focusout", end],
  ] as const;
  for (const [type, listener] of events) document.addEventListener(type, listener, true);
  return () => {
    for (const [type, listener] of events) document.removeEventListener(type, listener, true);
    clearTimeout(timer);
    if (composing) tell(false);
    composing = false;
  };
}
