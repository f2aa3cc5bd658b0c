// The example's editor on either engine: `?engine=slate-yrs|slate-yjs&scene=ID&server=ws://…`. The same components, the
// same script, the same plugins; what differs is what binds the editor to the document.
import { type ReactNode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { RemoteCursors } from "slate-yrs/react";
import type { CollabEditor } from "slate-yrs/slate";
import { ScreenplayEditor } from "../../../examples/screenplay/src/components/screenplay-editor.tsx";
import { useYjsCollaboration } from "../../../examples/screenplay/src/hooks/use-yjs-collaboration.ts";
import { useYjsSlateBinding } from "../../../examples/screenplay/src/hooks/use-yjs-slate-binding.ts";
import type { ScriptEditor } from "../../../examples/screenplay/src/script/slate.ts";
import { openSlateYjs } from "./slate-yjs.ts";
import "@fontsource/courier-prime/latin-400.css";
import "@fontsource/courier-prime/latin-400-italic.css";
import "@fontsource/courier-prime/latin-700.css";
import "@fontsource-variable/inter/wght.css";
import "../../../examples/screenplay/src/styles/theme.css";
import "../../../examples/screenplay/src/styles/layout.css";
import "../../../examples/screenplay/src/styles/page.css";
import "../../../examples/screenplay/src/styles/panels.css";
import "../../../examples/screenplay/src/styles/collab.css";

/** An earlier editor has none of it. */
const production = import.meta.glob<{
  lockPages?: (editor: ScriptEditor) => void;
  reviseIn?: (editor: ScriptEditor, set: number) => void;
}>("../../../examples/screenplay/src/script/{locking,revising}.ts", { eager: true });

const address = new URL(location.href).searchParams;
const scene = address.get("scene") ?? "typing";
const server = address.get("server") ?? "";
const person = { id: "me", name: "Me", color: "#4338ca" };
const nothing = () => [];

function OnSlateYrs(): ReactNode {
  const { doc } = useYjsCollaboration({ sceneId: scene, serverUrl: server, presence: person });
  const editor = useYjsSlateBinding({ doc, enabled: true, initialValue: nothing });
  const [ready, setReady] = useState(false);
  useEffect(() => {
    // What the server has comes in while nothing is mounted, in both.
    const timer = setInterval(() => {
      if (editor && editor.children.length > 1) setReady(true);
    }, 50);
    return () => clearInterval(timer);
  }, [editor]);
  useEffect(() => {
    if (!editor || !ready || !address.has("revised")) return;
    for (const part of Object.values(production)) {
      part.lockPages?.(editor);
      part.reviseIn?.(editor, 1);
    }
  }, [editor, ready]);
  if (!editor || !ready) return null;
  return (
    <ScreenplayEditor
      editor={editor}
      title="slate-yrs"
      around={(page) => <RemoteCursors editor={editor as typeof editor & CollabEditor}>{page({})}</RemoteCursors>}
    />
  );
}

function OnSlateYjs(): ReactNode {
  const [editor, setEditor] = useState<ScriptEditor | null>(null);
  useEffect(() => openSlateYjs(server, scene, person, setEditor), []);
  return editor && <ScreenplayEditor editor={editor} title="slate-yjs" />;
}

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(address.get("engine") === "slate-yjs" ? <OnSlateYjs /> : <OnSlateYrs />);
