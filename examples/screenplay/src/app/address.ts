// What the page's address says: `/?scene=pilot&name=Ada&color=%234338ca&server=ws://host/ws/scenes&debug`.
import { useSyncExternalStore } from "react";

export interface Address {
  scene: string;
  name: string | null;
  color: string | null;
  /** The sync server's documents; by default those of the server the page came from. */
  server: string;
  token: string | undefined;
  /** Off: the editor alone, without collaboration. */
  collaborate: boolean;
  debug: boolean;
}

export const FIRST_SCENE = "pilot";

export function parseAddress(href: string): Address {
  const { searchParams, protocol, host } = new URL(href);
  const scene = searchParams.get("scene") ?? "";
  const sameOrigin = `${protocol === "https:" ? "wss" : "ws"}://${host}/ws/scenes`;
  return {
    scene: /^[\w.-]{1,100}$/.test(scene) ? scene : FIRST_SCENE,
    name: searchParams.get("name"),
    color: /^#[0-9a-f]{6}$/i.test(searchParams.get("color") ?? "") ? searchParams.get("color") : null,
    server: (searchParams.get("server") ?? sameOrigin).replace(/\/$/, ""),
    token: searchParams.get("token") ?? undefined,
    collaborate: searchParams.get("collab") !== "off",
    debug: searchParams.has("debug"),
  };
}

const listeners = new Set<() => void>();
let last = { href: "", address: undefined as Address | undefined };

function current(): Address {
  if (last.href !== location.href || !last.address)
    last = { href: location.href, address: parseAddress(location.href) };
  return last.address as Address;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
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

export function go(changes: Record<string, string | null>, { replace = false } = {}): void {
  const href = addressWith(changes);
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  for (const listener of listeners) listener();
}
