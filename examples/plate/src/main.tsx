// A Plate editor for several people. What is Plate's own stays as it is, nodeId among it; what collaboration adds is
// `useCollab`, `useCollabEditor`, the badge and the carets.
import { BasicBlocksPlugin, BasicMarksPlugin } from "@platejs/basic-nodes/react";
import { createPlateEditor, Plate, PlateContent, type PlateEditor } from "platejs/react";
import { type ReactNode, StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";
import type { BaseEditor } from "slate";
import { PresenceAvatars, RemoteCursors, StatusBadge, useCollab, useCollabEditor } from "slate-yrs/react";
import "./style.css";

const query = new URLSearchParams(location.search);
const place = {
  id: query.get("id") ?? "plate",
  url: query.get("server") ?? `${location.origin.replace(/^http/, "ws")}/ws/scenes`,
  presence: { name: query.get("name") ?? "Somebody" },
};

/** Plate brings a value and normalizes it by itself, unless it is told that both come from elsewhere. */
const create = () =>
  createPlateEditor({
    plugins: [BasicBlocksPlugin, BasicMarksPlugin],
    skipInitialization: true,
  }) as unknown as PlateEditor & BaseEditor;

const MARKS = ["bold", "italic", "underline", "code"] as const;
const BLOCKS = ["p", "h1", "h2", "blockquote"] as const;

function Toolbar({ editor }: { editor: PlateEditor }): ReactNode {
  const button = (name: string, press: () => void) => (
    <button key={name} type="button" onMouseDown={(event) => event.preventDefault()} onClick={press}>
      {name}
    </button>
  );
  return (
    <div role="toolbar" aria-label="Formats">
      {MARKS.map((mark) => button(mark, () => editor.tf.toggleMark(mark)))}
      {BLOCKS.map((type) => button(type, () => editor.tf.setNodes({ type })))}
    </div>
  );
}

function Scene(): ReactNode {
  const { collab, error, readOnly } = useCollab(place);
  const editor = useCollabEditor(collab, create);

  // For the console, and for tests/e2e/examples.spec.ts.
  useEffect(() => {
    Object.assign(window, { collab, editor });
  }, [collab, editor]);

  if (error) return <p role="alert">{error.message}</p>;
  if (!collab || !editor) return <p>Opening…</p>;
  return (
    <Plate editor={editor} readOnly={readOnly}>
      <header>
        <h1>Plate</h1>
        <StatusBadge collab={collab} />
        <PresenceAvatars collab={collab} />
      </header>
      <Toolbar editor={editor} />
      <RemoteCursors editor={editor}>
        <PlateContent aria-label="Plate" />
      </RemoteCursors>
    </Plate>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Scene />
  </StrictMode>,
);
