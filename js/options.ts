// Checking what `open` is given, and turning it into what the engine takes.
import { wellFormed } from "./codec.js";
import { hasDeviceStore } from "./device-store.js";
import type { EngineConfig } from "./engine.js";
import { CollabError } from "./errors.js";
import { inflates } from "./inflate.js";
import { toJson } from "./json.js";
import type { OpenOptions, Presence } from "./types.js";

/** Most bytes of a document's id, in UTF-8. */
const MAX_ID_BYTES = 256;

function bad(message: string): CollabError {
  return new CollabError("protocol", message);
}

function checkOptional(value: unknown, type: "string" | "boolean" | "object", what: string): void {
  if (value === undefined) return;
  const fits =
    type === "object" ? typeof value === "object" && value !== null && !Array.isArray(value) : typeof value === type;
  if (!fits) throw bad(`${what} must be ${type === "object" ? "an" : "a"} ${type}`);
}

/** Throws a CollabError that names the first option that is not what it must be. */
export function checkOptions<P extends Presence>(options: OpenOptions<P>): void {
  if (typeof options !== "object" || options === null) throw bad("open() needs options");
  if (typeof options.id !== "string" || options.id === "") throw bad("id must be a string that is not empty");
  // As a segment of a path `.` and `..` would name something else.
  if (wellFormed(options.id) !== options.id) throw bad("id has half of a surrogate pair");
  if (options.id === "." || options.id === "..") throw bad(`id must not be ${JSON.stringify(options.id)}`);
  // The slate-yrs server takes no others, and a browser does not say why a connection was refused.
  if (new TextEncoder().encode(options.id).length > MAX_ID_BYTES) throw bad(`id has at most ${MAX_ID_BYTES} bytes`);
  if (/\p{Cc}/u.test(options.id)) throw bad("id has a control character");
  for (const name of ["url", "root", "blockId"] as const) checkOptional(options[name], "string", name);
  if (options.root === "") throw bad("root must not be empty");
  if (options.root?.startsWith("slate-yrs:")) throw bad("roots that begin with slate-yrs: are the engine's");
  checkOptional(options.connect, "boolean", "connect");
  for (const name of ["presence", "params", "undo"] as const) checkOptional(options[name], "object", name);
  if (options.presence !== undefined) checkPresence(options.presence);
  if (typeof options.offline !== "boolean") checkOptional(options.offline, "object", "offline");
  if (typeof options.offline === "object") checkStore(options.offline);
  if (options.token !== undefined && typeof options.token !== "string" && typeof options.token !== "function") {
    throw bad("token must be a string or a function");
  }
  if (options.initialValue !== undefined && !Array.isArray(options.initialValue)) {
    throw bad("initialValue must be an array of nodes");
  }
  const timeout = options.undo?.captureTimeout;
  if (timeout !== undefined && !(Number.isFinite(timeout) && timeout >= 0)) {
    throw bad("undo.captureTimeout must be a number of milliseconds");
  }
  if (options.format !== undefined && options.format !== 0 && options.format !== 1) throw bad("format must be 0 or 1");
  if (!["auto", "websocket", "http"].includes(options.transport ?? "auto")) {
    throw bad("transport must be auto, websocket or http");
  }
  if (options.WebSocket !== undefined && typeof options.WebSocket !== "function")
    throw bad("WebSocket must be a class");
  if (typeof options.debug !== "boolean" && options.debug !== undefined && typeof options.debug !== "function") {
    throw bad("debug must be a boolean or a function");
  }
  if (options.url !== undefined) checkUrl(options.url, options.transport === "http" || options.WebSocket !== undefined);
}

/** Most bytes of a presence as JSON: servers do not pass on what is much larger. */
const MAX_PRESENCE_BYTES = 16 * 1024;

/** Throws a CollabError if a presence could not be shown to peers. Returns it as JSON. */
export function checkPresence(presence: object): string {
  const json = toJson(presence, "presence");
  if (json.length * 3 > MAX_PRESENCE_BYTES && new TextEncoder().encode(json).length > MAX_PRESENCE_BYTES) {
    throw new CollabError("too-large", `presence has at most ${MAX_PRESENCE_BYTES} bytes as JSON`);
  }
  return json;
}

function checkStore({ database, durability }: Exclude<OpenOptions["offline"], boolean | undefined>): void {
  checkOptional(database, "string", "offline.database");
  if (!["strict", "relaxed"].includes(durability ?? "relaxed")) {
    throw bad("offline.durability must be strict or relaxed");
  }
}

function checkUrl(url: string, connects: boolean): void {
  if (!URL.canParse(url)) throw bad(`url is not valid: ${url}`);
  if (!["ws:", "wss:", "http:", "https:"].includes(new URL(url).protocol)) throw bad("url must begin with ws: or wss:");
  if (!connects && typeof WebSocket === "undefined") {
    throw bad("there is no WebSocket here: Node has it from version 22, before that give open() one, as `WebSocket`");
  }
}

/** The database on this device; `null`: nothing is kept. */
export function databaseOf<P extends Presence>({ offline = true }: OpenOptions<P>): string | null {
  if (offline === false || !hasDeviceStore()) return null;
  return (typeof offline === "object" ? offline.database : undefined) ?? "";
}

/** Whether the document is connected as soon as it is opened. */
export function isToConnect<P extends Presence>({ url, connect = true }: OpenOptions<P>): boolean {
  return url !== undefined && connect;
}

/** A fresh session id. */
export function newSession(): string {
  const random = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(random, (word) => word.toString(16).padStart(8, "0")).join("");
}

/** What the engine takes, with the random numbers it has no source of. */
export function engineConfig<P extends Presence>(options: OpenOptions<P>, session = newSession()): EngineConfig {
  const random = crypto.getRandomValues(new Uint32Array(3));
  const offline = options.offline ?? true;
  const store = typeof offline === "object" ? offline : {};
  return {
    document: options.id,
    session,
    clientId: random[0]! || 1,
    seed: random[1]! * 0x10_0000 + (random[2]! >>> 12),
    root: options.root ?? "content",
    blockId: options.blockId ?? "id",
    captureTimeout: Math.round(Math.min(options.undo?.captureTimeout ?? 500, 0x7fff_ffff)),
    remote: options.url === undefined ? "none" : isToConnect(options) ? "connect" : "wait",
    store:
      offline !== false && hasDeviceStore()
        ? { database: store.database ?? null, strict: store.durability === "strict" }
        : null,
    presence: options.presence ?? null,
    format: options.format ?? null,
  };
}

/** The room as one segment of the path, escaped no more than y-websocket's users would see it. */
export function segment(id: string): string {
  return encodeURIComponent(id).replace(/%(40|3A|24|26|2B|2C|3B|3D)/g, (escaped) => decodeURIComponent(escaped));
}

/** `URL/ROOM?token=…&slate-yrs=1&session=…&formats=…&deflate=1`. `formats`: what the engine knows. */
export async function address<P extends Presence>(
  options: OpenOptions<P>,
  session: string,
  formats: string,
): Promise<string> {
  const url = new URL(options.url ?? "");
  url.protocol = url.protocol.replace("http", "ws");
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${segment(options.id)}`;
  url.hash = "";
  for (const [name, value] of Object.entries(options.params ?? {})) url.searchParams.set(name, value);
  const token = await tokenOf(options);
  if (token !== undefined) url.searchParams.set("token", token);
  // A plain y-websocket server ignores these.
  url.searchParams.set("slate-yrs", "1");
  url.searchParams.set("session", session);
  // Of another WebSocket than the page's it is not known whether its events can be held back.
  if (inflates() && options.WebSocket === undefined) url.searchParams.set("deflate", "1");
  // A comma needs no escape, and is easier to read in a log.
  url.searchParams.set("formats", formats);
  return url.href.replaceAll("%2C", ",");
}

export async function tokenOf<P extends Presence>(options: OpenOptions<P>): Promise<string | undefined> {
  const token: unknown = typeof options.token === "function" ? await options.token() : options.token;
  if (token !== undefined && typeof token !== "string") throw bad("the token is not a string");
  return token;
}
