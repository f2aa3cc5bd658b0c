import { afterEach, describe, expect, it, vi } from "vitest";
import { historyOf } from "./history.js";

const calls: { url: string; init: RequestInit }[] = [];

function answer(status: number, body: unknown): void {
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
    calls.push({ url: url.href, init });
    return new Response(status === 204 ? null : JSON.stringify(body), { status });
  });
}

afterEach(() => {
  calls.length = 0;
  vi.unstubAllGlobals();
});

const options = { id: "scene 7/ü", url: "wss://host/base/ws/scenes/", token: async () => "secret" };
const saved = vi.fn(async () => {});

describe("history", () => {
  it("asks beside the WebSocket's address, with the same token", async () => {
    answer(200, { versions: [{ id: "e1" }] });
    expect(await historyOf(options, saved).list({ before: "e9", limit: 5 })).toEqual([{ id: "e1" }]);
    expect(calls[0]?.url).toBe("https://host/base/api/scenes/scene%207%2F%C3%BC/versions?before=e9&limit=5");
    expect(calls[0]?.init.headers).toEqual({ authorization: "Bearer secret" });
  });

  it("names and restores only what the server has", async () => {
    answer(204, null);
    const order: string[] = [];
    const history = historyOf(
      { ...options, root: "script" },
      async () => void order.push(`saved, ${calls.length} asked`),
    );
    await history.restore("n/1");
    expect(order).toEqual(["saved, 0 asked"]);
    expect(calls[0]?.url).toContain("/versions/n%2F1/restore?root=script");
    expect(calls[0]?.init.method).toBe("POST");
    answer(201, { id: "n2" });
    expect(await history.save("Draft")).toEqual({ id: "n2" });
    expect(calls.at(-1)?.init.body).toBe('{"label":"Draft"}');
  });

  it("takes back what somebody did, up to now or to a time", async () => {
    answer(200, { etag: "x", report: { removed: 3, restored: 1 } });
    const history = historyOf({ ...options, root: "script" }, saved);
    expect(await history.rollback("ben", { from: new Date(5) })).toEqual({ removed: 3, restored: 1 });
    expect(calls[0]?.url).toContain("/rollback?root=script");
    expect(calls[0]?.init.body).toBe('{"author":"ben","from":5}');
    await history.rollback("ben", { from: "2026-01-02T15:04:05Z", to: 9 });
    expect(calls[1]?.init.body).toBe('{"author":"ben","from":"2026-01-02T15:04:05Z","to":9}');
  });

  it.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "protocol"],
    [503, "protocol"],
  ])("an answer of %i is %s", async (status, code) => {
    answer(status, { error: { code: "x", message: "said so" } });
    await expect(historyOf(options, saved).value("e1")).rejects.toMatchObject({ code, message: "said so" });
  });

  it("says when there is no server, or it does not answer", async () => {
    await expect(historyOf({ id: "a" }, saved).list()).rejects.toMatchObject({ code: "protocol" });
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("refused")));
    await expect(historyOf(options, saved).list()).rejects.toMatchObject({ code: "protocol" });
  });
});
