// @vitest-environment jsdom
// What stands on a script's lines is found by what the editor has, whenever the document has told of it.
import { act, cleanup, renderHook } from "@testing-library/react";
import { Transforms } from "slate";
import { afterEach, expect, it } from "vitest";
import { withFollowers } from "../hooks/followed.ts";
import type { BoundEditor } from "../hooks/use-yjs-slate-binding.ts";
import { createScriptEditor } from "../script/editor.ts";
import { titlePageOf } from "../script/formats/title-page.ts";
import type { Block } from "../script/types.ts";
import { useFromScript } from "./from-script.ts";

afterEach(cleanup);

const titled: Block = { id: "a", type: "action", titlePage: [["Title", "T"]], children: [{ text: "x" }] };

it("what comes to the editor after the document has told of it, and what is assigned to it", async () => {
  const editor = withFollowers(createScriptEditor([]));
  const { result } = renderHook(() => useFromScript(editor as BoundEditor, true, titlePageOf));
  const first = result.current;
  expect(first).toEqual([]);
  await act(async () => Transforms.insertNodes(editor, titled, { at: [0] }));
  expect(result.current).toEqual([["Title", "T"]]);
  const found = result.current;
  await act(async () => Transforms.insertText(editor, "y", { at: { path: [0, 0], offset: 0 } }));
  expect(result.current).toBe(found);
  await act(async () => {
    editor.children = [];
    editor.onChange();
  });
  expect(result.current).toEqual([]);
});
