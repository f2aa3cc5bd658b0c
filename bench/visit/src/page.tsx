// What both pages have: an editor, and the marks from which the visit is told.
import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import { type BaseEditor, type Descendant, Editor, Transforms } from "slate";
import { Editable, type ReactEditor, type RenderElementProps, Slate } from "slate-react";

export type PageEditor = BaseEditor & ReactEditor;

const address = new URL(location.href).searchParams;
export const room = address.get("room") ?? "";
export const server = address.get("server") ?? "";

/** Milliseconds since the page was asked for. */
const marks: Record<string, number> = {};
(window as unknown as { visit: object }).visit = marks;

export function mark(name: string): void {
  marks[name] ??= performance.now();
}

mark("script");

// When the socket is asked for, when it is open, and when its largest message, the document, has come.
const Native = WebSocket;
window.WebSocket = class extends Native {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    mark("dialled");
    this.addEventListener("open", () => mark("connected"));
    this.addEventListener("message", ({ data }) => {
      if ((data instanceof ArrayBuffer ? data.byteLength : 0) > 50_000) mark("document");
    });
  }
};

/** After the next frame is painted. */
function painted(then: () => void): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(0);
  });
}

function Page({ editor, blocks }: { editor: PageEditor; blocks: number }) {
  useEffect(() => {
    if (editor.children.length < blocks) throw new Error(`${editor.children.length} blocks instead of ${blocks}`);
    mark("mounted");
    painted(() => {
      mark("shown");
      // The first key, in the middle of the screen.
      Transforms.select(editor, Editor.end(editor, [3]));
      editor.insertText("x");
      painted(() => mark("key"));
    });
  }, [editor, blocks]);
  return (
    <Slate editor={editor} initialValue={editor.children as Descendant[]}>
      <Editable renderElement={({ attributes, children }: RenderElementProps) => <p {...attributes}>{children}</p>} />
    </Slate>
  );
}

/** Shows the editor, and types the first key. */
export function show(editor: PageEditor): void {
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no #root");
  createRoot(root).render(<Page editor={editor} blocks={Number(address.get("blocks"))} />);
}
