// All at once, on a server that is killed now and then: two people type, divide, join and move lines, an agent edits by the
// Model Context Protocol, a script edits over HTTP and sends requests again whose answers it has lost. Every letter is
// written once by somebody: in the end all that was acknowledged is there once, and everybody shows the same.
//
// `PLATFORM_SECONDS` says for how long, `PLATFORM_SEED` from which seed; `npm run soak:platform` takes ten minutes.
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { createEditor, Editor, Node, Text, Transforms } from "slate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Collab, open } from "../../js/index.js";
import { withCollab } from "../../js/slate.js";
import { SECRET, SyncServer, token } from "../e2e/server.ts";
import { random } from "./random.js";
import { until, useNodeSockets } from "./rooms.js";

const SECONDS = Number(process.env.PLATFORM_SECONDS ?? 60);
const SEED = Number(process.env.PLATFORM_SEED ?? 1);
/** How long a server lives. */
const LIFE_MS = 12_000;
const scene = "all at once";
const program = fileURLToPath(new URL("../../target/debug/slate-yrs-server", import.meta.url));

interface Person {
  readonly collab: Collab;
  readonly editor: Editor;
}

let server: SyncServer;
let giveBack: () => void = () => {};
let people: Person[];
let agent: Client;

/** Letters that nobody has written before, and which of them somebody was told to be stored. */
class Letters {
  #next = 0x4e00;
  readonly acknowledged = new Set<string>();
  readonly written = new Set<string>();

  /** By a person: stored in the end, for nobody waits at each one. */
  typed(): string {
    const letter = this.fresh();
    this.acknowledged.add(letter);
    return letter;
  }

  fresh(): string {
    const letter = String.fromCodePoint(this.#next++);
    this.written.add(letter);
    return letter;
  }
}

const letters = new Letters();

async function join(user: string): Promise<Person> {
  const collab = await open({ id: scene, url: server.scenes, offline: false, token: () => token(user) });
  return { collab, editor: withCollab(createEditor(), collab) };
}

beforeAll(async () => {
  giveBack = useNodeSockets();
  server = await SyncServer.start(["--auth", "jwt", "--jwt-secret", SECRET], true);
  const ada = await join("ada");
  const line = () => ({ type: "p", children: [{ text: letters.typed() }] });
  Transforms.insertNodes(ada.editor, [line(), line(), line()] as never[], { at: [0] });
  await ada.collab.whenSaved();
  people = [ada, await join("ben")];
  await people[1]!.collab.whenSynced();
  agent = new Client({ name: "test", version: "1" });
  const env = { SLATE_YRS_MCP_TOKEN: token("robin") };
  const args = ["mcp", "--server", `http://127.0.0.1:${server.port}`];
  await agent.connect(new StdioClientTransport({ command: program, args, env }));
});
afterAll(async () => {
  await agent?.close();
  for (const { collab } of people ?? []) await collab.close();
  await server.stop();
  giveBack();
});

/** One thing that somebody does at the keyboard. */
function act({ editor }: Person, next: (below: number) => number): void {
  const count = editor.children.length;
  const at = next(count);
  const [leaf, path] = Editor.node(editor, Editor.start(editor, [at]).path);
  const offset = Text.isText(leaf) ? next(leaf.text.length + 1) : 0;
  switch (next(8)) {
    case 0:
      Transforms.splitNodes(editor, { at: { path, offset } });
      break;
    case 1:
      if (at > 0) Transforms.mergeNodes(editor, { at: [at] });
      break;
    case 2:
      Transforms.moveNodes(editor, { at: [at], to: [next(count)] });
      break;
    case 3:
      Transforms.setNodes(editor, { bold: next(2) === 0 } as never, { at: path });
      break;
    default:
      Transforms.insertText(editor, letters.typed(), { at: { path, offset } });
  }
}

const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

async function types(person: Person, next: (below: number) => number, goesOn: () => boolean): Promise<number> {
  let acts = 0;
  for (; goesOn(); acts += 1) {
    act(person, next);
    await pause(20 + next(120));
  }
  return acts;
}

/** By the tool `edit`. What it is told that it is done is done. */
async function edits(next: (below: number) => number, goesOn: () => boolean): Promise<number> {
  let done = 0;
  while (goesOn()) {
    const letter = letters.fresh();
    const nodes = [{ type: "p", children: [{ text: letter }] }];
    const edit = next(2) === 0 ? { append: { nodes } } : { insertBefore: { block: [0], nodes } };
    const said = await agent.callTool({ name: "edit", arguments: { scene, edits: [edit] } });
    if (said.isError !== true) {
      letters.acknowledged.add(letter);
      done += 1;
    }
    await pause(50 + next(300));
  }
  return done;
}

/** Over HTTP, each request until it is answered: some answers are lost, and some requests come twice at once. */
async function patches(next: (below: number) => number, goesOn: () => boolean): Promise<number> {
  let done = 0;
  const url = `http://127.0.0.1:${server.port}/api/scenes/${encodeURIComponent(scene)}`;
  while (goesOn()) {
    const letter = letters.fresh();
    const body = JSON.stringify({ edits: [{ append: { nodes: [{ type: "p", children: [{ text: letter }] }] } }] });
    const headers = {
      authorization: `Bearer ${token("sam")}`,
      "content-type": "application/json",
      "idempotency-key": `append-${done}`,
    };
    const ask = (ms: number) =>
      fetch(url, { method: "PATCH", headers, body, signal: AbortSignal.timeout(ms) }).then(
        (answer) => answer.status,
        () => 0,
      );
    for (let status = 0; status !== 200; ) {
      const asked = next(4) === 0 ? [ask(10_000), ask(10_000)] : [ask(next(4) === 0 ? 1 + next(20) : 10_000)];
      const answers = await Promise.all(asked);
      status = answers.find((answer) => answer === 200) ?? 0;
      // The other answer may be that the first is still under way.
      for (const answer of answers) expect([0, 200, 409, 503]).toContain(answer);
      if (status === 0) await pause(50);
    }
    letters.acknowledged.add(letter);
    done += 1;
    await pause(30 + next(200));
  }
  return done;
}

it(
  "loses and doubles nothing while people, an agent and a script write, and the server is killed",
  async () => {
    const end = Date.now() + SECONDS * 1000;
    const goesOn = () => Date.now() < end;
    const draw = (who: number) => random(SEED * 10 + who);
    const writing = Promise.all([
      ...people.map((person, who) => types(person, draw(who), goesOn)),
      edits(draw(2), goesOn),
      patches(draw(3), goesOn),
    ]);
    let kills = 0;
    for (; Date.now() + LIFE_MS < end; kills += 1) {
      await pause(LIFE_MS);
      await server.kill();
      await server.run();
    }
    const [ada, ben, agents, scripts] = await writing;
    await Promise.all(people.map(({ collab }) => collab.whenSaved()));
    const [first, second] = people.map(({ editor }) => editor) as [Editor, Editor];
    const differs = () => first.children.findIndex((node, at) => !isDeepStrictEqual(node, second.children[at]));
    const same = () => first.children.length === second.children.length && differs() < 0;
    if (!(await until(same, 60_000))) {
      const at = differs();
      expect(first.children[at], `block ${at} of ${first.children.length}`).toEqual(second.children[at]);
      expect(first.children.length).toBe(second.children.length);
    }
    console.log(
      `${SECONDS} s, seed ${SEED}, ${kills} kills: ${ada} and ${ben} acts of two people, ${agents} edits of an agent, ${scripts} of a script, ${letters.written.size} letters`,
    );
    // What the server has, asked of it anew.
    await server.kill();
    await server.run();
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/scenes/${encodeURIComponent(scene)}?format=slate`, {
      headers: { authorization: `Bearer ${token("ada")}` },
    });
    const stored = Node.string({ children: await answer.json() } as never);
    const shown = Node.string(first);
    const count = (text: string) => {
      const counts = new Map<string, number>();
      for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
      return counts;
    };
    // An edit of the agent of which it was not told that it is done may be there or not.
    for (const [where, counts] of [
      ["on the screen", count(shown)],
      ["in the database", count(stored)],
    ] as const) {
      const twice = [...counts].filter(([, times]) => times > 1);
      expect(twice, `twice ${where}`).toEqual([]);
      expect(
        [...counts.keys()].filter((letter) => !letters.written.has(letter)),
        `from nowhere ${where}`,
      ).toEqual([]);
      expect(
        [...letters.acknowledged].filter((letter) => !counts.has(letter)),
        `missing ${where}`,
      ).toEqual([]);
    }
    expect(stored).toBe(shown);
    for (const { collab } of people) expect(collab.status.divergences).toBe(0);
  },
  (SECONDS + 180) * 1000,
);
