// Who else is here.
import type { CSSProperties, ReactElement } from "react";
import type { Collab, Peer, Presence } from "../index.js";
import { colorOf, initialsOf, nameOf } from "./colors.js";
import { usePeers } from "./hooks.js";
import { classes, HIDDEN } from "./style.js";

/** Props of {@link PresenceAvatars}. */
export interface PresenceAvatarsProps {
  collab: Collab | null;
  /** How many are shown; the rest are a number. Default: 5. */
  max?: number;
  /** Added to `slate-yrs-avatars`. */
  className?: string;
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
 * The others in the document, a round badge with initials for each person. One person with several windows is shown
 * once, if `presence.id` says so.
 */
export function PresenceAvatars({ collab, max = 5, className }: PresenceAvatarsProps): ReactElement {
  const people = once(usePeers(collab));
  const shown = people.length > max ? people.slice(0, Math.max(0, max - 1)) : people;
  const hidden = people.slice(shown.length);
  return (
    <ul
      aria-label={`${people.length} ${people.length === 1 ? "other person" : "other people"} here`}
      className={classes("slate-yrs-avatars", className)}
      style={LIST}
    >
      {shown.map((peer) => (
        <Avatar key={peer.clientId} peer={peer} />
      ))}
      {hidden.length > 0 ? (
        <li
          className="slate-yrs-avatar slate-yrs-avatar-more"
          style={{ ...ITEM, backgroundColor: "#495057", color: "#fff" }}
          title={hidden.map((peer) => nameOf(peer.presence)).join(", ")}
        >
          +{hidden.length}
        </li>
      ) : null}
    </ul>
  );
}

function Avatar({ peer }: { peer: Peer<Presence> }): ReactElement {
  const { color, textColor } = colorOf(peer.presence, peer.clientId);
  const name = nameOf(peer.presence);
  const label = peer.typing ? `${name} is typing` : name;
  return (
    <li
      className="slate-yrs-avatar"
      data-typing={peer.typing || undefined}
      style={{ ...ITEM, backgroundColor: color, color: textColor }}
      title={label}
    >
      <span aria-hidden="true">{initialsOf(name)}</span>
      <span style={HIDDEN}>{label}</span>
    </li>
  );
}

/** The most lively of each person's windows. */
function once(peers: readonly Peer<Presence>[]): Peer<Presence>[] {
  const people = new Map<unknown, Peer<Presence>>();
  for (const peer of peers) {
    const id = (peer.presence as { id?: unknown } | null)?.id;
    const key = typeof id === "string" ? id : peer.clientId;
    const before = people.get(key);
    if (before === undefined || (peer.typing && !before.typing) || peer.lastActive > before.lastActive) {
      people.set(key, peer);
    }
  }
  return [...people.values()];
}
