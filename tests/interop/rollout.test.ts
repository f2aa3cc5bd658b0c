// docs/ROLLOUT.md, step by step: half of the users on slate-yjs, then everybody on slate-yrs, then format 1, and the way back.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Editor, Node, Transforms } from "slate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { open } from "../../js/index.js";
import { SyncServer } from "../e2e/server.ts";
import { ours, type Seat, theirs, useNodeSockets, until as within } from "./rooms.js";

const binary =
  process.env.SLATE_YRS_SERVER ?? fileURLToPath(new URL("../../target/debug/slate-yrs-server", import.meta.url));
const until = async (what: string, reached: () => boolean) => expect(await within(reached), what).toBe(true);
const words = (seat: Seat) => seat.document().map((block) => Node.string(block));

let server: SyncServer;
let restore: () => void;
beforeAll(async () => {
  restore = useNodeSockets();
  server = await SyncServer.start(["--format", "0"], true);
}, 60_000);
afterAll(async () => {
  await server.stop();
  restore();
});

function type(seat: Seat, text: string): void {
  Transforms.insertText(seat.editor, text, { at: Editor.end(seat.editor, [0]) });
  seat.flush();
}

it("1 and 2: slate-yjs and slate-yrs edit one document together", async () => {
  const seats = [await ours(server.scenes, "script"), await theirs(server.scenes, "script")];
  await until("both have synced", () => seats.every((seat) => seat.isConnected()));
  const [our, their] = seats as [Seat, Seat];
  Transforms.insertNodes(our.editor, { type: "paragraph", children: [{ text: "One" }] } as never, { at: [0] });
  our.flush();
  await until("theirs has it", () => words(their).includes("One"));
  type(their, " two");
  await until("ours has what theirs typed", () => words(our).includes("One two"));
  type(our, " three");
  await until("and theirs what ours typed", () => words(their).includes("One two three"));
  // While the server says `--format 0`, nobody brings it to format 1.
  const eager = await open({ id: "script", url: server.scenes, offline: false, format: 1 });
  await until("it has synced", () => eager.status.synced);
  expect(eager.status.format).toBe(0);
  await eager.close();
  for (const seat of seats) await seat.close();
});

it("3: everybody has slate-yrs: the document is brought to format 1, and what is left of slate-yjs reads along", async () => {
  await server.restart(["--format", "1"]);
  const upgraded = await open({ id: "script", url: server.scenes, offline: false, format: 1 });
  await until("it is of format 1", () => upgraded.status.format === 1 && upgraded.status.saved === "server");
  await upgraded.close();
  const [our, their] = [await ours(server.scenes, "script"), await theirs(server.scenes, "script")];
  await until("both have synced", () => our.isConnected() && their.isConnected());
  type(our, " four");
  await until("theirs reads it", () => words(their).join().includes("One two three four"));
  type(their, " lost");
  await our.close();
  await their.close();
  const late = await ours(server.scenes, "script");
  await until("it has synced", () => late.isConnected());
  expect(words(late).join()).not.toContain("lost");
  expect(words(late).join()).toContain("One two three four");
  await late.close();
});

it("4: the way back: exported in the layout of slate-yjs, imported under another id, edited by slate-yjs", async () => {
  const answer = await fetch(`${server.page}api/scenes/script/export?format=slate-yjs`);
  expect(answer.status).toBe(200);
  const folder = mkdtempSync(join(tmpdir(), "slate-yrs-rollout-"));
  const file = join(folder, "script.yjs");
  writeFileSync(file, new Uint8Array(await answer.arrayBuffer()));
  await server.restart(["--format", "0"]);
  await promisify(execFile)(binary, ["import", "script-again", file, "--database", server.database]);
  rmSync(folder, { recursive: true, force: true });
  const [one, two] = [await theirs(server.scenes, "script-again"), await theirs(server.scenes, "script-again")];
  await until("both have synced", () => one.isConnected() && two.isConnected());
  expect(words(one).join()).toContain("One two three four");
  type(one, " five");
  await until("it arrives", () => words(two).join().includes("four five"));
  for (const seat of [one, two]) await seat.close();
});
