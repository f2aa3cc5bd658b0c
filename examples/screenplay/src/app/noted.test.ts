// @vitest-environment jsdom
// Notes go with the script into a file, and out of it into another document: on the same words, by the same people.
import { readFileSync } from "node:fs";
import { createEditor } from "slate";
import type { Collab } from "slate-yrs";
import { comments } from "slate-yrs/comments";
import { withCollab } from "slate-yrs/slate";
import { openTogether } from "slate-yrs/testing";
import { afterEach, describe, expect, it } from "vitest";
import { init } from "../../../../dist/wasm.js";
import { fromFdx, toFdx } from "../script/formats/fdx.ts";
import { fromFountain, toFountain } from "../script/formats/fountain.ts";
import { takeNotes } from "../script/formats/with-notes.ts";
import { randomId, type Script } from "../script/types.ts";
import { addNotes, openNotesIn } from "./noted.ts";

// In jsdom there is nothing to fetch it from.
await init(readFileSync("pkg/slate_yrs_bg.wasm"));

const opened: Collab[] = [];
afterEach(() => Promise.all(opened.splice(0).map((collab) => collab.close())));

async function document(initialValue: Script): Promise<Collab> {
  const { documents } = await openTogether(1, { initialValue });
  opened.push(...documents);
  return documents[0] as Collab;
}

const SCRIPT: Script = [
  { id: "a", type: "scene_heading", children: [{ text: "INT. KITCHEN" }] },
  { id: "b", type: "action", children: [{ text: "The " }, { text: "kettle", bold: true }, { text: " whistles." }] },
  { id: "c", type: "action", children: [{ text: "She waits." }] },
];
const words = (path: number[], from: number, to: number) => ({
  anchor: { path, offset: from },
  focus: { path, offset: to },
});

/** By place: the words, and who says what. */
function saidIn(collab: Collab): string[] {
  const editor = withCollab(createEditor(), collab);
  return comments(collab, editor).threads.map(
    ({ quote, range, comments }) =>
      `${range ? quote : "gone"}: ${comments.map(({ author, body }) => `${author.name}: ${body}`).join(" | ")}`,
  );
}

async function noted(): Promise<Collab> {
  const collab = await document(SCRIPT);
  const [ada, ben] = ["Ada", "Ben"].map((name) =>
    comments(collab, withCollab(createEditor(), collab), { author: { name } }),
  ) as [ReturnType<typeof comments>, ReturnType<typeof comments>];
  const kettle = ada.create({ anchor: { path: [1, 0], offset: 1 }, focus: { path: [1, 2], offset: 3 } }, "Which?");
  // As of other times: comments of one moment have no order.
  await expect.poll(() => Date.now()).toBeGreaterThan(ada.threads[0]?.comments[0]?.at ?? 0);
  ben.reply(kettle, "The blue one.\n– or so");
  ben.create(words([0, 0], 5, 12), "Whose?");
  ben.resolve(ada.create(words([2, 0], 0, 3), "Done"));
  return collab;
}

describe("notes in files", () => {
  const SAID = ["KITCHEN: Ben: Whose?", "he kettle wh: Ada: Which? | Ben: The blue one.\n– or so"];
  const formats = [
    ["Fountain", (script: Script) => fromFountain(toFountain(script), randomId).script],
    ["FDX", (script: Script) => fromFdx(toFdx(script), randomId).script],
  ] as const;

  it.each(formats)("come back out of %s in a new document", async (_, again) => {
    const { script, signed } = openNotesIn(await noted());
    expect(signed).toBeNull();
    const read = takeNotes(again(script as Script));
    const collab = await document(read.script);
    await addNotes(collab, read.notes, null);
    const text = (from: Script) => from.map((block) => JSON.stringify({ ...block, id: "" }));
    expect(text(collab.value() as Script)).toEqual(text(SCRIPT));
    expect(saidIn(collab)).toEqual(SAID);
    expect(openNotesIn(collab).script.map((block) => ({ ...block, id: "" }))).toEqual(
      script.map((block) => ({ ...block, id: "" })),
    );
  });

  it("are of whoever brings them where a server signs, and say who said it", async () => {
    const { script } = openNotesIn(await noted());
    const read = takeNotes(script as Script);
    const collab = await document(read.script);
    await addNotes(collab, read.notes, "Ben");
    expect(saidIn(collab)).toEqual([
      "KITCHEN: Ben: Whose?",
      "he kettle wh: Ben: Ada: Which? | Ben: The blue one.\n– or so",
    ]);
  });
});
