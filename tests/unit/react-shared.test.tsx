// @vitest-environment jsdom
import { readFile } from "node:fs/promises";
import { act, render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { type Collab, init, open, type SharedMap } from "../../js/index.js";
import { useSharedMap } from "../../js/react.js";

it("renders a map again when something in it changes, and only then", async () => {
  await init(await readFile("pkg/slate_yrs_bg.wasm"));
  const collab = await open({ id: "hook", offline: false });
  const seen: SharedMap<string>[] = [];
  function Title({ of }: { of: Collab | null }) {
    const title = useSharedMap<string>(of, "title");
    seen.push(title);
    return <p>{title.get("name") ?? "nothing"}</p>;
  }
  const { rerender } = render(<Title of={null} />);
  expect(screen.getByText("nothing")).toBeTruthy();
  expect(() => seen.at(-1)!.set("name", "x")).toThrow("there is no document");
  rerender(<Title of={collab} />);
  const before = seen.length;
  act(() => collab.map("other").set("name", "Other"));
  expect(seen.length).toBe(before);
  act(() => seen.at(-1)!.set("name", "Draft"));
  expect(screen.getByText("Draft")).toBeTruthy();
  expect(seen.at(-1)).not.toBe(seen.at(before - 1));
  act(() => void collab.undo());
  expect(screen.getByText("nothing")).toBeTruthy();
  await collab.close();
});
