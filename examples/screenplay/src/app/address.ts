// What the page's address says: `/?scene=pilot&name=Ada&color=%234338ca&server=ws://host/ws/scenes&debug`.
import { useSyncExternalStore } from "react";

export interface Address {
  scene: string;
  /** Why no script can have this id, in words. `null`: one can. */
  refused: string | null;
  name: string | null;
  color: string | null;
  /** The sync server's documents; by default those of the server the page came from. */
  server: string;
  /** Off: the editor alone, without collaboration. */
  collaborate: boolean;
  debug: boolean;
}

export const FIRST_SCENE = "pilot";

/** Bytes that the server takes of an id. */
const MOST_BYTES = 256;

/** What a script's id may be is the engine's and the server's to say: this says the same in a writer's words. */
export function whyNoId(id: string): string | null {
  if (id === "") return "The address names no script: nothing stands after “scene=”.";
  if (id === "." || id === "..") return "A script cannot be called by dots alone.";
  if (/\p{Cc}|\p{Cs}/u.test(id)) return "The script’s name in the address has characters that cannot be shown.";
  const bytes = new TextEncoder().encode(id).length;
  if (bytes > MOST_BYTES)
    return `The script’s name in the address is too long: it has ${bytes} bytes, and ${MOST_BYTES} are the most.`;
  return null;
}

export function parseAddress(href: string): Address {
  const { searchParams, protocol, host } = new URL(href);
  const scene = searchParams.get("scene") ?? FIRST_SCENE;
  const sameOrigin = `${protocol === "https:" ? "wss" : "ws"}://${host}/ws/scenes`;
  return {
    scene,
    refused: whyNoId(scene),
    name: searchParams.get("name"),
    color: /^#[0-9a-f]{6}$/i.test(searchParams.get("color") ?? "") ? searchParams.get("color") : null,
    server: (searchParams.get("server") ?? sameOrigin).replace(/\/$/, ""),
    collaborate: searchParams.get("collab") !== "off",
    debug: searchParams.has("debug"),
  };
}

const listeners = new Set<() => void>();
const guards = new Set<() => boolean>();
let last = { href: "", address: undefined as Address | undefined };

function current(): Address {
  if (last.href !== location.href || !last.address)
    last = { href: location.href, address: parseAddress(location.href) };
  return last.address as Address;
}

/** Before another script takes the place of the open one, `mayLeave` is asked. Returns what ends that. */
export function guardScript(mayLeave: () => boolean): () => void {
  guards.add(mayLeave);
  return () => guards.delete(mayLeave);
}

function leads(from: Address, to: Address): boolean {
  const same = from.scene === to.scene && from.server === to.server && from.collaborate === to.collaborate;
  return same || [...guards].every((mayLeave) => mayLeave());
}

/** Back and forward have happened already when one hears of them: who stays has the old address put back. */
function onPopState(): void {
  const { href, address } = last;
  if (address && !leads(address, parseAddress(location.href))) {
    history.pushState(null, "", href);
    return;
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("popstate", onPopState);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("popstate", onPopState);
  };
}

export function useAddress(): Address {
  return useSyncExternalStore(subscribe, current);
}

export function addressWith(changes: Record<string, string | null>): string {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.href;
}

/** Returns whether one gets there: see {@link guardScript}. */
export function go(changes: Record<string, string | null>, { replace = false } = {}): boolean {
  const href = addressWith(changes);
  if (!leads(current(), parseAddress(href))) return false;
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  for (const listener of listeners) listener();
  return true;
}
