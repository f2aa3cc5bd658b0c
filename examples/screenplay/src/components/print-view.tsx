// The script as sheets of paper, there only while it is printed.
import { type CSSProperties, type ReactNode, useEffect, useState } from "react";
import { createPortal, flushSync } from "react-dom";
import { paperOptions } from "../app/remembered.ts";
import { numberOf, type Sheet, type SheetLine, sheetsOf, TOP } from "../script/sheets.ts";
import type { ScriptEditor } from "../script/slate.ts";
import type { RevisionSet, Script, TitlePage } from "../script/types.ts";
import { MarkedText } from "./marked.tsx";

export function PrintView(props: {
  editor: ScriptEditor;
  titlePage: TitlePage;
  revisions: readonly RevisionSet[];
}): ReactNode {
  const { editor, titlePage, revisions } = props;
  const [sheets, setSheets] = useState<readonly Sheet[] | null>(null);
  useEffect(() => {
    // The browser prints what is there when this has run.
    const begin = () =>
      flushSync(() => setSheets(sheetsOf(editor.children as Script, titlePage, { ...paperOptions(), revisions })));
    const end = () => setSheets(null);
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    return () => {
      window.removeEventListener("beforeprint", begin);
      window.removeEventListener("afterprint", end);
    };
  }, [editor, titlePage, revisions]);
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

function SheetView({ sheet }: { sheet: Sheet }): ReactNode {
  const { lines, header } = sheet;
  const number = numberOf(sheet);
  return (
    <section className="sheet">
      {number && <span className="number">{number}</span>}
      {header && <span className="revision">{header}</span>}
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
