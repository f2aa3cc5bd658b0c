// Who hears whom: tabs of one document, and those whose document older versions do not know.
import { afterEach, expect, it, vi } from "vitest";
import { Tabs } from "../../js/tabs.js";

const opened: Tabs[] = [];
afterEach(() => {
  for (const tabs of opened.splice(0)) tabs.close();
});

function join(session: string, heard: string[], guarded?: boolean): Tabs {
  const watcher = {
    update: (update: Uint8Array) => void heard.push(`${session} hears ${update[0]}`),
    deleted: () => void heard.push(`${session} hears of a deletion`),
    orphaned: async () => {},
    keeper: () => {},
  };
  const tabs = new Tabs("database", "scene", session, watcher, guarded);
  opened.push(tabs);
  tabs.ready();
  return tabs;
}

it("tabs of a guarded document and those of older versions do not hear each other", async () => {
  const heard: string[] = [];
  const old = join("old", heard);
  join("other", heard);
  const guarded = join("guarded", heard, true);
  join("another", heard, true);
  old.post(Uint8Array.of(1), undefined, true);
  guarded.post(Uint8Array.of(2), undefined, true);
  old.deleted();
  while (heard.length < 3) await new Promise((wake) => setTimeout(wake, 5));
  await new Promise((wake) => setTimeout(wake, 50));
  expect(heard.sort()).toEqual(["another hears 2", "other hears 1", "other hears of a deletion"]);
});

/** Web Locks as far as tabs need them: exclusive ones, granted in turn. */
class Locks {
  #held = new Map<string, (() => void)[]>();

  async query(): Promise<{ held: { name: string }[] }> {
    return { held: [...this.#held.keys()].map((name) => ({ name })) };
  }

  async request(name: string, ...rest: unknown[]): Promise<unknown> {
    const work = rest.at(-1) as (lock: object | null) => unknown;
    const { ifAvailable } = (rest.length > 1 ? rest[0] : {}) as { ifAvailable?: boolean };
    await null;
    const waiting = this.#held.get(name);
    if (waiting === undefined) this.#held.set(name, []);
    else if (ifAvailable) return work(null);
    else await new Promise<void>((granted) => waiting.push(granted));
    try {
      return await work({});
    } finally {
      const next = this.#held.get(name)?.shift();
      if (next === undefined) this.#held.delete(name);
      else next();
    }
  }
}

it("of two tabs that open in one moment one takes over what a dead one left, and the other when that dies", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  try {
    const taken: string[] = [];
    const open = (session: string) => {
      const orphaned = async (dead: string) => void taken.push(`${session} takes ${dead}`);
      const watcher = { update: () => {}, deleted: () => {}, orphaned, keeper: () => {} };
      const tabs = new Tabs("database", "scene", session, watcher);
      opened.push(tabs);
      tabs.ready();
      return tabs;
    };
    const [one, two] = [open("one"), open("two")];
    const [first, second] = await Promise.all([one.others(["dead", "gone"]), two.others(["dead", "gone"])]);
    const claims = [first, second].filter((others) => !others.includes("dead"));
    expect(claims).toHaveLength(1);
    const [heir, other] = first.includes("dead") ? ["two", "one"] : ["one", "two"];
    const late = open("late");
    expect((await late.others(["dead"])).sort()).toEqual(["dead", "gone", "one", "two"]);
    // Asked again, as after a store that failed: its own are its own.
    expect(await (heir === "one" ? one : two).others(["dead", "gone"])).not.toContain("dead");
    expect(taken).toEqual([]);
    (heir === "one" ? one : two).close();
    while (taken.length < 3) await new Promise((wake) => setTimeout(wake, 5));
    await new Promise((wake) => setTimeout(wake, 20));
    expect(taken.sort()).toEqual([`${other} takes dead`, `${other} takes gone`, `${other} takes ${heir}`].sort());
  } finally {
    vi.unstubAllGlobals();
  }
});
