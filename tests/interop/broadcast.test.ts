// Messages that nobody keeps, through every kind of server, and between the tabs of a device.
import "fake-indexeddb/auto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Collab, type CollabError, type OpenOptions, open } from "../../js/index.js";
import { ownServer, plainServer, type Server, until, useNodeSockets } from "./rooms.js";

interface Me {
  name: string;
  role: "author" | "editor";
}

let giveBack: () => void = () => {};
let rooms = 0;
let room = "";
const opened: Collab<Me>[] = [];
beforeAll(() => {
  giveBack = useNodeSockets();
});
afterAll(() => giveBack());
beforeEach(() => {
  rooms += 1;
  room = `hall-${rooms}`;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((collab) => collab.close()));
});

async function enter(name: string, options: Partial<OpenOptions<Me>> = {}): Promise<Collab<Me>> {
  const collab = await open<Me>({ id: room, offline: false, presence: { name, role: "author" }, ...options });
  opened.push(collab);
  return collab;
}

/** What somebody hears, as it comes. */
function ears(collab: Collab<Me>): string[] {
  const heard: string[] = [];
  collab.onBroadcast((message, from) => heard.push(`${from.presence.name}: ${JSON.stringify(message)}`));
  return heard;
}

function refusal(act: () => void): string {
  try {
    act();
  } catch (error) {
    return (error as CollabError).code;
  }
  return "none";
}

const BURST = Array.from({ length: 20 }, (_, number) => number);

describe.each([
  ["@y/websocket-server", plainServer],
  ["our own server", ownServer],
] as const)("through %s", (_, start) => {
  let server: Server;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  it("everybody hears each message once, in order, and nobody their own", async () => {
    const [ada, ben, eve] = [
      await enter("Ada", { url: server.url }),
      await enter("Ben", { url: server.url }),
      await enter("Eve", { url: server.url }),
    ];
    expect(await until(() => [ada, ben, eve].every(({ peers, status }) => peers.length === 2 && status.synced))).toBe(
      true,
    );
    const [atAda, atBen, atEve] = [ears(ada), ears(ben), ears(eve)];
    for (const number of BURST) ada.broadcast({ number, text: "“žluť”" });
    ben.broadcast("me too");
    const expected = BURST.map((number) => `Ada: ${JSON.stringify({ number, text: "“žluť”" })}`);
    expect(await until(() => atEve.length > 20 && atBen.length >= 20 && atAda.length >= 1)).toBe(true);
    // What Eve says last comes behind all that was said before.
    eve.broadcast("last");
    expect(await until(() => atAda.at(-1) === 'Eve: "last"' && atBen.at(-1) === 'Eve: "last"')).toBe(true);
    expect(atAda).toEqual(['Ben: "me too"', 'Eve: "last"']);
    expect(atBen).toEqual([...expected, 'Eve: "last"']);
    expect(atEve.filter((line) => line.startsWith("Ada"))).toEqual(expected);
    expect(atEve).toHaveLength(21);
    // What a user shows is what it was.
    expect(ben.peers.map(({ presence }) => presence.name).sort()).toEqual(["Ada", "Eve"]);
    for (const { presence } of ben.peers) expect(Object.keys(presence).sort()).toEqual(["name", "role"]);
  });

  it("who comes later hears nothing of before, and hears what comes then", async () => {
    const ada = await enter("Ada", { url: server.url });
    const ben = await enter("Ben", { url: server.url });
    expect(await until(() => ben.peers.length === 1 && ben.status.synced)).toBe(true);
    const atBen = ears(ben);
    ada.broadcast("early");
    expect(await until(() => atBen.length === 1)).toBe(true);
    const late = await enter("Eve", { url: server.url });
    const atLate = ears(late);
    expect(await until(() => late.peers.length === 2 && late.status.synced)).toBe(true);
    ada.broadcast("now");
    expect(await until(() => atLate.length > 0 && atBen.length > 1)).toBe(true);
    expect(atLate).toEqual(['Ada: "now"']);
    expect(atBen).toEqual(['Ada: "early"', 'Ada: "now"']);
  });

  it("a message makes nobody another peer", async () => {
    const ada = await enter("Ada", { url: server.url });
    const ben = await enter("Ben", { url: server.url });
    expect(await until(() => ben.peers.length === 1 && ben.status.synced)).toBe(true);
    const atBen = ears(ben);
    ada.broadcast(1);
    expect(await until(() => atBen.length === 1)).toBe(true);
    const before = ben.peers;
    let told = 0;
    ben.on("peers", () => {
      told += 1;
    });
    ada.broadcast(2);
    ada.broadcast({ three: 3 });
    expect(await until(() => atBen.length === 3)).toBe(true);
    expect([ben.peers === before, told]).toEqual([true, 0]);
  });
});

describe("between tabs", () => {
  it("they hear each other without a server", async () => {
    const [one, two] = [await enter("Ada", { offline: true }), await enter("Ada again", { offline: true })];
    const other = await enter("Eve", { id: "elsewhere", offline: true });
    const [atOne, atTwo, atOther] = [ears(one), ears(two), ears(other)];
    one.broadcast({ look: [1, 2] });
    expect(await until(() => atTwo.length === 1)).toBe(true);
    two.broadcast("seen");
    expect(await until(() => atOne.length === 1)).toBe(true);
    expect([atOne, atTwo, atOther]).toEqual([['Ada again: "seen"'], ['Ada: {"look":[1,2]}'], []]);
  });

  it("and once where there is a server as well", async () => {
    const server = await plainServer();
    const options = { url: server.url, offline: { database: "both ways" } };
    const [one, two] = [await enter("Ada", options), await enter("Ada again", options)];
    expect(await until(() => [one, two].every(({ peers, status }) => peers.length === 1 && status.synced))).toBe(true);
    const atTwo = ears(two);
    const away = await enter("Ben", { url: server.url });
    expect(await until(() => away.peers.length === 2 && away.status.synced)).toBe(true);
    const atBen = ears(away);
    for (const number of [1, 2, 3]) one.broadcast(number);
    expect(await until(() => atBen.length === 3)).toBe(true);
    // By now they have come to the tab both ways.
    away.broadcast("end");
    expect(await until(() => atTwo.at(-1) === 'Ben: "end"')).toBe(true);
    expect(atTwo).toEqual(["Ada: 1", "Ada: 2", "Ada: 3", 'Ben: "end"']);
    await Promise.all(opened.splice(0).map((collab) => collab.close()));
    await server.stop();
  });
});

describe("refused", () => {
  it("is what is too large, too much, no JSON, from nobody, or too late", async () => {
    const ada = await enter("Ada");
    expect(refusal(() => ada.broadcast("ž".repeat(500)))).toBe("too-large");
    expect(refusal(() => ada.broadcast("ž".repeat(499)))).toBe("none");
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect([refusal(() => ada.broadcast(undefined)), refusal(() => ada.broadcast(loop))]).toEqual([
      "protocol",
      "protocol",
    ]);
    // 1,000 bytes are said; seven more of these are 8,000.
    const large = "x".repeat(998);
    const codes = Array.from({ length: 8 }, () => refusal(() => ada.broadcast(large)));
    expect(codes).toEqual([...Array(7).fill("none"), "rate-limited"]);
    const many = await enter("Ben");
    expect(BURST.map((number) => refusal(() => many.broadcast(number)))).toEqual(BURST.map(() => "none"));
    expect(refusal(() => many.broadcast("one more"))).toBe("rate-limited");
    const nobody = await open({ id: room, offline: false });
    expect(refusal(() => nobody.broadcast("hello"))).toBe("protocol");
    await nobody.close();
    await ada.close();
    expect(refusal(() => ada.broadcast("hello"))).toBe("closed");
  });
});
