// A program in Rust, without a browser, in a document in which somebody types: `examples/headless.rs`.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createEditor, Editor, Transforms } from "slate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Collab, open } from "../../js/index.js";
import { withCollab } from "../../js/slate.js";
import { SECRET, SyncServer, token } from "../e2e/server.ts";
import { until, useNodeSockets } from "./rooms.js";

const program = fileURLToPath(new URL("../../target/debug/examples/headless", import.meta.url));
const run = promisify(execFile);
const scene = "acts/one";

let server: SyncServer;
let giveBack: () => void = () => {};
let ada: Collab;
let editor: Editor;

const write = (text: string, user = "robin", role: "read-write" | "read-only" = "read-write") =>
  run(program, [server.scenes, scene, text], { env: { SLATE_YRS_TOKEN: token(user, { role }) } });

const lines = () => editor.children.map((_, at) => Editor.string(editor, [at]));

beforeAll(async () => {
  giveBack = useNodeSockets();
  server = await SyncServer.start(["--auth", "jwt", "--jwt-secret", SECRET], true);
  ada = await open({ id: scene, url: server.scenes, offline: false, token: () => token("ada") });
  editor = withCollab(createEditor(), ada);
  editor.insertNode({ type: "action", children: [{ text: "MARA waits." }] } as never, { at: [0] });
  await ada.whenSaved();
});
afterAll(async () => {
  await ada.close();
  await server.stop();
  giveBack();
});

it("writes a line, and goes when it is saved", async () => {
  const writing = write("Somebody knocks.");
  Transforms.insertText(editor, " And waits.", { at: Editor.end(editor, [0]) });
  expect((await writing).stdout).toBe("saved\n");
  await until(() => lines().length > 1);
  expect(lines()).toEqual(["MARA waits. And waits.", "Somebody knocks."]);
  expect(editor.children[1]).toMatchObject({ type: "action" });
});

it("says so where it may only read", async () => {
  await expect(write("No.", "eve", "read-only")).rejects.toThrow(/may only read/);
  expect(lines()).not.toContain("No.");
});

it("says so where it may not enter", async () => {
  const entering = run(program, [server.scenes, scene, "No."], { env: { SLATE_YRS_TOKEN: "none" } });
  await expect(entering).rejects.toThrow(/refuses/);
});
