// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { Collab, Status } from "slate-yrs";
import { afterEach, expect, it, vi } from "vitest";
import { Fake, ONLINE } from "../../../../tests/unit/fake.ts";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";

const saved = vi.hoisted(() => vi.fn());
vi.mock("./files.ts", () => ({ save: saved }));

const { Notices } = await import("./notices.tsx");

afterEach(cleanup);

function open(): { set: (status: Partial<Status>) => void; fake: Fake; leave: () => boolean } {
  const fake = new Fake([]);
  Object.assign(fake, {
    exportPending: () => new Uint8Array([1, 2]),
    connect: () => fake.calls.push("connect"),
  });
  render(<Notices collab={fake.collab as unknown as Collab<ScenePresence>} title="Pilot" />);
  return {
    fake,
    set: (status) =>
      act(() => {
        fake.status = { ...ONLINE, ...status };
        fake.emit("status", fake.status);
      }),
    leave: () => !dispatchEvent(new Event("beforeunload", { cancelable: true })),
  };
}

it("says nothing while all is well", () => {
  const { set } = open();
  set({ connection: "offline", offlineSince: 1, saved: "local", pending: 3 });
  expect(document.querySelector(".notice")).toBeNull();
});

it("tells what is wrong with the device's storage, and that the window must stay open", () => {
  const { set } = open();
  for (const [storage, words] of [
    ["full", "storage is full"],
    ["corrupt", "copy cannot be read"],
    ["blocked", "Another window"],
  ] as const) {
    set({ storage, saved: "memory", pending: 1 });
    expect(screen.getByRole("status").textContent).toContain(words);
    expect(screen.getByRole("status").textContent).toContain("Keep this window open");
  }
});

it("f16: hands out what the server does not take", () => {
  const { set } = open();
  for (const status of [{ setAside: 2 }, { connection: "forbidden" }] as const) {
    set(status);
    fireEvent.click(screen.getByRole("button", { name: "Download them" }));
    expect(saved).toHaveBeenLastCalledWith("Pilot (not sent).yjs", new Uint8Array([1, 2]), expect.any(String));
  }
});

it("f24: takes a new token, and tries with it", async () => {
  const { set, fake } = open();
  set({ connection: "unauthorized", storage: "full" });
  fireEvent.change(screen.getByLabelText("Access token"), { target: { value: " fresh " } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in again" }));
  await act(() => new Promise((done) => setTimeout(done, 5)));
  expect(new URL(location.href).searchParams.get("token")).toBe("fresh");
  expect(fake.calls).toEqual(["connect"]);
  set({});
  expect(document.querySelector(".notice")).toBeNull();
});

it("asks before the page is left while something is in this window only", () => {
  const { set, leave } = open();
  expect(leave()).toBe(false);
  set({ connection: "offline", saved: "local", pending: 2 });
  expect(leave()).toBe(false);
  set({ connection: "offline", saved: "memory", pending: 1, storage: "full" });
  expect(leave()).toBe(true);
  cleanup();
  expect(leave()).toBe(false);
});
