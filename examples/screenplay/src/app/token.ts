// The access token: kept for this tab, and never in the address, which one gives to others. It may come in one.
import { useSyncExternalStore } from "react";

const KEY = "screenplay.token";
const listeners = new Set<() => void>();
let token = arrived() ?? kept();

function arrived(): string | undefined {
  const url = new URL(location.href);
  const given = url.searchParams.get("token");
  if (given === null) return undefined;
  url.searchParams.delete("token");
  history.replaceState(history.state, "", url.href);
  keep(given);
  return given;
}

function kept(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(given: string): void {
  try {
    sessionStorage.setItem(KEY, given);
  } catch {
    // No storage: until the page is closed.
  }
}

/** The token now: asked before every connection. */
export const currentToken = (): string | undefined => token;

export function signIn(given: string): void {
  token = given;
  keep(given);
  for (const listener of listeners) listener();
}

export function useToken(): string | undefined {
  return useSyncExternalStore(subscribe, currentToken);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
