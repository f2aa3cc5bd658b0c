// The keys of the editor, for those who would rather not look for buttons.
import type { ReactNode } from "react";
import { keyOf, MOVE_SCENE } from "../components/shortcuts.ts";
import { ELEMENTS } from "../script/elements.ts";
import { BLOCK_TYPES, MARKS } from "../script/types.ts";

const LISTS: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    "Writing",
    [
      ["Next element, as fits", "Enter"],
      ["Another line in the same element", "Shift+Enter"],
      ["Another type for this element", "Tab, Shift+Tab"],
      ["Leave the page for the rest of the window", "Esc, then Tab or Shift+Tab"],
      ["A scene heading", "INT. or EXT. at the start of a line"],
      ["A parenthetical", "( in an empty line of dialogue"],
      ["Take a suggestion", "Tab, or ↓ and Enter"],
      ["Ask for suggestions at a cue or heading", "Alt+↓"],
      ["Dual dialogue", keyOf.dual],
      ["Find", keyOf.find],
      ["Find and replace", keyOf.replace],
      ["Undo", keyOf.undo],
      ["Redo", keyOf.redo],
    ],
  ],
  [
    "Elements",
    BLOCK_TYPES.flatMap((type) => {
      const keys = keyOf.type(type);
      return keys === undefined ? [] : [[ELEMENTS[type].label, keys] as const];
    }),
  ],
  [
    "Looks and scenes",
    [
      ...MARKS.flatMap((mark) => {
        const keys = keyOf.mark(mark);
        return keys === undefined ? [] : [[mark.charAt(0).toUpperCase() + mark.slice(1), keys] as const];
      }),
      ["Move the scene chosen in the list", MOVE_SCENE],
    ],
  ],
];

export function ShortcutList({ onClose }: { onClose: () => void }): ReactNode {
  return (
    <dialog
      className="dialog shortcuts"
      aria-labelledby="shortcuts-title"
      ref={(dialog) => {
        if (dialog && !dialog.open) dialog.showModal();
      }}
      onClose={onClose}
    >
      <div className="dialog-head">
        <h2 id="shortcuts-title">Keyboard shortcuts</h2>
        <form method="dialog">
          <button type="submit" className="secondary small">
            Close
          </button>
        </form>
      </div>
      {LISTS.map(([title, keys]) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl>
            {keys.map(([what, key]) => (
              <div key={what}>
                <dt>{what}</dt>
                <dd>{key}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </dialog>
  );
}
