// The application: which script is open, who writes, light or dark, and what stands around the page.
import { type ReactNode, useEffect, useMemo } from "react";
import { CollaborativeScreenplayEditor } from "../components/collaborative-screenplay-editor.tsx";
import { Icon } from "../ui/icons.tsx";
import { useAddress } from "./address.ts";
import { PeopleBar } from "./people.tsx";
import { usePerson } from "./person.ts";
import { PersonMenu } from "./person-menu.tsx";
import { useRemembered } from "./remembered.ts";
import { sceneList } from "./scenes.ts";
import { ScriptList } from "./script-list.tsx";

export function App(): ReactNode {
  const address = useAddress();
  const [person, choose] = usePerson(address);
  const [made] = useRemembered("scenes");
  const scenes = useMemo(() => (void made, sceneList(address.scene)), [made, address.scene]);
  const title = scenes.find(({ id }) => id === address.scene)?.title ?? address.scene;

  useEffect(() => {
    document.title = `${title} · Screenplay`;
  }, [title]);

  return (
    <CollaborativeScreenplayEditor
      key={`${address.server} ${address.scene}`}
      sceneId={address.scene}
      title={title}
      serverUrl={address.server}
      authToken={address.token}
      enabled={address.collaborate}
      person={person}
      slots={({ doc }) => ({
        scripts: <ScriptList scenes={scenes} open={address.scene} />,
        status: (
          <>
            {doc ? <PeopleBar collab={doc} /> : !address.collaborate && <span className="alone">Not shared</span>}
            <ThemeButton />
            <PersonMenu person={person} onChange={choose} />
          </>
        ),
      })}
    />
  );
}

function ThemeButton(): ReactNode {
  const [theme, setTheme] = useRemembered("theme");
  const dark = (theme ?? document.documentElement.dataset.theme) === "dark";
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }, [dark]);
  const label = dark ? "Light page" : "Dark page";
  return (
    <button
      type="button"
      className="tool wide-only"
      aria-label={label}
      title={label}
      onClick={() => setTheme(dark ? "light" : "dark")}
    >
      <Icon name={dark ? "sun" : "moon"} />
    </button>
  );
}
