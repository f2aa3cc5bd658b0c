// The versions of a document, which the slate-yrs server keeps: HTTP beside the WebSocket, with the same token.
// `wss://host/ws/scenes` goes with `https://host/api/scenes`.
import type { Descendant } from "slate";
import { CollabError, type CollabErrorCode } from "./errors.js";
import { segment, tokenOf } from "./options.js";
import type { History, Json, OpenOptions, Presence, RolledBack, ValueChange, Version } from "./types.js";

const CODES: Record<number, CollabErrorCode> = {
  401: "unauthorized",
  403: "forbidden",
  409: "format",
  413: "too-large",
};

/**
 * @param saved Resolves when the server has all local edits: what is named or restored over is what is seen here. Rejects
 * at once where that cannot be said now.
 */
export function historyOf<P extends Presence>(options: OpenOptions<P>, saved: () => Promise<void>): History {
  const root: Record<string, string> = options.root === undefined ? {} : { root: options.root };
  const get = async <T>(path: string, query: Record<string, string> = {}) =>
    (await request(options, "GET", path, query)).json() as Promise<T>;
  return {
    async list({ before, limit } = {}) {
      const query = { ...(before !== undefined && { before }), ...(limit !== undefined && { limit: String(limit) }) };
      return (await get<{ versions: Version[] }>("versions", query)).versions;
    },
    value: (versionId) => get<Descendant[]>(`versions/${encodeURIComponent(versionId)}`, root),
    compare: (from, to) => get<Descendant[]>("compare", { from, to, ...root }),
    values: (versionId) =>
      get<Record<string, Record<string, Json>>>(`versions/${encodeURIComponent(versionId)}/values`, root),
    compareValues: (from, to) => get<ValueChange[]>("compare/values", { from, to, ...root }),
    async save(label) {
      await saved();
      return (await request(options, "POST", "versions", {}, { label })).json() as Promise<Version>;
    },
    async restore(versionId) {
      await saved();
      await request(options, "POST", `versions/${encodeURIComponent(versionId)}/restore`, root);
    },
    async rollback(author, { from, to }) {
      await saved();
      const body = { author, from: timeOf(from), ...(to !== undefined && { to: timeOf(to) }) };
      const { report } = (await (await request(options, "POST", "rollback", root, body)).json()) as {
        report: RolledBack;
      };
      return report;
    },
  };
}

const timeOf = (at: number | string | Date): number | string => (at instanceof Date ? at.getTime() : at);

/** Asks the server beside the document. */
export async function request<P extends Presence>(
  options: OpenOptions<P>,
  method: "GET" | "POST",
  path: string,
  query: Record<string, string>,
  body?: unknown,
): Promise<Response> {
  const url = endpoint(options, path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const token = await tokenOf(options);
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  let response: Response;
  try {
    response = await fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  } catch (error) {
    throw new CollabError("protocol", "the server cannot be reached", { cause: error });
  }
  if (response.ok) return response;
  const answer = (await response.json().catch(() => null)) as { error?: { message?: unknown } } | null;
  const message = typeof answer?.error?.message === "string" ? answer.error.message : response.statusText;
  throw new CollabError(CODES[response.status] ?? "protocol", message || `the server answers ${response.status}`);
}

function endpoint<P extends Presence>(options: OpenOptions<P>, path: string): URL {
  if (options.url === undefined) throw new CollabError("protocol", "a document without a server has no history");
  const url = new URL(options.url);
  url.protocol = url.protocol.replace("ws", "http");
  const base = url.pathname.replace(/\/+$/, "").replace(/\/ws(?=\/[^/]*$)/, "/api");
  url.pathname = `${base}/${segment(options.id)}/${path}`;
  url.hash = "";
  for (const [name, value] of Object.entries(options.params ?? {})) url.searchParams.set(name, value);
  return url;
}
