// The example's Slate editor on yjs, y-websocket and @slate-yjs/core, as its documentation sets it up: the binding, the
// history, and the cursors of others. (They are received, not drawn, and nothing is kept on the device: work that is
// left to slate-yrs.)
import { withCursors, withYHistory, withYjs, YjsEditor } from "@slate-yjs/core";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { createScreenplayEditor } from "../../../examples/screenplay/src/hooks/use-yjs-slate-binding.ts";
import type { ScriptEditor } from "../../../examples/screenplay/src/script/slate.ts";

export function openSlateYjs(
  server: string,
  scene: string,
  person: Record<string, unknown>,
  ready: (editor: ScriptEditor) => void,
): () => void {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(server, scene, doc, { disableBc: true });
  const root = doc.get("content", Y.XmlText) as Y.XmlText;
  const bound = withYHistory(
    withCursors(withYjs(createScreenplayEditor() as never, root), provider.awareness, { data: person }),
  );
  provider.once("sync", () => {
    YjsEditor.connect(bound);
    ready(bound as unknown as ScriptEditor);
  });
  return () => {
    YjsEditor.disconnect(bound);
    provider.destroy();
    doc.destroy();
  };
}
