// Somebody else, who writes in the middle of the script all the time: yjs and y-websocket, without a page.
import { slateNodesToInsertDelta } from "@slate-yjs/core";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

export class Peer {
  #doc = new Y.Doc();
  #provider;
  #timer;
  #letters = 0;

  constructor(server, scene) {
    this.#provider = new WebsocketProvider(server, scene, this.#doc, {
      WebSocketPolyfill: WebSocket,
      disableBc: true,
    });
  }

  get #root() {
    return this.#doc.get("content", Y.XmlText);
  }

  async synced() {
    if (!this.#provider.synced) await new Promise((done) => this.#provider.once("sync", done));
  }

  seed(nodes) {
    this.#root.applyDelta(slateNodesToInsertDelta(nodes));
  }

  /** A letter every `every` ms at the end of a block, and the caret behind it. */
  write(block, every) {
    const { insert } = this.#root.toDelta()[block];
    const awareness = this.#provider.awareness;
    awareness.setLocalStateField("data", { name: "Peer", color: "#b42318" });
    this.#timer = setInterval(() => {
      this.#letters += 1;
      insert.insert(insert.length, this.#letters % 6 === 0 ? " " : "abcdefg"[this.#letters % 7]);
      const caret = Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(insert, insert.length, -1));
      const whole = { type: null, tname: null, item: null, ...caret };
      awareness.setLocalStateField("selection", { anchor: whole, focus: whole });
    }, every);
  }

  close() {
    clearInterval(this.#timer);
    this.#provider.destroy();
    this.#doc.destroy();
  }
}
