// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { createEditor } from "slate";
import { Slate, withReact } from "slate-react";
import type { Collab, Peer } from "slate-yrs";
import { afterEach, expect, it, vi } from "vitest";
import { Fake, peer } from "../../../../tests/unit/fake.ts";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { withScreenplay } from "../script/editor.ts";
import { PeopleBar } from "./people.tsx";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("says who types, who reads, and after a minute who is away", () => {
  vi.useFakeTimers();
  const fake = new Fake([]);
  const ben = { id: "ben", name: "Ben Ray", color: "#b42318" };
  const set = (peer: Partial<Peer<ScenePresence>>) =>
    act(() => {
      fake.peers = [{ clientId: 7, presence: ben, selection: null, typing: false, lastActive: Date.now(), ...peer }];
      fake.emit("peers", fake.peers);
    });
  set({});
  const editor = withScreenplay(withReact(createEditor()));
  const value = [{ id: "1", type: "action" as const, children: [{ text: "x" }] }];
  render(
    <Slate editor={editor} initialValue={value}>
      <PeopleBar collab={fake.collab as unknown as Collab<ScenePresence>} editor={editor} />
    </Slate>,
  );
  fireEvent.click(screen.getByRole("button", { name: "One other person is here" }));
  const doing = () => document.querySelector(".people-list .quiet")?.textContent;
  expect(doing()).toBe("Looking around");
  expect(screen.getByRole("button", { name: "Follow" })).toHaveProperty("disabled", true);
  set({ typing: true });
  expect(doing()).toBe("Typing…");
  const point = { path: [0, 0], offset: 1 };
  set({ selection: { anchor: point, focus: point } });
  expect(doing()).toBe("Reading along");
  act(() => vi.advanceTimersByTime(59_000));
  expect(doing()).toBe("Reading along");
  act(() => vi.advanceTimersByTime(2_000));
  expect(doing()).toBe("Away");
  set({ typing: true });
  expect(doing()).toBe("Typing…");
});

it("survives what peers may send, shows people and not windows", () => {
  const fake = new Fake([]);
  const point = { path: [0, 0], offset: 0 };
  const selection = { anchor: point, focus: point };
  fake.peers = [
    ...[{ name: 7, color: "url(http://evil)" }, null, { id: {}, name: "\u202eBen", color: "red;x" }],
    ...[1, 2].map(() => ({ id: "ada", name: "Ada", color: "#fff" })),
  ].map((presence, index) => ({ ...peer(index), presence, selection }) as never);
  const editor = withScreenplay(withReact(createEditor()));
  const value = [{ id: "1", type: "action" as const, children: [{ text: "x" }] }];
  const view = render(
    <Slate editor={editor} initialValue={value}>
      <PeopleBar collab={fake.collab as unknown as Collab<ScenePresence>} editor={editor} />
    </Slate>,
  );
  fireEvent.click(screen.getByRole("button", { name: "4 other people are here" }));
  const names = [...document.querySelectorAll(".people-list .name")].map((name) => name.textContent);
  expect(names).toEqual(["Anonymous", "Anonymous", "Ben", "Ada"]);
  expect(view.container.innerHTML).not.toMatch(/evil|red;x/);
  // Nobody's page is in this document: to follow them shows nothing, and throws nothing.
  fireEvent.click(screen.getAllByRole("button", { name: "Follow" })[3]!);
  expect(screen.getByRole("button", { name: "Following" })).toBeDefined();
});
