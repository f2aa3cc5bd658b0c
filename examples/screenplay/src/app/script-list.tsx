// The scripts to choose from, and a way to begin another.
import { type MouseEvent, type ReactNode, useState } from "react";
import { Icon } from "../ui/icons.tsx";
import { addressWith, go } from "./address.ts";
import { RemoveDialog } from "./remove-dialog.tsx";
import { addScene, isOwn, type SceneInfo } from "./scenes.ts";

export function ScriptList({ scenes, open }: { scenes: readonly SceneInfo[]; open: string }): ReactNode {
  const [naming, setNaming] = useState(false);
  const [removing, setRemoving] = useState<SceneInfo | null>(null);
  const choose = (event: MouseEvent, id: string) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go({ scene: id });
  };
  return (
    <section className="scripts" aria-labelledby="scripts-title">
      <h2 id="scripts-title" className="section-title">
        Scripts
        <button
          type="button"
          className="tool small"
          aria-label="New script"
          title="New script"
          onClick={() => setNaming(true)}
        >
          <Icon name="plus" />
        </button>
      </h2>
      {naming && (
        <form
          className="new-script"
          onSubmit={(event) => {
            event.preventDefault();
            const title = String(new FormData(event.currentTarget).get("title") ?? "").trim();
            setNaming(false);
            if (title) go({ scene: addScene(title) });
          }}
        >
          <input
            name="title"
            aria-label="Title of the new script"
            placeholder="Title"
            maxLength={80}
            onBlur={(event) => !event.target.value && setNaming(false)}
            onKeyDown={(event) => event.key === "Escape" && setNaming(false)}
            // biome-ignore lint/a11y/noAutofocus: asked for by pressing the button
            autoFocus
          />
        </form>
      )}
      <ul>
        {scenes.map((scene) => {
          const { id, title, note } = scene;
          return (
            <li key={id}>
              <a
                href={addressWith({ scene: id })}
                aria-current={id === open ? "page" : undefined}
                onClick={(event) => choose(event, id)}
              >
                <span className="name">{title}</span>
                <span className="quiet">{note}</span>
              </a>
              {isOwn(id) && (
                <button
                  type="button"
                  className="tool small remove"
                  aria-label={`Remove ${title}`}
                  title="Remove from the list"
                  onClick={() => setRemoving(scene)}
                >
                  <Icon name="close" />
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {removing && <RemoveDialog scene={removing} open={removing.id === open} onClose={() => setRemoving(null)} />}
    </section>
  );
}
