// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { Collab, Status } from "slate-yrs";
import { afterEach, expect, it, vi } from "vitest";
import { Fake, ONLINE } from "../../../../tests/unit/fake.ts";
import type { ScenePresence } from "../components/collaborative-screenplay-editor.tsx";

const saved = vi.hoisted(() => vi.fn());
vi.mock("./files.ts", () => ({ save: saved, saveFountain: saved }));

const { Notices } = await import("./notices.tsx");
const { go } = await import("./address.ts");
const { currentToken } = await import("./token.ts");

afterEach(cleanup);

function open(): { set: (status: Partial<Status>) => void; fake: Fake; leave: () => boolean } {
  const fake = new Fake([]);
  Object.assign(fake, {
    exportPending: () => new Uint8Array([1, 2]),
    connect: () => fake.calls.push("connect"),
    map: () => ({ entries: () => new Map([["Author", { name: "Author", text: "Ada", at: 0 }]]) }),
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
    ["blocked", "does not let the script be kept"],
  ] as const) {
    set({ storage, saved: "memory", pending: 1 });
    expect(screen.getByRole("status").textContent).toContain(words);
    expect(screen.getByRole("status").textContent).toContain("Keep this window open");
  }
});

it("f16: hands out what the server does not take", () => {
  const { set } = open();
  for (const status of [{ setAside: 2 }, { connection: "forbidden", pending: 1, saved: "local" }] as const) {
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
  expect([currentToken(), sessionStorage.getItem("screenplay.token")]).toEqual(["fresh", "fresh"]);
  expect(location.href).not.toContain("fresh");
  expect(fake.calls).toEqual(["connect"]);
  // While it is being tried, the form stays as it is.
  const form = screen.getByRole("form");
  set({ connection: "connecting", synced: false });
  expect(screen.getByRole("form")).toBe(form);
  set({});
  expect(document.querySelector(".notice")).toBeNull();
});

it("does not say that something is kept on this device which is not", () => {
  const { set } = open();
  for (const connection of ["forbidden", "unauthorized"] as const) {
    set({ connection, synced: false, saved: "memory", pending: 1 });
    expect(screen.getByRole("status").textContent).not.toContain("kept on this device");
    expect(screen.getByRole("status").textContent).toContain("in this window only");
  }
  set({ connection: "forbidden" });
  expect(screen.getByRole("status").textContent).toBe("You have no access to this script.");
  expect(screen.queryByRole("button")).toBeNull();
});

it("f6: a conflict's choice that fails can be made again, and what is one's own is discarded only when one is sure", async () => {
  // jsdom has no modal dialogs.
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
  const { set, fake } = open();
  let failing = true;
  Object.assign(fake, {
    takeServer: async () => {
      fake.calls.push("takeServer");
      if (failing) throw new Error("no connection");
    },
  });
  set({ connection: "offline", conflict: "epoch", synced: false });
  fireEvent.click(screen.getByRole("button", { name: "Download mine as Fountain" }));
  expect(saved).toHaveBeenLastCalledWith("Pilot", [], [["Author", "Ada"]]);
  const take = async () => {
    fireEvent.click(screen.getByRole("button", { name: "Yes, show the server’s version" }));
    await act(async () => {});
  };
  fireEvent.click(screen.getByRole("button", { name: "Continue with the server’s version" }));
  expect(fake.calls).toEqual([]);
  await take();
  expect(screen.getByRole("alert").textContent).toContain("no connection");
  failing = false;
  await take();
  expect(fake.calls).toEqual(["takeServer", "takeServer"]);
  expect(screen.queryByRole("alert")).toBeNull();
});

it("another script takes the place of this one only when nothing is lost, or one wants it so", () => {
  const { set } = open();
  const ask = vi.spyOn(window, "confirm").mockReturnValue(false);
  const here = location.href;
  set({ connection: "offline", saved: "memory", pending: 1, storage: "full" });
  expect(go({ scene: "other" })).toBe(false);
  expect([location.href, ask.mock.calls.length]).toEqual([here, 1]);
  ask.mockReturnValue(true);
  expect(go({ scene: "other" })).toBe(true);
  expect(go({ scene: null })).toBe(true);
  set({ connection: "offline", saved: "local", pending: 1 });
  ask.mockClear();
  expect(go({ scene: "other" })).toBe(true);
  expect(ask).not.toHaveBeenCalled();
  go({ scene: null });
  ask.mockRestore();
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
