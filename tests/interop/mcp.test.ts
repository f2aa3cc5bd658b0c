// An agent, by the official SDK's client, in a document in which somebody types: it reads, finds, proposes and edits.
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { createEditor, type Editor } from "slate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Collab, open } from "../../js/index.js";
import { withCollab } from "../../js/slate.js";
import { SECRET, SyncServer, token } from "../e2e/server.ts";
import { until, useNodeSockets } from "./rooms.js";

const program = fileURLToPath(new URL("../../target/debug/slate-yrs-server", import.meta.url));
const scene = "acts/one";

let server: SyncServer;
let giveBack: () => void = () => {};
let ada: Collab;
let editor: Editor;
let agent: Client;

/** An agent whose edits are this user's. */
async function agentOf(user: string, role: "read-write" | "read-only"): Promise<Client> {
  const flags = ["--server", `http://127.0.0.1:${server.port}`, "--name", "Robin, for Ada"];
  const client = new Client({ name: "test", version: "1" });
  const env = { SLATE_YRS_MCP_TOKEN: token(user, { role }) };
  await client.connect(new StdioClientTransport({ command: program, args: ["mcp", ...flags], env }));
  return client;
}

beforeAll(async () => {
  giveBack = useNodeSockets();
  server = await SyncServer.start(["--auth", "jwt", "--jwt-secret", SECRET], true);
  const line = (id: string, text: string) => ({ id, type: "action", children: [{ text }] });
  ada = await open({
    id: scene,
    url: server.scenes,
    offline: false,
    token: () => token("ada"),
    presence: { name: "Ada" },
    initialValue: [line("a", "MARA waits."), line("b", "She waits.")],
  });
  editor = withCollab(createEditor(), ada);
  await ada.whenSaved();
  agent = await agentOf("robin", "read-write");
});
afterAll(async () => {
  await agent.close();
  await ada.close();
  await server.stop();
  giveBack();
});

interface Said {
  readonly isError: boolean;
  readonly text: string;
}

async function call(client: Client, name: string, given: Record<string, unknown>): Promise<Said> {
  const { content, isError } = await client.callTool({ name, arguments: { scene, ...given } });
  const text = (content as { text: string }[]).map((part) => part.text).join("");
  return { isError: isError === true, text };
}

const lines = () => editor.children.map((node) => editor.string([editor.children.indexOf(node)]));

it("offers its tools", async () => {
  const { tools } = await agent.listTools();
  expect(tools.map((tool) => tool.name)).toEqual(["read_scene", "search", "propose", "edit"]);
  expect(agent.getServerVersion()?.name).toBe("slate-yrs");
  await agent.ping();
});

it("reads and finds, and is seen by whoever is there", async () => {
  expect((await call(agent, "read_scene", {})).text).toMatch(/^etag: ".+"\n\nMARA waits\.\nShe waits\.\n$/);
  const found = JSON.parse((await call(agent, "search", { text: "she WAITS" })).text);
  expect(found).toMatchObject({ count: 1, blocks: [{ path: [1], id: "b", type: "action", text: "She waits." }] });
  expect(await until(() => ada.peers.some(({ presence }) => presence.name === "Robin, for Ada"))).toBe(true);
});

it("edits while somebody types, and its edits are its own", async () => {
  const base = /^etag: (.+)$/m.exec((await call(agent, "read_scene", {})).text)?.[1];
  editor.apply({ type: "insert_text", path: [1, 0], offset: 10, text: " Rain." });
  await ada.whenSaved();
  const edits = [
    { replace: { find: "MARA", with: "INES" } },
    { insertAfter: { block: "a", nodes: [{ id: "c", type: "action", children: [{ text: "Thunder." }] }] } },
  ];
  const done = await call(agent, "edit", { edits, base });
  expect(done.isError, done.text).toBe(false);
  expect(await until(() => lines().join("|") === "INES waits.|Thunder.|She waits. Rain.")).toBe(true);
  const log = await fetch(`http://127.0.0.1:${server.port}/api/scenes/${encodeURIComponent(scene)}/updates`, {
    headers: { authorization: `Bearer ${token("ada")}` },
  });
  const { updates } = (await log.json()) as { updates: { authors: string[] }[] };
  expect(updates.at(-1)?.authors).toEqual(["robin"]);
});

it("proposes, and does what was proposed when it is told to", async () => {
  const before = lines();
  const edits = [{ replace: { find: "Thunder.", with: "Silence." } }];
  const proposed = await call(agent, "propose", { edits, why: "It is quieter." });
  const { proposal } = JSON.parse(proposed.text) as { proposal: string };
  const proposals = ada.map<{ by: string; why: string }>("proposals");
  expect(await until(() => proposals.get(proposal)?.why === "It is quieter.")).toBe(true);
  expect(proposals.get(proposal)?.by).toBe("Robin, for Ada");
  expect(lines()).toEqual(before);
  expect((await call(agent, "edit", { proposal })).isError).toBe(false);
  expect(await until(() => lines()[1] === "Silence." && proposals.get(proposal) === undefined)).toBe(true);
});

it("takes a proposal once, whoever takes it at the same moment", async () => {
  const other = await agentOf("kim", "read-write");
  const edits = [{ append: { nodes: [{ id: "d", type: "action", children: [{ text: "Lightning." }] }] } }];
  const { proposal } = JSON.parse((await call(agent, "propose", { edits, why: "" })).text) as { proposal: string };
  const said = await Promise.all([agent, other, agent, other].map((client) => call(client, "edit", { proposal })));
  const refused = said.filter(({ isError }) => isError);
  expect(refused.length, said.map(({ text }) => text).join("\n")).toBe(said.length - 1);
  for (const { text } of refused) expect(text).toMatch(/409.*taken|404.*not-found/);
  expect(await until(() => lines().includes("Lightning."))).toBe(true);
  expect(lines().filter((text) => text === "Lightning.")).toHaveLength(1);
  expect(ada.map("proposals").get(proposal)).toBeUndefined();
  await other.close();
});

it("is told what it cannot do, and nothing is half done", async () => {
  const before = lines();
  const never = { append: { nodes: [{ children: [{ text: "never" }] }] } };
  for (const [tool, given, reason] of [
    ["edit", { edits: [never, { replace: { find: "nowhere", with: "x" } }] }, /409.*not-found/],
    ["edit", { proposal: "none" }, /404/],
    ["propose", { edits: [{ replace: { find: "waits.", with: "x" } }], why: "" }, /2 times/],
    ["propose", { edits: [{ remove: { block: "z" } }], why: "" }, /no block/],
    ["search", {}, /text/],
    ["read_scene", { scene: "nowhere" }, /404/],
    ["read_scene", { scene: "" }, /scene/],
  ] as const) {
    const said = await call(agent, tool, given);
    expect(said.isError, `${tool}: ${said.text}`).toBe(true);
    expect(said.text).toMatch(reason);
  }
  await expect(agent.callTool({ name: "explode", arguments: { scene } })).rejects.toThrow("no tool");
  const reader = await agentOf("eve", "read-only");
  expect((await call(reader, "read_scene", {})).isError).toBe(false);
  expect((await call(reader, "edit", { edits: [never] })).text).toMatch(/403.*read-only/);
  await reader.close();
  expect(lines()).toEqual(before);
});
