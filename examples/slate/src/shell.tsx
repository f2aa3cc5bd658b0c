// What collaboration adds to an editor: everything that is not the editor itself.
import { type ReactNode, useEffect } from "react";
import { createEditor, type Editor } from "slate";
import { Editable, Slate, withReact } from "slate-react";
import { PresenceAvatars, RemoteCursors, StatusBadge, useCollab, useCollabEditor } from "slate-yrs/react";
import type { Example } from "./example.ts";
import { renderLeaf } from "./marks.tsx";

export interface Place {
  readonly id: string;
  readonly url: string;
  readonly name: string;
}

export function Shell({ example, place }: { example: Example; place: Place }): ReactNode {
  const { id, url, name } = place;
  const { initialValue, plugin, renderElement, toolbar: Toolbar, onKeyDown } = example;
  const { collab, error, readOnly } = useCollab({ id, url, presence: { name }, initialValue });
  const editor = useCollabEditor(collab, () => plugin(withReact(createEditor())));

  // For the console, and for tests/e2e/examples.spec.ts.
  useEffect(() => {
    Object.assign(window, { collab, editor });
  }, [collab, editor]);

  if (error) return <p role="alert">{error.message}</p>;
  if (!collab || !editor) return <p>Opening…</p>;
  return (
    <Slate editor={editor} initialValue={editor.children}>
      <header>
        <h1>{example.title}</h1>
        <StatusBadge collab={collab} />
        <PresenceAvatars collab={collab} />
      </header>
      {Toolbar && (
        <div role="toolbar" aria-label="Formats">
          <Toolbar />
        </div>
      )}
      <RemoteCursors editor={editor}>
        <Editable
          aria-label={example.title}
          readOnly={readOnly}
          renderElement={renderElement}
          renderLeaf={renderLeaf}
          onKeyDown={(event) => onKeyDown?.(editor as Editor, event)}
        />
      </RemoteCursors>
    </Slate>
  );
}
