import { Transforms } from "slate";
import { afterEach, expect, it, vi } from "vitest";
import { createScriptEditor } from "../script/editor.ts";
import { InsightStore } from "./insights.ts";

afterEach(() => void vi.useRealTimers());

it("what is known of the script follows who types without a pause, at the latest after a second", () => {
  vi.useFakeTimers();
  const editor = createScriptEditor([{ id: "a", type: "action", children: [{ text: "One" }] }]);
  const store = new InsightStore(editor);
  let told = 0;
  store.subscribe(() => {
    told += 1;
  });
  for (let key = 0; key < 36; key += 1) {
    Transforms.insertText(editor, " more", { at: { path: [0, 0], offset: 3 } });
    store.changed();
    vi.advanceTimersByTime(50);
  }
  expect(told).toBe(1);
  expect(store.get().words).toBeGreaterThan(15);
  vi.advanceTimersByTime(120);
  expect([told, store.get().words]).toEqual([2, 37]);
});
