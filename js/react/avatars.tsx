// Who else is here.
import type { CSSProperties, ReactElement, ReactNode } from "react";
import type { Collab } from "../index.js";
import { type PresentPerson, usePeople } from "./people-here.js";
import { classes, HIDDEN } from "./style.js";

/** Props of {@link PresenceAvatars}. */
export interface PresenceAvatarsProps {
  collab: Collab | null;
  /** How many are shown; the rest are a number. Default: 5. */
  max?: number;
  /** Added to `slate-yrs-avatars`. */
  className?: string;
  /** Without inline styles: classes, `data-idle`, `data-typing` and `--slate-yrs-person` are there to be styled. */
  unstyled?: boolean;
  /** Draws one person in the place of the initials. The name is read out all the same. */
  renderPerson?: (person: PresentPerson) => ReactNode;
}

const SIZE = "var(--slate-yrs-avatar-size, 28px)";
const LIST: CSSProperties = { display: "inline-flex", listStyle: "none", margin: 0, padding: 0 };
const ITEM: CSSProperties = {
  width: SIZE,
  height: SIZE,
  borderRadius: "50%",
  display: "grid",
  placeItems: "center",
  fontSize: `calc(${SIZE} * 0.4)`,
  lineHeight: 1,
  boxShadow: "0 0 0 2px var(--slate-yrs-avatar-ring, Canvas)",
  marginInlineStart: "calc(var(--slate-yrs-avatar-overlap, 6px) * -1)",
};

/**
 * The others in the document, a round badge with initials for each person; faded while they are away. One person with
 * several windows is shown once, if `presence.id` says so. Looks: `--slate-yrs-avatar-size`, `-ring`, `-overlap`,
 * `--slate-yrs-idle-avatar` (a filter).
 *
 * @example
 * <PresenceAvatars collab={collab} max={5} />
 */
export function PresenceAvatars(props: PresenceAvatarsProps): ReactElement {
  const { collab, max = 5, className, unstyled = false, renderPerson } = props;
  const people = usePeople(collab);
  const shown = people.length > max ? people.slice(0, Math.max(0, max - 1)) : people;
  const hidden = people.slice(shown.length);
  const more: CSSProperties = { ...ITEM, backgroundColor: "#495057", color: "#fff" };
  return (
    <ul
      aria-label={`${people.length} ${people.length === 1 ? "other person" : "other people"} here`}
      className={classes("slate-yrs-avatars", className)}
      style={unstyled ? undefined : LIST}
    >
      {shown.map((person) => (
        <Avatar key={person.key} person={person} render={renderPerson} unstyled={unstyled} />
      ))}
      {hidden.length > 0 ? (
        <li
          className="slate-yrs-avatar slate-yrs-avatar-more"
          style={unstyled ? undefined : more}
          title={hidden.map(({ name }) => name).join(", ")}
        >
          +{hidden.length}
        </li>
      ) : null}
    </ul>
  );
}

function Avatar(props: {
  person: PresentPerson;
  render: ((person: PresentPerson) => ReactNode) | undefined;
  unstyled: boolean;
}): ReactElement {
  const { person, render, unstyled } = props;
  const { name, color, textColor, typing, idle } = person;
  const label = typing ? `${name} is typing` : idle ? `${name}, away` : name;
  const look: CSSProperties = {
    ...ITEM,
    backgroundColor: color,
    color: textColor,
    // The letters stay readable: it is the circle that fades.
    ...(idle && { filter: "var(--slate-yrs-idle-avatar, grayscale(0.8))" }),
  };
  const own = { "--slate-yrs-person": color, "--slate-yrs-person-text": textColor } as CSSProperties;
  return (
    <li
      className="slate-yrs-avatar"
      data-idle={idle || undefined}
      data-typing={typing || undefined}
      style={unstyled ? own : { ...own, ...look }}
      title={label}
    >
      <span aria-hidden="true">{render === undefined ? person.initials : render(person)}</span>
      <span style={HIDDEN}>{label}</span>
    </li>
  );
}
