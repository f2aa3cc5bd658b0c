// Who hears whom: tabs of one document, and those whose document older versions do not know.
import { afterEach, expect, it } from "vitest";
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
