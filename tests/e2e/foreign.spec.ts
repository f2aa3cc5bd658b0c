// A client of another kind: yjs, y-websocket and @slate-yjs/core on the same server, in the same scene.
import { withYjs, YjsEditor } from "@slate-yjs/core";
import { createEditor, Editor, Node, Transforms } from "slate";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { expect, test } from "./fixtures.ts";

// What such a client may write in. What it meets in a document of format 1: tests/interop/formats.test.ts.
test.use({ serverFlags: ["--format", "0"] });

test("a y-websocket client with @slate-yjs/core joins, reads and edits along", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. MIXED COMPANY - DAY\nFrom the browser.");
  await ada.saved();

  const doc = new Y.Doc();
  const provider = new WebsocketProvider(stage.server.scenes, "blank", doc, {
    WebSocketPolyfill: WebSocket as never,
    disableBc: true,
  });
  try {
    await expect.poll(() => provider.synced).toBe(true);
    const editor = withYjs(createEditor(), doc.get("content", Y.XmlText) as Y.XmlText);
    YjsEditor.connect(editor);
    const lines = () => editor.children.map((node) => Node.string(node));
    expect(lines()).toEqual(["INT. MIXED COMPANY - DAY", "From the browser."]);
    expect(editor.children[0]).toMatchObject({ type: "scene_heading" });

    Transforms.insertText(editor, " And from Node.", { at: Editor.end(editor, [1]) });
    Transforms.insertNodes(editor, { type: "action", id: "node1", children: [{ text: "A third line." }] } as never, {
      at: [2],
    });
    await expect
      .poll(() => ada.lines())
      .toEqual(["INT. MIXED COMPANY - DAY", "From the browser. And from Node.", "A third line."]);

    await ada.caret(2);
    await ada.type("\nAnd a fourth.");
    await expect
      .poll(lines)
      .toEqual(["INT. MIXED COMPANY - DAY", "From the browser. And from Node.", "A third line.", "And a fourth."]);

    // Each sees the other among those present.
    provider.awareness.setLocalState({ data: { name: "Node", color: "#0f766e" }, selection: null });
    await expect(ada.page.locator(".slate-yrs-avatar", { hasText: "Node" })).toBeVisible();
    const names = () => [...provider.awareness.getStates().values()].map((state) => state.data?.name);
    await expect.poll(names).toContain("Ada");
  } finally {
    provider.destroy();
    doc.destroy();
  }
});

test("a script that another program has emptied is begun again", async ({ stage }) => {
  const ada = await stage.join("Ada");
  await ada.caret(0);
  await ada.type("INT. SOON GONE");
  await ada.saved();
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(stage.server.scenes, "blank", doc, {
    WebSocketPolyfill: WebSocket as never,
    disableBc: true,
  });
  try {
    await expect.poll(() => provider.synced).toBe(true);
    const content = doc.get("content", Y.XmlText) as Y.XmlText;
    content.delete(0, content.length);
    await ada.page.getByRole("button", { name: /Begin with a scene/ }).click();
    // One goes on writing at once.
    await expect(ada.script).toBeFocused();
    await ada.selected();
    await ada.type("INT. BACK");
    await expect.poll(() => content.toString()).toContain("INT. BACK");
    expect(await ada.lines()).toEqual(["INT. BACK"]);
  } finally {
    provider.destroy();
    doc.destroy();
  }
});
