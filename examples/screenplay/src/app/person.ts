// Who writes here: a name and a colour, from the address or as last chosen in this browser.
import { useMemo } from "react";
import { initialsOf } from "slate-yrs/react";
import { type Address, go } from "./address.ts";
import { recall, remember, useRemembered } from "./remembered.ts";
import { useToken } from "./token.ts";

export interface Person {
  /** Of this browser: two windows are one person. */
  id: string;
  name: string;
  color: string;
}

/** White text on each can be read (contrast 4.5), and each can be seen as a line on paper and on the dark page (3). */
export const COLORS = [
  "#5b62ee",
  "#d93a32",
  "#0b8276",
  "#b93fc9",
  "#0879ae",
  "#bd570b",
  "#9348ee",
  "#4a810f",
  "#d6336c",
  "#64748b",
] as const;

const FIRST = ["Quiet", "Amber", "Swift", "Silver", "Gentle", "Bright", "Early", "Curious"];
const SECOND = ["Otter", "Heron", "Fox", "Wren", "Badger", "Lynx", "Swallow", "Marten"];

/** A number of its own for this browser, from which a first name and colour follow. */
function guestNumber(): number {
  const known = Number(recall("guest"));
  if (known > 0) return known;
  const fresh = 1 + Math.floor(Math.random() * 1_000_000);
  remember("guest", String(fresh));
  return fresh;
}

export function usePerson(address: Address): [Person, (changes: Partial<Omit<Person, "id">>) => void] {
  const [savedName] = useRemembered("name");
  const [savedColor] = useRemembered("color");
  const token = useToken();
  const person = useMemo(() => {
    const guest = guestNumber();
    const name = address.name ?? savedName ?? `${FIRST[guest % 8]} ${SECOND[Math.floor(guest / 8) % 8]}`;
    const own = address.color ?? (address.name ? null : savedColor);
    return {
      id: userOf(token) ?? `guest-${guest}`,
      name,
      color: own ?? (address.name ? colorFor(address.name) : (COLORS[guest % COLORS.length] ?? COLORS[0])),
    };
  }, [address.name, address.color, token, savedName, savedColor]);
  return [person, choose];
}

/** The colour of somebody of whom nothing but the name is known. */
export function colorFor(name: string): string {
  return COLORS[hash(name) % COLORS.length] ?? COLORS[0];
}

/** Whom a JSON Web Token is for: under that name the server keeps what they write. */
function userOf(token: string | undefined): string | undefined {
  try {
    const claims = atob((token?.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    const { sub, user } = JSON.parse(claims) as { sub?: unknown; user?: unknown };
    return [sub, user].find((id) => typeof id === "string");
  } catch {
    return undefined;
  }
}

function choose({ name, color }: Partial<Omit<Person, "id">>): void {
  const changes: Record<string, string | null> = {};
  if (name !== undefined) {
    remember("name", name);
    changes.name = null;
  }
  if (color !== undefined) {
    remember("color", color);
    changes.color = null;
  }
  go(changes, { replace: true });
}

function hash(text: string): number {
  let sum = 7;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return sum;
}

export const initials = initialsOf;
