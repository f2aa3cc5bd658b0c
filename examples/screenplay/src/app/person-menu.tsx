// One's own name and colour, as the others see them.
import { type ReactNode, useState } from "react";
import { colorOf } from "slate-yrs/react";
import { Popover } from "../ui/popover.tsx";
import { COLORS, initials, type Person } from "./person.ts";

export function PersonMenu({
  person,
  onChange,
}: {
  person: Person;
  onChange: (changes: Partial<Person>) => void;
}): ReactNode {
  return (
    <Popover
      label={`You are ${person.name}: change name and colour`}
      className="me"
      button={
        <span className="me-face" style={faceOf(person)}>
          {initials(person.name)}
        </span>
      }
    >
      {(close) => <PersonForm person={person} onChange={onChange} close={close} />}
    </Popover>
  );
}

/** As the others see it. */
function faceOf(person: Person): { background: string; color: string } {
  const { color, textColor } = colorOf(person, 0);
  return { background: color, color: textColor };
}

function PersonForm(props: {
  person: Person;
  onChange: (changes: Partial<Person>) => void;
  close: () => void;
}): ReactNode {
  const { person, onChange, close } = props;
  const [name, setName] = useState(person.name);
  const save = () => {
    const trimmed = name.trim().slice(0, 60);
    if (trimmed && trimmed !== person.name) onChange({ name: trimmed });
  };
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        save();
        close();
      }}
    >
      <label className="field">
        Your name
        <input
          name="name"
          autoComplete="name"
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
          onBlur={save}
          // biome-ignore lint/a11y/noAutofocus: the panel was opened to change this
          autoFocus
        />
      </label>
      <fieldset className="field">
        <legend>Colour of your caret</legend>
        <div className="swatches">
          {COLORS.map((color, index) => (
            <label key={color} className="swatch" style={{ background: color }}>
              <input
                type="radio"
                name="color"
                aria-label={`Colour ${index + 1}`}
                checked={color === person.color}
                onChange={() => onChange({ color })}
              />
            </label>
          ))}
        </div>
      </fieldset>
      <button type="submit" className="primary">
        Done
      </button>
    </form>
  );
}
