// @vitest-environment jsdom
// What is shown of people and of the status, and how it is said.
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Status } from "../../js/index.js";
import { contrast, PALETTE, parseColor, relativeLuminance } from "../../js/react/colors.js";
import { colorOf, nameOf, PresenceAvatars, StatusBadge, statusText } from "../../js/react.js";
import { Fake, ONLINE, peer } from "./fake.js";

afterEach(cleanup);

describe("StatusBadge", () => {
  const say = (status: Partial<Status>) => statusText({ ...ONLINE, ...status }).text;

  it("says where the newest words are", () => {
    expect(say({})).toBe("Saved");
    expect(say({ saved: "local", pending: 2 })).toBe("Saving…");
    expect(say({ saved: "server", pending: 1 })).toBe("Saving…");
    expect(say({ connection: "offline", offlineSince: 1, saved: "local", pending: 12 })).toBe(
      "Offline · 12 changes kept on this device",
    );
    expect(say({ connection: "connecting", offlineSince: 1, saved: "local", pending: 1 })).toBe(
      "Offline · 1 change kept on this device",
    );
    expect(say({ connection: "offline", offlineSince: 1, saved: "memory", pending: 3, storage: "memory" })).toBe(
      "Offline · 3 changes kept in this window only",
    );
    expect(say({ connection: "offline", offlineSince: 1 })).toBe("Offline");
    expect(say({ syncingOfflineChanges: true, pending: 4, saved: "local" })).toBe("Offline changes syncing…");
    const kept = { saved: "local", pending: 4 } as const;
    const lost = { saved: "memory", pending: 1 } as const;
    for (const [status, text] of [
      [{ connection: "unauthorized" }, "Sign in again"],
      [{ connection: "forbidden" }, "No access"],
      [{ readOnly: true }, "Read only"],
      [{ storage: "full" }, "This device's storage is full"],
      [{ conflict: "epoch" }, "Replaced on the server"],
      [{ setAside: 1 }, "1 change could not be sent"],
      [{ connection: "closed" }, "Closed"],
      [{ synced: false }, "Connecting…"],
    ] as const) {
      expect(say(status)).toBe(text);
      expect(say({ ...status, ...kept })).toBe(`${text} · 4 changes kept on this device`);
      expect(say({ ...status, ...lost })).toBe(`${text} · 1 change kept in this window only`);
    }
    expect(say({ connection: "online", synced: false, progress: { received: 1, total: 9 } })).toBe("Loading…");
  });

  it("shows it, with progress, and speaks of what lasts", async () => {
    vi.useFakeTimers();
    const fake = new Fake([]);
    const view = render(<StatusBadge className="mine" collab={fake.collab} />);
    const badge = view.container.firstElementChild!;
    const set = (status: Partial<Status>) =>
      act(() => {
        fake.status = { ...ONLINE, ...status };
        fake.emit("status", fake.status);
      });
    expect([badge.className, badge.getAttribute("data-kind")]).toEqual(["slate-yrs-status mine", "saved"]);
    set({ saved: "local", pending: 1 });
    expect(badge.textContent).toContain("Saving…");
    set({});
    act(() => vi.advanceTimersByTime(5_000));
    expect(screen.getByRole("status").textContent).toBe("");
    set({ connection: "offline", offlineSince: 1, saved: "local", pending: 1 });
    act(() => vi.advanceTimersByTime(2_000));
    expect(screen.getByRole("status").textContent).toBe("Offline · 1 change kept on this device");
    set({ syncingOfflineChanges: true, pending: 1, progress: { received: 5, total: 20 } });
    expect(screen.getByRole("progressbar")).toMatchObject({ value: 5, max: 20 });
    set({});
    act(() => vi.advanceTimersByTime(2_000));
    expect(screen.getByRole("status").textContent).toBe("Saved");
    vi.useRealTimers();
  });
});

describe("PresenceAvatars", () => {
  it("shows people once, and counts those who do not fit", () => {
    const fake = new Fake([]);
    const ada = { name: "Ada Lovelace", id: "ada" };
    fake.peers = [
      { ...peer(1), presence: ada },
      { ...peer(2), presence: ada, typing: true },
      ...[3, 4, 5, 6].map((id) => peer(id)),
    ];
    const view = render(<PresenceAvatars collab={fake.collab} max={3} />);
    const items = screen.getAllByRole("listitem");
    expect(items.map((item) => item.textContent)).toEqual(["ALAda Lovelace is typing", "P3Peer 3, away", "+3"]);
    expect(screen.getByRole("list", { name: "5 other people here" })).toBeDefined();
    expect(items[2]?.title).toBe("Peer 4, Peer 5, Peer 6");
    view.unmount();
  });

  it("survives what peers may send", () => {
    const fake = new Fake([]);
    fake.peers = [null, 5, {}, { name: 7, color: {} }, { name: "", color: "url(evil)" }].map(
      (presence, index) => ({ ...peer(index), presence }) as never,
    );
    const view = render(<PresenceAvatars collab={fake.collab} />);
    expect(view.container.innerHTML).not.toContain("evil");
    expect(screen.getAllByRole("listitem")).toHaveLength(5);
    expect(nameOf({ name: `a\nb\u202ec${"d".repeat(900)}` })).toMatch(/^a b cd{54}…$/);
  });

  it("tells who is away when the minute is over, though nobody says so", () => {
    vi.useFakeTimers();
    const fake = new Fake([]);
    fake.peers = [{ ...peer(1), lastActive: Date.now() }];
    const view = render(<PresenceAvatars collab={fake.collab} />);
    const away = () => view.container.querySelectorAll("[data-idle]").length;
    act(() => vi.advanceTimersByTime(59_000));
    expect(away()).toBe(0);
    act(() => vi.advanceTimersByTime(2_000));
    expect(away()).toBe(1);
    vi.useRealTimers();
  });

  it("and the badge can be drawn by others, and leave the styling to them", () => {
    const fake = new Fake([]);
    fake.peers = [peer(1)];
    const view = render(
      <>
        <PresenceAvatars
          collab={fake.collab}
          renderPerson={({ name, color }) => <b title={color}>{name}!</b>}
          unstyled
        />
        <StatusBadge collab={fake.collab} unstyled>
          {({ kind, text }) => <i>{`${kind}: ${text}`}</i>}
        </StatusBadge>
      </>,
    );
    expect(view.container.querySelector("b")?.textContent).toBe("Peer 1!");
    expect(view.container.querySelector("i")?.textContent).toBe("saved: Saved");
    const avatar = view.container.querySelector<HTMLElement>(".slate-yrs-avatar");
    expect(avatar?.style.getPropertyValue("--slate-yrs-person")).toMatch(/^#/);
    expect(avatar?.getAttribute("style")?.replace(/--[\w-]+: [^;]+;\s*/g, "")).toBe("");
    expect(view.container.querySelector("[data-kind]")?.getAttribute("style")).toBeNull();
  });
});

describe("colours", () => {
  it("are stable, and readable on white, on black and under text", () => {
    expect(colorOf({ name: "Ada" }, 1)).toBe(colorOf({ name: "Ada" }, 2));
    expect(colorOf({ name: "Ada", color: "rgb(217, 58, 50)" }, 1)).toEqual({ color: "#d93a32", textColor: "#fff" });
    for (const own of [...PALETTE, "#000", "#fff", "#ff0", "#0000ff", "#123456", "#00000000", "hsl(60, 100%, 97%)"]) {
      const { color } = colorOf({ name: "x", color: own }, 0);
      if (PALETTE.includes(own)) expect(color).toBe(own);
      const luminance = relativeLuminance(parseColor(color)!);
      const dark = relativeLuminance([0x1b, 0x1b, 0x1f]);
      expect(contrast(luminance, 1), `${color} on white`).toBeGreaterThanOrEqual(3);
      expect(contrast(luminance, dark), `${color} on black`).toBeGreaterThanOrEqual(3);
      const text = colorOf({ name: "x", color }, 0).textColor === "#fff" ? 1 : 0;
      expect(contrast(luminance, text), `text on ${color}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("are read in the usual notations, and nothing else is one", () => {
    expect(parseColor("#fff")).toEqual([255, 255, 255]);
    expect(parseColor("#0c8599ff")).toEqual([12, 133, 153]);
    expect(parseColor("rgb(1, 2, 3)")).toEqual([1, 2, 3]);
    expect(parseColor("rgba(1 2 3 / 50%)")).toEqual([1, 2, 3]);
    expect(parseColor("hsl(120, 100%, 25%)")).toEqual([0, 128, 0]);
    for (const none of ["", "#12345", "url(x)", "red;", "rgb(a,b,c)"]) expect(parseColor(none)).toBeNull();
  });
});
