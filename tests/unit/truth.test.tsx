// @vitest-environment jsdom
// What an application is told, and what it may do, beside the engine: readers, documents without a server, pages that
// come back.
import { act, render, renderHook } from "@testing-library/react";
import { createEditor, Editor, Node, Transforms } from "slate";
import { afterEach, expect, it, vi } from "vitest";
import { CollabError } from "../../js/errors.js";
import { watchPage } from "../../js/page.js";
import { StatusBadge, statusText, useReadOnly } from "../../js/react.js";
import { withCollab } from "../../js/slate.js";
import { block, Fake, ONLINE } from "./fake.js";

afterEach(() => vi.restoreAllMocks());

it("a document without a server is not offline", () => {
  const local = { ...ONLINE, local: true, connection: "offline", synced: false, offlineSince: null } as const;
  expect(statusText({ ...local, saved: "local", pending: 3 })).toMatchObject({
    kind: "saved",
    text: "Saved on this device",
  });
  expect(statusText({ ...local, saved: "memory", pending: 3 })).toMatchObject({ kind: "saving", text: "Saving…" });
  expect(statusText({ ...local, saved: "memory", storage: "memory" })).toMatchObject({
    kind: "problem",
    text: "Kept in this window only",
  });
});

it("says why there is no connection", () => {
  const error = new CollabError("unauthorized", "token() has not answered for 10 s");
  const offline = { ...ONLINE, connection: "offline", synced: false, offlineSince: 1, error } as const;
  expect(statusText(offline)).toMatchObject({ text: "Offline", detail: error.message });
  expect(statusText({ ...offline, connection: "connecting", offlineSince: null }).detail).toBe(error.message);
  expect(statusText({ ...ONLINE, error }).detail).toBe("");
  const fake = new Fake([]);
  fake.status = offline;
  const { container } = render(<StatusBadge collab={fake.collab} />);
  expect(container.querySelector(".slate-yrs-status")?.getAttribute("title")).toBe(error.message);
});

it("hooks say when a user may only read, and render for nothing else", () => {
  const fake = new Fake([]);
  let renders = 0;
  const { result } = renderHook(() => {
    renders += 1;
    return useReadOnly(fake.collab);
  });
  const set = (status: Partial<typeof ONLINE>) =>
    act(() => {
      fake.status = { ...fake.status, ...status };
      fake.emit("status", fake.status);
    });
  expect(result.current).toBe(false);
  set({ readOnly: true });
  expect(result.current).toBe(true);
  const before = renders;
  set({ pending: 3 });
  expect(renders).toBe(before);
  set({ readOnly: false });
  expect(result.current).toBe(false);
});

/** An editor whose rule is that the last block is empty. */
function withLastBlock(fake: Fake) {
  const editor = createEditor();
  const { normalizeNode } = editor;
  editor.normalizeNode = (entry, options) => {
    const last = editor.children[editor.children.length - 1];
    if (entry[1].length > 0 || last === undefined || Node.string(last) === "") return normalizeNode(entry, options);
    Transforms.insertNodes(editor, block(""), { at: [editor.children.length] });
  };
  return withCollab(editor, fake.collab);
}

it("a reader's normalizers write nothing, whoever calls them", () => {
  const fake = new Fake([block("text")]);
  fake.status = { ...ONLINE, readOnly: true };
  const editor = withLastBlock(fake);
  Editor.normalize(editor, { force: true });
  expect(fake.edits).toEqual([]);
  expect(editor.children).toEqual(fake.value());
  // From the moment on in which somebody may write, they do.
  fake.status = ONLINE;
  fake.emit("status", fake.status);
  Editor.normalize(editor, { force: true });
  expect(fake.edits.map(({ op }) => op.type)).toEqual(["insert_node"]);
  // And back.
  fake.status = { ...ONLINE, readOnly: true };
  fake.emit("status", fake.status);
  fake.receive([{ type: "remove_node", path: [1], node: block("") }]);
  Editor.normalize(editor, { force: true });
  expect(fake.edits).toHaveLength(1);
  expect(editor.children).toEqual(fake.value());
});

it("tells of everyone who comes back to the page", () => {
  const heard: string[] = [];
  const stop = watchPage({
    online: (online) => heard.push(`online ${online}`),
    suspend: () => heard.push("suspend"),
    awake: () => heard.push("awake"),
  });
  globalThis.dispatchEvent(new Event("focus"));
  globalThis.dispatchEvent(new Event("pageshow"));
  const visibility = vi.spyOn(document, "visibilityState", "get");
  visibility.mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  visibility.mockReturnValue("visible");
  document.dispatchEvent(new Event("visibilitychange"));
  globalThis.dispatchEvent(new Event("offline"));
  expect(heard).toEqual(["awake", "awake", "suspend", "awake", "online false"]);
  stop();
  globalThis.dispatchEvent(new Event("focus"));
  expect(heard).toHaveLength(5);
});
