// The application: which script is open, who writes, and what stands around the page.
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { CollaborativeScreenplayEditor, type ScenePresence } from "../components/collaborative-screenplay-editor.tsx";
import { DrawerProvider, Frame, type ScreenplayEditorSlots } from "../components/frame.tsx";
import type { YjsCollaboration } from "../hooks/use-yjs-collaboration.ts";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { useAddress } from "./address.ts";
import { DebugPanel } from "./debug-panel.tsx";
import { HistoryPanel } from "./history-panel.tsx";
import { MoreMenu } from "./more-menu.tsx";
import { NotesButton, NotesPanel, NotesProvider } from "./notes.tsx";
import { Notices } from "./notices.tsx";
import { PeopleBar, SavedBadge } from "./people.tsx";
import { usePerson } from "./person.ts";
import { PersonMenu } from "./person-menu.tsx";
import { useRemembered } from "./remembered.ts";
import { RenameForm } from "./rename.tsx";
import { RevisionsPanel } from "./revisions.tsx";
import { type SceneInfo, sceneList } from "./scenes.ts";
import { ScriptList } from "./script-list.tsx";
import { useTheme } from "./theme.ts";
import { Front, TitlePagePanel } from "./title-page.tsx";
import { currentToken } from "./token.ts";
import { WrittenBar } from "./written-bar.tsx";

export function App(): ReactNode {
  const { scene, server, refused } = useAddress();
  const [made] = useRemembered("scenes");
  // `made` is where the list reads the scripts of this browser from.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const scenes = useMemo(() => sceneList(refused === null ? scene : ""), [made, scene, refused]);
  const known = scenes.find(({ id }) => id === scene)?.title ?? scene;
  const title = refused === null ? known : "No such script";
  useTheme();
  useEffect(() => {
    document.title = `${title} · Screenplay`;
  }, [title]);
  if (refused !== null) return <NoScript why={refused} title={title} scenes={scenes} />;
  return <OpenScene key={`${server} ${scene}`} title={title} scenes={scenes} />;
}

/** The address names a script that there cannot be: nothing is opened in its place. */
function NoScript(props: { why: string; title: string; scenes: readonly SceneInfo[] }): ReactNode {
  return (
    <Frame title={props.title} slots={{ scripts: <ScriptList scenes={props.scenes} open="" /> }}>
      <div className="notice" role="alert">
        <h2>There can be no script at this address</h2>
        <p>{props.why}</p>
        <p className="quiet">Look whether the address is whole, or choose a script from the list.</p>
      </div>
    </Frame>
  );
}

function OpenScene({ title, scenes }: { title: string; scenes: readonly SceneInfo[] }): ReactNode {
  const address = useAddress();
  const [person, choose] = usePerson(address);
  const [history, setHistory] = useState(false);
  const [preview, setPreview] = useState<ReactNode>(null);
  const [renaming, setRenaming] = useState(false);
  const [titlePage, setTitlePage] = useState(false);
  const [revisions, setRevisions] = useState(false);
  const slots = ({ doc }: YjsCollaboration<ScenePresence>, editor: BoundEditor | null): ScreenplayEditorSlots => {
    const past = doc?.history;
    const { collaborate } = address;
    return {
      scripts: <ScriptList scenes={scenes} open={address.scene} />,
      status: doc ? <SavedBadge collab={doc} /> : !collaborate && <span className="alone">Not shared</span>,
      menus: (
        <>
          {doc && <PeopleBar collab={doc} editor={editor} />}
          {doc && <NotesButton editor={editor} />}
          <MoreMenu
            collab={doc}
            scene={address.scene}
            title={title}
            editor={editor}
            shared={collaborate}
            readOnly={doc?.status.readOnly ?? false}
            onHistory={past && editor ? () => setHistory(true) : undefined}
            onRename={doc && !doc.status.readOnly ? () => setRenaming(true) : undefined}
            onTitlePage={doc ? () => setTitlePage(true) : undefined}
            onRevisions={doc && editor ? () => setRevisions(true) : undefined}
          />
          <PersonMenu person={person} onChange={choose} />
          {doc && renaming && <RenameForm collab={doc} title={title} onClose={() => setRenaming(false)} />}
        </>
      ),
      front: editor && <Front collab={doc} editor={editor} onEdit={() => setTitlePage(true)} />,
      notice: doc && (
        <>
          <Notices collab={doc} title={title} />
          {editor && <WrittenBar collab={doc} editor={editor} person={person} />}
        </>
      ),
      preview,
      panel: doc && (
        <>
          {history && past && editor && (
            <HistoryPanel
              collab={doc}
              editor={editor}
              person={person}
              readOnlyKey={`${address.server} ${address.scene}`}
              onClose={() => setHistory(false)}
              onPreview={setPreview}
            />
          )}
          {editor && titlePage && (
            <TitlePagePanel collab={doc} editor={editor} title={title} onClose={() => setTitlePage(false)} />
          )}
          {editor && revisions && <RevisionsPanel collab={doc} editor={editor} onClose={() => setRevisions(false)} />}
          {editor && <NotesPanel collab={doc} editor={editor} />}
          {address.debug && <DebugPanel collab={doc} />}
        </>
      ),
    };
  };
  return (
    <DrawerProvider>
      <NotesProvider>
        <CollaborativeScreenplayEditor
          sceneId={address.scene}
          title={title}
          serverUrl={address.server}
          authToken={currentToken}
          enabled={address.collaborate}
          person={person}
          slots={slots}
        />
      </NotesProvider>
    </DrawerProvider>
  );
}
