// What stands around the page: top bar, sidebar, panels, the line at the foot. Also there while a script is being
// opened, or cannot be: whoever has no page needs the rest the more.
import { createContext, type ReactNode, use, useCallback, useState } from "react";
import { useRemembered } from "../app/remembered.ts";
import { Icon } from "../ui/icons.tsx";

export interface ScreenplayEditorSlots {
  /** Above the scenes: the scripts to choose from. */
  scripts?: ReactNode;
  /** In the top bar: whether everything is saved. */
  status?: ReactNode;
  /** At the right end of the top bar: who is here, menus. */
  menus?: ReactNode;
  /** Beside the page: history, developer tools. */
  panel?: ReactNode;
  /** In the place of the page, which is hidden meanwhile: an earlier version. */
  preview?: ReactNode;
  /** What the page begins with: the title page. */
  front?: ReactNode;
  /** Above the page: what the writer has to know now. */
  notice?: ReactNode;
}

const DrawerContext = createContext<ReturnType<typeof useState<boolean>> | null>(null);

/** The sidebar that was opened over the page stays open when another frame takes the place of the one around it. */
export function DrawerProvider({ children }: { children: ReactNode }): ReactNode {
  return <DrawerContext value={useState<boolean>()}>{children}</DrawerContext>;
}

export function Frame(props: {
  title: string;
  slots: ScreenplayEditorSlots;
  toolbar?: ReactNode;
  /** Below the scripts. `chosen` is to be called when something in it was. */
  scenes?: (chosen: () => void) => ReactNode;
  foot?: ReactNode;
  children: ReactNode;
}): ReactNode {
  const { title, slots, toolbar, scenes, foot, children } = props;
  const [wide, setWide] = useRemembered("sidebar");
  const own = useState<boolean>();
  const [drawer = false, setDrawer] = use(DrawerContext) ?? own;
  const closeDrawer = useCallback(() => setDrawer(false), [setDrawer]);
  const toggle = () => (narrow() ? setDrawer(!drawer) : setWide(wide === "closed" ? null : "closed"));
  return (
    <div className="workspace" data-sidebar={wide ?? "open"} data-drawer={drawer || undefined}>
      <header className="topbar">
        <button type="button" className="tool" aria-label="Scripts and scenes" aria-controls="sidebar" onClick={toggle}>
          <Icon name="sidebar" />
        </button>
        <h1 className="title">{title}</h1>
        {toolbar}
        <div className="topbar-end">
          {slots.status}
          {slots.menus}
        </div>
      </header>
      {drawer && <button type="button" className="scrim" aria-label="Close" onClick={closeDrawer} />}
      <nav id="sidebar" className="sidebar" aria-label="Scripts and scenes">
        {slots.scripts}
        {scenes?.(closeDrawer)}
      </nav>
      <main className="desk" id="desk">
        {slots.notice}
        {slots.preview}
        <div hidden={Boolean(slots.preview)}>
          {slots.front}
          {children}
        </div>
      </main>
      <div className="panels">{slots.panel}</div>
      {foot}
    </div>
  );
}

function narrow(): boolean {
  return matchMedia("(max-width: 900px)").matches;
}
