// Whether sockets open: what a tab has found out about the way to a server. Sockets are tried first. After two upgrades
// that failed, the second while HTTP to the same server answered, the tab goes over HTTP for a while.
import type { OpenOptions, Presence } from "./types.js";

/** A tab that goes over HTTP tries a socket again after this time. */
export const AGAIN_MS = 10 * 60_000;
/** A socket that has not opened after this time, while HTTP answers, counts as failed. */
export const UPGRADE_MS = 8_000;
/** How long the question whether HTTP answers may take. */
const ASK_MS = 5_000;
/** The key under which `sessionStorage` has until when the tab goes over HTTP, by server. */
const STORED = "slate-yrs:http";

/** What is known of the way to a server; documents of a tab share it. */
interface ServerWay {
  /** Upgrades in a row that failed. */
  failed: number;
  /** Whether HTTP answers; asked while the upgrade is under way. */
  answers: Promise<boolean>;
  /** The question whether HTTP answers, while it is under way. */
  asking: Promise<boolean> | null;
  /** Until when the tab goes over HTTP; 0: it goes over sockets. */
  until: number;
  /** Until when nobody asks again: the server has no HTTP. */
  none: number;
}

const NO_ANSWER = Promise.resolve(false);
const ways = new Map<string, ServerWay>();

export function wayTo(url: string): ServerWay {
  let way = ways.get(url);
  if (way === undefined) {
    way = { failed: 0, answers: NO_ANSWER, asking: null, until: Number(stored()[url]) || 0, none: 0 };
    ways.set(url, way);
  }
  return way;
}

function stored(): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(STORED) ?? "{}");
    return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    // Node has no `sessionStorage`, a sandboxed frame may not even look at it, and what is stored may be anything.
    return {};
  }
}

/** From now until `until` the tab goes over HTTP. 0: it goes over sockets. */
export function goesOverHttp(url: string, until: number): void {
  const way = wayTo(url);
  way.failed = 0;
  way.answers = NO_ANSWER;
  if (way.until === until) return;
  way.until = until;
  try {
    sessionStorage.setItem(STORED, JSON.stringify({ ...stored(), [url]: until }));
  } catch {
    // Without `sessionStorage` each page finds out by itself.
  }
}

/** An upgrade has failed. */
function failed(url: string): void {
  const way = wayTo(url);
  const { answers, until } = way;
  way.failed += 1;
  if (until > 0) goesOverHttp(url, Date.now() + AGAIN_MS);
  void answers.then((answered) => {
    // A socket may have opened meanwhile.
    if (answered && way.answers === answers) goesOverHttp(url, Date.now() + AGAIN_MS);
  });
}

/** Whether a socket is to be tried at all, before the engine is there. */
export function triesSocket<P extends Presence>({ url = "", transport = "auto" }: OpenOptions<P>): boolean {
  if (transport !== "auto") return transport === "websocket";
  return wayTo(url).until <= Date.now();
}

/** Counts a socket that fails before it opens. */
export function watchUpgrade<P extends Presence>(
  { url = "", transport }: OpenOptions<P>,
  socket: WebSocket,
  address: string,
): void {
  if (transport === "websocket") return;
  let waits = true;
  const timer = setTimeout(() => {
    void asks(address, url).then((answers) => {
      if (!answers || !waits) return;
      wayTo(url).answers = Promise.resolve(true);
      socket.close();
    });
  }, UPGRADE_MS);
  const settled = (opens: boolean) => {
    if (!waits) return;
    waits = false;
    clearTimeout(timer);
    if (opens) goesOverHttp(url, 0);
    else failed(url);
  };
  socket.addEventListener("open", () => settled(true));
  socket.addEventListener("close", () => settled(false));
}

/** Whether the server takes connections over HTTP, now. `address`: of a socket to it. */
export function asks(address: string, url: string): Promise<boolean> {
  const way = wayTo(url);
  if (way.none > Date.now()) return NO_ANSWER;
  way.asking ??= ask(address, way).finally(() => {
    way.asking = null;
  });
  return way.asking;
}

async function ask(address: string, way: ServerWay): Promise<boolean> {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), ASK_MS);
  try {
    const { httpAddress } = await import("./http-socket.js");
    const asked = httpAddress(address);
    asked.search = "";
    const response = await fetch(asked, { cache: "no-store", signal: end.signal });
    if (response.ok) {
      const answer = (await response.json().catch(() => null)) as { version?: unknown } | null;
      if (answer?.version === 1) return true;
    }
    // A server without HTTP, or a server of another kind.
    if (response.status < 500) way.none = Date.now() + AGAIN_MS;
    return false;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
