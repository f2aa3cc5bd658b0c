// @vitest-environment jsdom
// The hooks that the example offers in the place of an application's own: documents are fakes, React is real.
import { act, cleanup, render } from "@testing-library/react";
import { type ReactElement, StrictMode } from "react";
import { Node, Transforms } from "slate";
import { Editable, Slate } from "slate-react";
import type { Collab, CollabError, OpenOptions, Status } from "slate-yrs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { engine as packed } from "../../../../dist/engine.js";
import { engine } from "../../../../js/engine.ts";
import { block, Fake, ONLINE } from "../../../../tests/unit/fake.ts";
import { roleOf, useReadOnly } from "./use-read-only.ts";
import {
  syncStatusOf,
  useYjsCollaboration,
  type YjsCollaboration,
  type YjsCollaborationOptions,
} from "./use-yjs-collaboration.ts";
import { type BoundEditor, useYjsSlateBinding } from "./use-yjs-slate-binding.ts";

const opened: { options: OpenOptions; fake: Fake; closed: number }[] = [];
let refusal: Error | null = null;

// As the built package imports it.
vi.mock("../../../../dist/index.js", () => ({
  open: vi.fn(async (options: OpenOptions) => {
    await Promise.resolve();
    if (refusal !== null) throw refusal;
    const entry = { options, fake: new Fake([block(`text of ${options.id}`)]), closed: 0 };
    Object.assign(entry.fake, {
      [packed]: entry.fake[engine],
      close: async () => {
        entry.closed++;
      },
      connect: () => entry.fake.calls.push("connect"),
      disconnect: () => entry.fake.calls.push("disconnect"),
      setPresence: (presence: unknown) => entry.fake.calls.push(`presence ${JSON.stringify(presence)}`),
    });
    opened.push(entry);
    return entry.fake.collab;
  }),
}));

const settle = () => act(() => new Promise((done) => setTimeout(done, 5)));

beforeEach(() => {
  opened.length = 0;
  refusal = null;
  localStorage.clear();
});
afterEach(cleanup);

let now: YjsCollaboration;
let editor: BoundEditor | null;
let renders = 0;
const alone = () => [block("alone")];

function Scene(options: Partial<YjsCollaborationOptions>): ReactElement {
  now = useYjsCollaboration({ sceneId: "one", serverUrl: "ws://server/ws/scenes", ...options });
  editor = useYjsSlateBinding({ doc: now.doc, enabled: options.enabled ?? true, initialValue: alone });
  renders += 1;
  if (editor === null) return <p>opening</p>;
  return (
    <Slate editor={editor as never} initialValue={editor.children}>
      <Editable />
    </Slate>
  );
}

function set(fake: Fake, status: Partial<Status>): void {
  act(() => {
    fake.status = { ...ONLINE, ...status };
    fake.emit("status", fake.status);
  });
}

const failure = (code: string) => Object.assign(new Error(`it is ${code}`), { code }) as unknown as CollabError;

describe("useYjsCollaboration", () => {
  it("tells its status in one of five words, and each change once", async () => {
    const heard: string[] = [];
    render(
      <StrictMode>
        <Scene onSyncStatusChange={(status) => heard.push(status)} />
      </StrictMode>,
    );
    expect([now.syncStatus, now.isConnected, now.doc]).toEqual(["connecting", false, null]);
    await settle();
    expect([now.syncStatus, now.isConnected]).toEqual(["synced", true]);
    const { fake } = opened[0]!;
    set(fake, { connection: "offline", synced: false });
    expect([now.syncStatus, now.isConnected]).toEqual(["offline", false]);
    set(fake, { connection: "connecting", synced: false });
    set(fake, { synced: false });
    expect([now.syncStatus, now.isConnected]).toEqual(["connected", true]);
    set(fake, {});
    expect(heard.filter((status, index) => status !== heard[index - 1])).toEqual([
      ...["connecting", "synced", "offline", "connecting", "connected", "synced"],
    ]);
    for (const connection of ["unauthorized", "forbidden"] as const) {
      expect(syncStatusOf({ ...ONLINE, connection })).toBe("error");
    }
    expect(syncStatusOf({ ...ONLINE, connection: "offline", synced: false, conflict: "epoch" })).toBe("error");
  });

  it("does not render for what it does not return", async () => {
    render(<Scene />);
    await settle();
    const before = renders;
    set(opened[0]!.fake, { saved: "local", pending: 1 });
    set(opened[0]!.fake, {});
    expect(renders).toBe(before);
  });

  it("f5: begins another scene with that scene's content, not with the one before", async () => {
    const begin = (text: string) => () => [block(text)];
    const view = render(<Scene initialValue={begin("first")} />);
    await settle();
    view.rerender(<Scene initialValue={begin("second")} sceneId="two" />);
    await settle();
    expect(opened.map(({ options }) => [options.id, options.initialValue])).toEqual([
      ["one", begin("first")()],
      ["two", begin("second")()],
    ]);
    expect(opened.map(({ closed }) => closed)).toEqual([1, 0]);
  });

  it("tells of updates and errors, also a listener that came or changed after the opening", async () => {
    const heard: string[] = [];
    const view = render(<Scene />);
    await settle();
    const { fake } = opened[0]!;
    view.rerender(
      <Scene onError={({ code }) => heard.push(code)} onUpdate={(update) => heard.push(`${update.length} bytes`)} />,
    );
    act(() => {
      fake.emit("update", { update: new Uint8Array(3), origin: "local" });
      fake.emit("error", failure("storage"));
    });
    view.rerender(<Scene onUpdate={() => heard.push("another")} />);
    act(() => fake.emit("update", { update: new Uint8Array(3), origin: "remote" }));
    expect(heard).toEqual(["3 bytes", "storage", "another"]);
    view.unmount();
    await settle();
    expect(fake.listeners()).toBe(0);
  });

  it("forgets the error of a connection that works again", async () => {
    render(<Scene />);
    await settle();
    const { fake } = opened[0]!;
    const error = failure("unauthorized");
    set(fake, { connection: "unauthorized", synced: false, error });
    expect([now.syncStatus, now.connectionError]).toEqual(["error", error]);
    set(fake, { error });
    expect([now.syncStatus, now.connectionError]).toEqual(["synced", null]);
  });

  it("reconnects, and opens again what could not be opened", async () => {
    const heard: string[] = [];
    refusal = failure("storage");
    render(<Scene onError={({ code }) => heard.push(code)} />);
    await settle();
    expect([now.syncStatus, now.connectionError, heard]).toEqual(["error", refusal, ["storage"]]);
    refusal = null;
    act(() => now.reconnect());
    await settle();
    expect([now.syncStatus, now.connectionError]).toEqual(["synced", null]);
    now.reconnect();
    now.provider?.disconnect();
    now.provider?.connect();
    now.awareness?.setLocalState({ name: "Grace" });
    expect(opened[0]?.fake.calls).toEqual(["connect", "disconnect", "connect", 'presence {"name":"Grace"}']);
    expect(now.provider?.status).toBe(opened[0]?.fake.status);
    expect(now.awareness?.peers).toEqual([]);
  });

  it("opens nothing where it is not enabled, and the editor works alone", async () => {
    const view = render(<Scene enabled={false} />);
    await settle();
    expect(opened).toHaveLength(0);
    expect([now.doc, now.provider, now.awareness, now.syncStatus]).toEqual([null, null, null, "offline"]);
    now.reconnect();
    expect(view.container.textContent).toBe("alone");
    act(() => Transforms.insertText(editor!, "!", { at: { path: [0, 0], offset: 5 } }));
    expect(Node.string(editor!)).toBe("alone!");
    act(() => editor?.undo?.());
    expect(Node.string(editor!)).toBe("alone");
    view.rerender(<Scene enabled />);
    await settle();
    expect(view.container.textContent).toBe("text of one");
  });
});

describe("useYjsSlateBinding", () => {
  it("binds a screenplay editor to the document, both ways", async () => {
    render(<Scene />);
    await settle();
    const { fake } = opened[0]!;
    act(() => Transforms.insertText(editor!, "the ", { at: { path: [0, 0], offset: 0 } }));
    act(() => fake.receive([{ type: "insert_text", path: [0, 0], offset: 0, text: "Of " }]));
    expect([Node.string(editor!), fake.edits.length]).toEqual(["Of the text of one", 1]);
    expect(editor?.collab).toBe(fake);
    expect(fake.value().map((node) => Node.string(node))).toEqual(["Of the text of one"]);
  });
});

describe("useReadOnly", () => {
  function Role({ fake }: { fake: Fake }): ReactElement {
    return <b>{useReadOnly(fake.collab as unknown as Collab, "server one") ? "reads" : "writes"}</b>;
  }

  it("keeps to what the server said last while it cannot be asked, also after a reload", () => {
    const fake = new Fake([]);
    const view = render(<Role fake={fake} />);
    const says = () => view.container.textContent;
    expect(says()).toBe("writes");
    const offline = { connection: "offline", synced: false } as const;
    set(fake, { readOnly: true });
    expect(says()).toBe("reads");
    set(fake, offline);
    expect(says()).toBe("reads");
    view.unmount();
    const again = render(<Role fake={fake} />);
    expect(again.container.textContent).toBe("reads");
    set(fake, { synced: false });
    expect(again.container.textContent).toBe("reads");
    set(fake, {});
    set(fake, offline);
    expect(again.container.textContent).toBe("writes");
    set(fake, { connection: "forbidden", synced: false });
    set(fake, offline);
    expect(again.container.textContent).toBe("reads");
    expect(roleOf({ ...ONLINE, connection: "forbidden" })).toBe("nobody");
  });
});
