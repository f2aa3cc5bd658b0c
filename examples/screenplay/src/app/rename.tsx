// The script's name, which everybody sees: a value beside the text, in the map of the script's settings.
import { type FormEvent, type KeyboardEvent, type ReactNode, useCallback, useState } from "react";
import type { Collab, Presence } from "slate-yrs";
import { useSharedMap } from "slate-yrs/react";

/** The map of what is set for a script, and the key of its name. */
export const SETTINGS = "settings";
export const TITLE = "title";
const LONGEST = 80;

export function RenameForm<P extends Presence>(props: {
  collab: Collab<P>;
  title: string;
  onClose: () => void;
}): ReactNode {
  const { collab, title, onClose } = props;
  const settings = useSharedMap<string, P>(collab, SETTINGS);
  const [name, setName] = useState(title);
  const [problem, setProblem] = useState<string | null>(null);
  const take = useCallback((field: HTMLInputElement | null) => field?.select(), []);
  const rename = (event: FormEvent) => {
    event.preventDefault();
    try {
      settings.set(TITLE, name.trim());
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
  };
  return (
    <form className="toast rename" aria-label="Rename the script" onSubmit={rename} onKeyDown={pressed}>
      <input
        ref={take}
        aria-label="Name of the script"
        value={name}
        maxLength={LONGEST}
        onChange={(event) => setName(event.target.value)}
      />
      <button type="submit" className="primary" disabled={name.trim() === ""}>
        Rename
      </button>
      <button type="button" className="secondary" onClick={onClose}>
        Cancel
      </button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}
