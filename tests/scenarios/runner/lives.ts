// Lives: devices with a real server between them, each with a store of its own that outlives the page.
//
// What arrives when is up to sockets and the store. Every wait ends, by what is waited for or by LIMIT.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setupWSConnection } from "@y/websocket-server/utils";
import { WebSocketServer } from "ws";
import { SyncServer } from "../../e2e/server.ts";
import type { Schema } from "../acts.mjs";
import { complaints, same, show } from "../expect.mjs";
import { Device, until } from "./device.js";
import type { Step, Story } from "./files.js";
import { type Outcome, schemaOf } from "./play.js";
import type { Engine } from "./replica.js";
import { type Report, reportOf } from "./report.js";

/** The servers by the names that the files give them. */
export interface Lives {
  readonly urls: Record<string, string>;
  /** Whether client ids rise from the first person to the last: both, unless told otherwise. */
  readonly orders: readonly boolean[];
  stop(): Promise<void>;
}

/** So many lives at once: they mostly wait. */
const AT_ONCE = Number(process.env.SCENARIOS_AT_ONCE ?? 12);

/** How often those that are to be repeated are, in each order of client ids. What is not said is what the file says. */
const REPEAT = process.env.SCENARIOS_REPEAT;

const OURS = "slate-yrs";

export async function startLives(orders: readonly boolean[] = [true, false]): Promise<Lives> {
  // Here and not above: it puts a database of the device into the global scope.
  // @ts-expect-error its types are not where its exports say
  await import("fake-indexeddb/auto");
  const own = await SyncServer.start([], true);
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket, request) => setupWSConnection(socket as never, request as never));
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const { port } = http.address() as AddressInfo;
  return {
    urls: { [OURS]: own.scenes, "y-websocket": `ws://127.0.0.1:${port}` },
    orders,
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((closed) => http.close(closed));
      await own.stop();
    },
  };
}

/** Several at once; the reports come in the order of the scenarios. */
export async function live(
  lives: Lives,
  engine: Engine,
  schema: Schema,
  scenarios: readonly Story[],
): Promise<Report[]> {
  const jobs = scenarios.flatMap((scenario) => {
    const times = REPEAT === undefined ? (scenario.repeat ?? 1) : Number(REPEAT);
    return lives.orders.flatMap((rising) => Array.from({ length: times }, () => ({ scenario, rising })));
  });
  const outcomes = new Map<Story, Outcome[]>(scenarios.map((scenario) => [scenario, []]));
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { scenario, rising } = job;
      const life = new Life(lives, engine, scenario, schemaOf({ schema }, scenario), rising);
      outcomes.get(scenario)!.push(await life.whole());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return scenarios.map((scenario) => reportOf(scenario, schemaOf({ schema }, scenario), outcomes.get(scenario)!));
}

/** Rooms and databases are told apart by it. */
let lived = 0;

class Life {
  readonly #found = new Set<string>();
  readonly #devices: Device[];
  readonly #fresh: Device;
  #begun = false;
  readonly #had: Story["value"][];

  constructor(
    lives: Lives,
    engine: Engine,
    readonly scenario: Story,
    readonly schema: Schema,
    rising: boolean,
  ) {
    const url = lives.urls[scenario.server ?? OURS];
    if (url === undefined) throw new Error(`${scenario.id}: there is no server ${scenario.server}`);
    const name = `${scenario.id}-${lived++}`;
    const people = scenario.people ?? [];
    const options = { ...engine.options, id: name, url, undo: { captureTimeout: 0 } };
    const device = (who: string, index: number) => {
      const place = rising ? index : people.length - 1 - index;
      return new Device(who, { ...options, offline: { database: `${name}-${who}` } }, schema, 1_000 * (place + 1));
    };
    this.#devices = people.map(device);
    this.#fresh = new Device("a fresh device", { ...options, offline: { database: `${name}-` } }, schema, 9_000);
    this.#had = [scenario.value];
  }

  async whole(): Promise<Outcome> {
    let value: Outcome["value"] = null;
    try {
      for (const [index, step] of this.scenario.steps.entries()) {
        await this.#step(step).catch((error) => {
          throw new Error(
            `step ${index + 1}, ${step.who ?? ""} ${step.do}: ${error instanceof Error ? error.message : error}`,
          );
        });
      }
      value = await this.#end();
    } catch (error) {
      this.#say(error instanceof Error ? error.message.slice(0, 300) : String(error));
    }
    for (const device of [...this.#devices, this.#fresh]) {
      await device.close().catch((error) => this.#say(`closing threw: ${error}`));
      for (const problem of device.problems) this.#say(`${device.name}: ${problem}`);
    }
    return { complaints: [...this.#found], value };
  }

  #say(complaint: string): void {
    this.#found.add(complaint);
  }

  async #step(step: Step): Promise<void> {
    if (step.who === undefined) return this.#together(step);
    const device = this.#devices.find(({ name }) => name === step.who);
    if (device === undefined) throw new Error("nobody has that name");
    switch (step.do) {
      case "open": {
        const initialValue = this.#begun ? undefined : structuredClone(this.scenario.value);
        this.#begun = true;
        device.online = step.offline !== true;
        return device.open(initialValue);
      }
      case "reopen":
        return device.open();
      case "act":
        await device.act(step.acts ?? []);
        this.#had.push(structuredClone(device.editor.children));
        return;
      case "saved":
        return device.saved();
      case "local":
        return device.local();
      case "offline":
        return device.disconnect();
      case "online":
        return device.connect();
      case "close":
      case "gone":
        return device.close();
      case "undo":
      case "redo": {
        const said = await this.#turnBack(device, step.do);
        if (step.returns !== undefined && said !== step.returns) this.#say(`${step.do}() returned ${said}`);
        return;
      }
      case "undoAll":
        for (let times = 0; await this.#turnBack(device, "undo"); times++) {
          if (times === UNDOS) return this.#say(`undo() returned true ${UNDOS} times`);
        }
        return;
      default:
        throw new Error("there is no such step");
    }
  }

  /** What concerns all. */
  async #together(step: Step): Promise<void> {
    const open = this.#devices.filter(({ isOpen }) => isOpen);
    const shown = open[0]?.shown ?? [];
    switch (step.do) {
      case "settle":
        return this.#settle();
      case "online":
        await Promise.all(open.map((device) => device.connect()));
        return;
      case "begin": {
        const { value, prepared } = this.scenario;
        if (!same(shown, prepared ?? value)) this.#say(`opened as ${show(shown, this.schema)}`);
        this.#had.splice(0, this.#had.length, structuredClone(shown));
        return;
      }
      case "expect":
        for (const complaint of complaints(shown, step.expect!, this.#had, this.schema)) {
          this.#say(`${complaint}: it was ${show(shown, this.schema)}`);
        }
        return;
      default:
        throw new Error("there is no such step");
    }
  }

  /** It says true exactly if the value changes. */
  async #turnBack(device: Device, how: "undo" | "redo"): Promise<boolean> {
    const before = structuredClone(device.shown);
    const said = await device.turnBack(how);
    const changed = !same(before, device.shown);
    if (said !== changed) this.#say(`${how}() returned ${said}, but ${changed ? "something" : "nothing"} changed`);
    return said;
  }

  /** Until all who are online have one value and nothing is pending, for a while. */
  async #settle(): Promise<void> {
    const online = this.#devices.filter((device) => device.isOpen && device.online);
    await until(
      () => online.every((device) => device.isQuiet) && online.every((device) => same(device.shown, online[0]!.shown)),
      () => online.map((device) => device.describe(this.schema)).join(" | "),
      QUIET,
    );
  }

  async #end(): Promise<Outcome["value"]> {
    await this.#settle();
    const { schema } = this;
    await this.#fresh.open();
    const open = [...this.#devices.filter(({ isOpen }) => isOpen), this.#fresh];
    await until(
      () => open.every((device) => same(device.shown, this.#fresh.shown)),
      () => `they differ: ${open.map((device) => device.describe(schema)).join(" | ")}`,
    );
    const value = structuredClone(this.#fresh.shown);
    for (const device of open) {
      const document = device.value();
      if (!same(document, device.shown))
        this.#say(`${device.describe(schema)}, but its document has ${show(document, schema)}`);
    }
    for (const complaint of complaints(value, this.scenario.expect, this.#had, schema)) this.#say(complaint);
    return value;
  }
}

/** How long nothing may change, in ms. */
const QUIET = 250;
/** How often `undoAll` asks at most. */
const UNDOS = 20;
