// Who hears whom: tabs of one document, and those whose document older versions do not know.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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

/** A tab with a document in which a dead one has left something, which it looks at when it may. */
function opening(session: string, left: Set<string>, taken: string[], orphaned = async () => {}): Tabs {
  const watcher = {
    update: () => {},
    deleted: () => {},
    orphaned: async (dead: string) => {
      await orphaned();
      if (left.delete(dead)) taken.push(`${session} takes ${dead}`);
    },
    keeper: () => {},
  };
  const tabs = new Tabs("database", "scene", session, watcher);
  opened.push(tabs);
  tabs.ready();
  return tabs;
}

const DEAD = ["dead", "gone"];
const aWhile = () => new Promise((wake) => setTimeout(wake, 20));

/** Two that open in one moment: who takes over, and the other. */
async function twoAtOnce(left: Set<string>, taken: string[]): Promise<[Tabs, Tabs]> {
  const tabs: [Tabs, Tabs] = [opening("one", left, taken), opening("two", left, taken)];
  const found = await Promise.all(tabs.map((it) => it.others(DEAD)));
  expect(found.filter((others) => !others.includes("dead"))).toHaveLength(1);
  expect(found.filter((others) => !others.includes("gone"))).toHaveLength(1);
  return found[0]?.includes("dead") ? [tabs[1], tabs[0]] : tabs;
}

describe("of two tabs that open in one moment", () => {
  const left = new Set<string>();
  const taken: string[] = [];
  beforeEach(() => {
    vi.stubGlobal("navigator", { locks: new Locks() });
    for (const dead of DEAD) left.add(dead);
    taken.length = 0;
  });
  afterEach(() => vi.unstubAllGlobals());

  it("one takes over what a dead one left, and the other finds nothing then", async () => {
    const [heir, other] = await twoAtOnce(left, taken);
    expect(await opening("late", left, taken).others(["dead"])).toContain("dead");
    // Asked again, as after a store that failed: its own are its own.
    expect(await heir.others(DEAD)).not.toContain("dead");
    await aWhile();
    expect(taken).toEqual([]);
    left.clear();
    heir.taken();
    await aWhile();
    expect(taken).toEqual([]);
    // And nobody holds the lock any more.
    expect(await opening("later", left, taken).others(["dead"])).not.toContain("dead");
    expect(other.agree).toBe(true);
  });

  it("the other does where the first could not write it", async () => {
    const [heir] = await twoAtOnce(left, taken);
    heir.taken();
    while (taken.length < 2) await aWhile();
    expect(left.size).toBe(0);
  });

  it("the other does where the first dies", async () => {
    const [heir] = await twoAtOnce(left, taken);
    heir.close();
    while (taken.length < 2) await aWhile();
    expect(left.size).toBe(0);
  });
});

it("who could not read what a dead one left looks again when it is asked", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  try {
    const [left, taken] = [new Set(["first"]), [] as string[]];
    const first = opening("first", left, taken);
    const second = opening("second", left, taken, () => Promise.reject(new Error("blocked")));
    expect(await second.others(["first"])).toContain("first");
    first.close();
    await aWhile();
    expect(await second.others(["first"])).not.toContain("first");
    expect(taken).toEqual([]);
  } finally {
    vi.unstubAllGlobals();
  }
});
