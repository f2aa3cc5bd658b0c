// Who comes and goes, through a plain y-websocket server.
import { afterAll, beforeAll, expect, it } from "vitest";
import { open } from "../../js/index.js";
import { plainServer, type Server, until, useNodeSockets } from "./rooms.js";

let server: Server;
let giveBack: () => void = () => {};
beforeAll(async () => {
  giveBack = useNodeSockets();
  server = await plainServer();
});
afterAll(async () => {
  await server.stop();
  giveBack();
});

const enter = (name: string) => open({ id: "hall", url: server.url, offline: false, presence: { name } });

it("tells who comes and who goes, and of nobody who was there before", async () => {
  const ada = await enter("Ada");
  const ben = await enter("Ben");
  expect(await until(() => ada.peers.length === 1)).toBe(true);
  const told: string[] = [];
  const off = ada.on("join", ({ presence }) => told.push(`${presence.name} comes`));
  ada.on("leave", ({ presence }) => told.push(`${presence.name} goes`));
  const eve = await enter("Eve");
  expect(await until(() => told.length === 1)).toBe(true);
  // What somebody does is neither.
  ben.setPresence({ name: "Benjamin" });
  expect(await until(() => ada.peers.some(({ presence }) => presence.name === "Benjamin"))).toBe(true);
  await ben.close();
  expect(await until(() => told.length === 2)).toBe(true);
  off();
  await eve.close();
  expect(await until(() => told.length === 3)).toBe(true);
  expect(told).toEqual(["Eve comes", "Benjamin goes", "Eve goes"]);
  await ada.close();
});
