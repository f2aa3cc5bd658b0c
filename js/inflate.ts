// Frames that the server has compressed: the document, when it is opened. The browser's own decoder reads them, beside the
// page's thread, and the engine sees frames as any server sends them.

let isTrusted = readsDeflate();

/**
 * Whether frames can be read so here: a page says so in the address of its sockets. A WebSocket that is not the platform's
 * (`ws` put in its place, in Node) has events that cannot be held back.
 */
export function inflates(): boolean {
  return isTrusted && typeof WebSocket === "function" && typeof WebSocket.prototype?.dispatchEvent === "function";
}

/** The varUint 128. What follows is the frame as raw DEFLATE. */
const DEFLATED = [0x80, 0x01];
const OPEN = 1;
/** More than a server sends in a frame. */
const MAX_BYTES = 64 * 1024 * 1024;

function readsDeflate(): boolean {
  try {
    return new DecompressionStream("deflate-raw") !== undefined;
  } catch {
    // Not there, or without this format.
    return false;
  }
}

function isDeflated(data: unknown): data is ArrayBuffer {
  if (!(data instanceof ArrayBuffer) || data.byteLength < DEFLATED.length) return false;
  const head = new Uint8Array(data, 0, DEFLATED.length);
  return DEFLATED.every((byte, at) => head[at] === byte);
}

/** @throws if these are no such bytes, or hold too many. */
async function inflate(data: ArrayBuffer): Promise<ArrayBuffer> {
  const bytes = new Blob([new Uint8Array(data, DEFLATED.length)]).stream();
  const reader = bytes.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.byteLength;
    if (length > MAX_BYTES) {
      void reader.cancel();
      throw new RangeError("a compressed frame is too large");
    }
    pieces.push(next.value);
  }
  return new Blob(pieces).arrayBuffer();
}

/**
 * Shows whoever listens on the socket from now on what is in compressed frames, in the order in which all frames came. A
 * frame that cannot be read ends the connection: the engine connects again, has lost nothing, and asks for none.
 */
export function inflating(socket: WebSocket): void {
  const waiting: MessageEvent[] = [];
  /** Those that the other listeners are to see. */
  const shown = new WeakSet<Event>();
  let isBusy = false;
  const show = async () => {
    isBusy = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const data: unknown = isDeflated(next.data) ? await inflate(next.data) : next.data;
      // What a closed socket still has, nobody asks for.
      if (socket.readyState !== OPEN) break;
      const event = new MessageEvent("message", { data });
      shown.add(event);
      socket.dispatchEvent(event);
    }
    isBusy = false;
  };
  socket.addEventListener("message", (event) => {
    if (shown.has(event)) return;
    if (!isBusy && !isDeflated(event.data)) {
      shown.add(event);
      return;
    }
    event.stopImmediatePropagation();
    waiting.push(event);
    if (!isBusy) {
      show().catch(() => {
        // Something between here and the server has changed it, or it is no server of ours.
        isTrusted = false;
        socket.close();
      });
    }
  });
}
