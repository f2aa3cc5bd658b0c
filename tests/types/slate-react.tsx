// Compiled, never run: what the public types of `slate-yrs/slate` and `slate-yrs/react` accept, and what they refuse.
import { type BaseEditor, createEditor, type DecoratedRange, type NodeEntry, type Range } from "slate";
import { type ReactEditor, withReact } from "slate-react";
import type { Collab, CollabError, Peer, Presence, Status } from "../../js/index.js";
import {
  PresenceAvatars,
  RemoteCursors,
  StatusBadge,
  useCollab,
  useCollabEditor,
  useDecorateCursors,
  usePeers,
  useStatus,
} from "../../js/react.js";
import { anchor, type CollabEditor, resolve, withCollab } from "../../js/slate.js";

/** Exactly the same type, `any` told apart. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

interface Person extends Presence {
  name: string;
  role: "writer" | "reader";
}

declare const collab: Collab<Person>;

// --- slate
const bare = withCollab(createEditor(), collab);
same<typeof bare.collab, Collab>(true);
const rich = withCollab(withReact(createEditor()), collab, { cursors: false });
rich satisfies BaseEditor & ReactEditor & CollabEditor;
same<ReturnType<typeof rich.undo>, boolean>(true);
// @ts-expect-error the document of a bound editor does not change
rich.collab = collab;
// @ts-expect-error no such option
withCollab(createEditor(), collab, { cursor: true });
// @ts-expect-error a document is needed
withCollab(createEditor());
const position = anchor(rich, rich.selection!);
same<typeof position, string>(true);
const found = resolve(rich, position);
same<typeof found, Range | null>(true);
// @ts-expect-error an editor that is not bound has no anchors
anchor(createEditor(), rich.selection!);

// --- react
export function Component(): unknown[] {
  const opened = useCollab<Person>({ id: "scene", presence: { name: "Ada", role: "writer" } });
  same<typeof opened.collab, Collab<Person> | null>(true);
  same<typeof opened.error, CollabError | null>(true);
  useCollab(null);
  useCollab({ id: "scene", token: async () => "secret", offline: { durability: "strict" } });
  // @ts-expect-error a document has an id
  useCollab({ url: "wss://example.org" });
  // @ts-expect-error no such role
  useCollab<Person>({ id: "scene", presence: { name: "Ada", role: "king" } });

  const editor = useCollabEditor(opened.collab, () => withReact(createEditor()));
  editor satisfies (BaseEditor & ReactEditor & CollabEditor) | null;
  // @ts-expect-error null until there is a document
  useCollabEditor(opened.collab, createEditor).undo();

  const status = useStatus(opened.collab);
  same<typeof status, Status>(true);
  const peers = usePeers(opened.collab);
  same<typeof peers, readonly Peer<Person>[]>(true);
  const decorate: (entry: NodeEntry) => DecoratedRange[] = useDecorateCursors(editor!);
  return [
    decorate,
    <RemoteCursors className="page" editor={editor!} key="1">
      text
    </RemoteCursors>,
    <PresenceAvatars collab={opened.collab} key="2" max={3} />,
    <StatusBadge collab={opened.collab} key="3" />,
    // @ts-expect-error a number
    <PresenceAvatars collab={opened.collab} key="4" max="3" />,
    // @ts-expect-error an editor is needed
    <RemoteCursors key="5" />,
  ];
}
