// slate-yjs with y-websocket, and slate-yrs, in one room: of `@y/websocket-server`, and of our own server. Connections are
// cut and closed meanwhile. Ours never throw, their editors never differ from their documents, and in the end all
// documents are equal. What slate-yjs' editors do by themselves is counted, not judged.
//
// SLATE_YRS_RUNS: runs with each server (default 100). SLATE_YRS_SEED: one seed only. When what arrives is up to the
// sockets: a seed gives the edits and the cuts, not every order.
import { readFileSync } from "node:fs";
import { Editor, Node, type Operation, Transforms } from "slate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { edit, mix, type Random, random, START } from "./random.js";
import { canonical, type Replica, seed } from "./replica.js";
import {
  agree,
  describeSeat,
  ours,
  ownServer,
  plainServer,
  type Seat,
  type Server,
  type Sit,
  theirs,
  until,
  useNodeSockets,
} from "./rooms.js";

const RUNS = Number(process.env.SLATE_YRS_RUNS ?? 100);
const ONLY = process.env.SLATE_YRS_SEED;
const STEPS = 60;
const START_STATE = seed(START);
const BY_REFERENCE = seed(START, 1);

type Kind = Replica["kind"];
const SIT: Record<Kind, Sit> = { ours, theirs };
const TEAMS: Kind[][] = [
  ["ours", "theirs"],
  ["ours", "ours", "theirs"],
  ["ours", "theirs", "theirs"],
  ["ours", "ours", "theirs", "theirs"],
];

interface Situation {
  name: string;
  input: Editor["children"];
  ops: Operation[];
  expected: Editor["children"];
}
const situations = JSON.parse(
  readFileSync(new URL("../fixtures/mapping.json", import.meta.url), "utf8"),
) as readonly Situation[];

let giveBack: () => void = () => {};
beforeAll(() => {
  giveBack = useNodeSockets();
});
afterAll(() => giveBack());

const shown = (seat: Seat) => canonical(seat.editor.children);
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Writer and reader meet in a room that the writer has filled. */
async function play(
  server: Server,
  room: string,
  { input, ops }: Situation,
  [writing, reading]: readonly [Kind, Kind],
) {
  const writer = await SIT[writing](server.url, room, seed(input));
  const reader = await SIT[reading](server.url, room);
  try {
    expect(await until(() => agree([writer, reader]))).toBe(true);
    Editor.withoutNormalizing(writer.editor, () => {
      for (const op of ops) writer.editor.apply(op);
    });
    writer.flush();
    expect(await until(() => agree([writer, reader]))).toBe(true);
    reader.flush();
    return { shown: shown(writer), read: shown(reader), document: canonical(reader.document()) };
  } finally {
    await writer.close();
    await reader.close();
  }
}

/** What makes a block go: its third. */
const ENDS: [string, (editor: Editor) => void][] = [
  ["merges", (editor) => Transforms.mergeNodes(editor, { at: [2] })],
  ["moves", (editor) => Transforms.moveNodes(editor, { at: [2], to: [0] })],
  ["wraps", (editor) => Transforms.wrapNodes(editor, { type: "quote", children: [] } as never, { at: [2] })],
  ["removes", (editor) => Transforms.removeNodes(editor, { at: [2] })],
];

interface Failure {
  seat: number;
  kind: Kind;
  how: string;
}

/** One seeded run in a room of its own. */
class Run {
  readonly failures: Failure[] = [];
  readonly #broken = new Set<Seat>();
  readonly #away = new Set<Seat>();

  constructor(
    readonly server: Server,
    readonly seats: readonly Seat[],
    readonly next: Random,
  ) {}

  async play(): Promise<Failure[]> {
    for (let step = 0; step < STEPS; step++) {
      this.#step(this.seats[this.next(this.seats.length)]!);
      for (let turns = this.next(4); turns > 0; turns--) await new Promise((turn) => setImmediate(turn));
    }
    for (const seat of this.#away) seat.connect();
    const settled = (await this.#comeTogether()) || (await this.#retry());
    this.seats.forEach((seat, index) => {
      const found = (how: string) => this.failures.push({ seat: index, kind: seat.kind, how });
      if (!settled) found(`documents differ: ${describeSeat(seat)}`);
      if (this.#broken.has(seat)) return;
      if (!same(shown(seat), canonical(seat.document()))) found(`shows ${JSON.stringify(shown(seat))}`);
    });
    return this.failures;
  }

  #step(seat: Seat): void {
    const { next } = this;
    const chance = next(20);
    if (chance === 0) this.server.cut();
    else if (chance === 1) {
      this.#away.add(seat);
      seat.disconnect();
    } else if (chance === 2) {
      this.#away.delete(seat);
      seat.connect();
    } else if (chance === 3) this.#attempt(seat, () => seat.undo());
    else this.#edit(seat);
  }

  #edit(seat: Seat): void {
    const { next } = this;
    this.#attempt(seat, () => {
      edit(seat.editor, next, mix(false));
      // What slate-yjs has not written when a change arrives goes wrong by itself.
      if (seat.kind === "theirs" || next(2)) seat.flush();
    });
  }

  #comeTogether(): Promise<boolean> {
    return until(() => {
      for (const seat of this.seats) this.#attempt(seat, () => seat.flush());
      return agree(this.seats);
    });
  }

  /** Who was cut off again and again waits long before the next try, as it should; here it is made to try at once. Only who
   * has no connection: to have one and to lack something is a fault. */
  async #retry(): Promise<boolean> {
    const waiting = this.seats.filter((seat) => !seat.isConnected());
    for (const seat of waiting) {
      seat.disconnect();
      seat.connect();
    }
    return waiting.length > 0 && this.#comeTogether();
  }

  /** Whose editor threw edits no more; its document still takes part. */
  #attempt(seat: Seat, body: () => void): void {
    if (this.#broken.has(seat)) return;
    try {
      body();
    } catch (error) {
      this.#broken.add(seat);
      const how = `threw ${error instanceof Error ? error.stack : String(error)}`;
      this.failures.push({ seat: this.seats.indexOf(seat), kind: seat.kind, how });
    }
  }
}

describe.each([
  ["@y/websocket-server", plainServer],
  ["our own server", ownServer],
] as const)("in a room of %s", (name, start) => {
  let server: Server;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  const turns = (["ours", "theirs"] as const).flatMap((w) => (["ours", "theirs"] as const).map((r) => [w, r] as const));
  it.each(turns)("what %s write, %s read", async (...turn) => {
    for (const [index, situation] of situations.entries()) {
      const expected = canonical(situation.expected);
      const room = `fixture-${turn.join("-")}-${index}`;
      expect(await play(server, room, situation, turn), situation.name).toEqual({
        shown: expected,
        read: expected,
        document: expected,
      });
    }
  });

  it.each(ENDS)("what is typed into a block that somebody offline %s is not lost in format 1", async (how, end) => {
    const typist = await ours(server.url, `ends-${how}`, BY_REFERENCE);
    const peer = await ours(server.url, `ends-${how}`);
    try {
      expect(await until(() => agree([typist, peer]))).toBe(true);
      peer.disconnect();
      end(peer.editor);
      // The server has it before it hears of the other.
      Transforms.insertText(typist.editor, "Typed meanwhile.", { at: { path: [2, 0], offset: 3 } });
      typist.flush();
      const third = await ours(server.url, `ends-${how}`);
      expect(await until(() => agree([typist, third]))).toBe(true);
      await third.close();
      peer.connect();
      expect(await until(() => agree([typist, peer]))).toBe(true);
      for (const { editor } of [typist, peer]) {
        expect(Node.string(editor).split("Typed meanwhile.")).toHaveLength(2);
        expect(Node.string(editor).split("ADA").length - 1).toBe(how === "removes" ? 0 : 1);
      }
    } finally {
      await typist.close();
      await peer.close();
    }
  });

  it(
    "random authors come to one document",
    async () => {
      const seeds = ONLY === undefined ? Array.from({ length: RUNS }, (_, at) => at) : [Number(ONLY)];
      const failures: (Failure & { seed: number })[] = [];
      for (const seed of seeds) {
        const next = random(seed);
        const room = `fuzz-${seed}`;
        const seats = await Promise.all(
          TEAMS[seed % TEAMS.length]!.map((kind) => SIT[kind](server.url, room, START_STATE)),
        );
        const found = await new Run(server, seats, next).play();
        failures.push(...found.map((failure) => ({ ...failure, seed })));
        for (const seat of seats) await seat.close();
      }
      const bad = (kind: Kind) => new Set(failures.filter((each) => each.kind === kind).map(({ seed }) => seed)).size;
      console.log(
        `${name}: of ${seeds.length} runs × ${STEPS} steps, slate-yrs failed in ${bad("ours")}, slate-yjs in ${bad("theirs")}`,
      );
      const judged = failures.filter(({ kind }) => kind === "ours");
      for (const { seed, seat, how } of judged)
        console.log(` FAIL  seed ${seed}, seat ${seat}: ${how.slice(0, 3_000)}`);
      expect(judged).toEqual([]);
    },
    60_000 + 5_000 * RUNS,
  );
});
