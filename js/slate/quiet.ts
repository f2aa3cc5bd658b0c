// Changes of an editor that leave no trace of their own.
import { Editor } from "slate";

/** An editor with slate-history. */
interface HistoryLike {
  history?: { undos: unknown[]; redos: unknown[] };
}

/** Without normalizing, and without a trace in slate-history, whichever way it is stacked with this plugin. */
export function quietly(editor: Editor, body: () => void): void {
  const normalizing = Editor.isNormalizing(editor);
  Editor.setNormalizing(editor, false);
  try {
    withoutHistory(editor, body);
  } finally {
    Editor.setNormalizing(editor, normalizing);
  }
}

/** What `body` does with the editor goes into no step of slate-history. */
export function withoutHistory(editor: Editor, body: () => void): void {
  const holder = editor as HistoryLike;
  const { history } = holder;
  if (history === undefined) {
    body();
    return;
  }
  holder.history = { undos: [], redos: [] };
  try {
    body();
  } finally {
    holder.history = history;
  }
}
