// The script as sheets of paper, there only while it is printed.
import { type CSSProperties, type ReactNode, useEffect, useState } from "react";
import { createPortal, flushSync } from "react-dom";
import { paperOptions } from "../app/remembered.ts";
import { type Sheet, type SheetLine, sheetsOf, TOP } from "../script/sheets.ts";
import type { ScriptEditor } from "../script/slate.ts";
import type { Script, TitlePage } from "../script/types.ts";
import { MarkedText } from "./marked.tsx";

export function PrintView({ editor, titlePage }: { editor: ScriptEditor; titlePage: TitlePage }): ReactNode {
  const [sheets, setSheets] = useState<readonly Sheet[] | null>(null);
  useEffect(() => {
    // The browser prints what is there when this has run.
    const begin = () => flushSync(() => setSheets(sheetsOf(editor.children as Script, titlePage, paperOptions())));
    const end = () => setSheets(null);
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    return () => {
      window.removeEventListener("beforeprint", begin);
      window.removeEventListener("afterprint", end);
    };
  }, [editor, titlePage]);
  if (!sheets) return null;
  return createPortal(
    <div className="sheets">
      {sheets.map((sheet) => (
        <SheetView key={sheet.page ?? "title"} sheet={sheet} />
      ))}
    </div>,
    document.body,
  );
}

function SheetView({ sheet: { page, lines } }: { sheet: Sheet }): ReactNode {
  return (
    <section className="sheet">
      {page !== null && page > 1 && <span className="number">{`${page}.`}</span>}
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a sheet does not change
        <LineView key={index} line={line} />
      ))}
    </section>
  );
}

function LineView({ line: { row, column, spans } }: { line: SheetLine }): ReactNode {
  const style = { "--row": row + TOP, "--column": column } as CSSProperties;
  return (
    <div className="line" style={style}>
      <MarkedText pieces={spans} />
    </div>
  );
}
