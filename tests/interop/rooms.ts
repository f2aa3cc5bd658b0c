// Editors of both kinds in one room of a real server: ours through its own socket, slate-yjs through y-websocket.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { withYjs, YjsEditor } from "@slate-yjs/core";
import { setupWSConnection } from "@y/websocket-server/utils";
import { createEditor, type Descendant, type Editor } from "slate";
import { WebSocket, WebSocketServer } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { handleOf } from "../../js/engine.js";
import { open } from "../../js/index.js";
import { type CollabEditor, withCollab } from "../../js/slate.js";
import { SyncServer, Wire } from "../e2e/server.ts";
import { withKinds } from "./random.js";
import { canonical, type Replica, read } from "./replica.js";

/** A server, and a cable to it. */
export interface Server {
  readonly url: string;
  /** All connections there are, at once; new ones can be made. */
  cut(): void;
  stop(): Promise<void>;
}

/** `@y/websocket-server` in memory. */
export async function plainServer(): Promise<Server> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket, request) => setupWSConnection(socket, request));
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const wire = await Wire.to({ port: (http.address() as AddressInfo).port });
  return server(wire, async () => {
    for (const socket of sockets.clients) socket.terminate();
    await new Promise((closed) => http.close(closed));
  });
}

/** Ours, on a database of its own. */
export async function ownServer(): Promise<Server> {
  const own = await SyncServer.start([], true);
  return server(await Wire.to(own), () => own.stop());
}

function server(wire: Wire, stop: () => Promise<void>): Server {
  return {
    url: wire.scenes,
    cut: () => {
      wire.cut();
      wire.mend();
    },
    stop: async () => {
      wire.close();
      await stop();
    },
  };
}

/** Somebody in a room. */
export interface Seat {
  readonly kind: Replica["kind"];
  readonly editor: Editor;
  /** What the editor did reaches the document. Throws what went wrong since the last time. */
  flush(): void;
  connect(): void;
  disconnect(): void;
  /** It has what the server had when it connected. */
  isConnected(): boolean;
  stateVector(): Uint8Array;
  /** What the document holds, read from its bytes by slate-yjs. */
  document(): Descendant[];
  undo(): void;
  close(): Promise<void>;
}

/** Takes a seat with a document that has `start`, or as somebody who has nothing yet. */
export type Sit = (url: string, room: string, start?: Uint8Array) => Promise<Seat>;

/** Node has a WebSocket of its own from version 22. */
export function useNodeSockets(): () => void {
  const had = globalThis.WebSocket;
  globalThis.WebSocket = WebSocket as unknown as typeof globalThis.WebSocket;
  return () => {
    globalThis.WebSocket = had;
  };
}

export const ours: Sit = async (url, room, start) => {
  const collab = await open({ id: room, url, offline: false, format: 0 });
  if (start !== undefined) collab.applyUpdate(start);
  const editor = withCollab(withKinds(createEditor()), collab) as Editor & CollabEditor;
  const failures: unknown[] = [];
  collab.on("error", (error) => failures.push(error));
  return {
    kind: "ours",
    editor,
    flush: () => {
      handleOf(collab).flush();
      if (failures.length > 0) throw failures[0];
      if (collab.status.divergences > 0) throw new Error("the editor differed from the document");
    },
    connect: () => collab.connect(),
    disconnect: () => collab.disconnect(),
    isConnected: () => collab.status.connection === "online" && collab.status.synced,
    stateVector: () => collab.stateVector(),
    document: () => read(collab.encodeState()),
    undo: () => void collab.undo(),
    close: async () => {
      editor.disconnect();
      await collab.close();
    },
  };
};

export const theirs: Sit = async (url, room, start) => {
  const doc = new Y.Doc();
  if (start !== undefined) Y.applyUpdate(doc, start);
  const editor = withYjs(withKinds(createEditor()), doc.get("content", Y.XmlText), { autoConnect: false });
  YjsEditor.connect(editor);
  // It flushes in a microtask, where a throw could not be told from ours. `flush` does it instead.
  editor.onChange = () => {};
  const failures: unknown[] = [];
  const { applyRemoteEvents } = editor;
  editor.applyRemoteEvents = (events, origin) => {
    try {
      applyRemoteEvents(events, origin);
      // What its normalizers made of it.
      YjsEditor.flushLocalChanges(editor);
    } catch (error) {
      failures.push(error);
    }
  };
  const provider = new WebsocketProvider(url, room, doc, { WebSocketPolyfill: WebSocket as never, disableBc: true });
  return {
    kind: "theirs",
    editor,
    flush: () => {
      YjsEditor.flushLocalChanges(editor);
      if (failures.length > 0) throw failures[0];
    },
    connect: () => provider.connect(),
    disconnect: () => provider.disconnect(),
    isConnected: () => provider.wsconnected && provider.synced,
    stateVector: () => Y.encodeStateVector(doc),
    document: () => read(Y.encodeStateAsUpdate(doc)),
    undo: () => {},
    close: async () => {
      YjsEditor.disconnect(editor);
      provider.destroy();
      doc.destroy();
    },
  };
};

/** Waits until `reached`, which depends on sockets. False if that takes too long. */
export async function until(reached: () => boolean, ms = 20_000): Promise<boolean> {
  for (const end = Date.now() + ms; !reached(); ) {
    if (Date.now() > end) return false;
    await new Promise((wake) => setTimeout(wake, 3));
  }
  return true;
}

/** Whether all are connected and have one document. Cheap as long as they have not. */
export function agree(seats: readonly Seat[]): boolean {
  if (!seats.every((seat) => seat.isConnected())) return false;
  if (new Set(seats.map((seat) => clocks(seat.stateVector()))).size > 1) return false;
  return new Set(seats.map((seat) => JSON.stringify(canonical(seat.document())))).size === 1;
}

/** What keeps them from that, for a report. */
export const describeSeat = (seat: Seat): string =>
  `${seat.isConnected() ? "connected" : "not connected"}, clocks ${clocks(seat.stateVector())}, ` +
  JSON.stringify(canonical(seat.document()));

/** In an order that does not depend on who has encoded it. */
function clocks(stateVector: Uint8Array): string {
  return JSON.stringify([...Y.decodeStateVector(stateVector)].sort(([a], [b]) => a - b));
}
