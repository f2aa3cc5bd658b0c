// What panels beside the page have in common.
import type { ReactNode } from "react";
import { Icon } from "../ui/icons.tsx";

/** The title of a panel, and its way out. `closes`: what is closed, to those who hear it. */
export function PanelHead(props: { title: string; closes: string; onClose: () => void }): ReactNode {
  return (
    <header>
      <h2>{props.title}</h2>
      <button type="button" className="tool small" aria-label={`Close ${props.closes}`} onClick={props.onClose}>
        <Icon name="close" />
      </button>
    </header>
  );
}

/** What did not work, if something did not. */
export function Problem({ children }: { children: string | null }): ReactNode {
  if (!children) return null;
  return (
    <p className="problem" role="alert">
      {children}
    </p>
  );
}
