// A proxy as offices have them: it knows nothing of upgrades, and may lose, double, delay and hold back what it carries.
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** How likely each is, for each request; 0 to 1. */
export interface Faults {
  /** The request never arrives. */
  lost: number;
  /** It arrives, and its answer does not. */
  unanswered: number;
  /** It arrives twice at once. */
  doubled: number;
  /** It arrives again later, after others. */
  late: number;
  /** Its answer breaks off in the middle. */
  cut: number;
}

export const NO_FAULTS: Faults = { lost: 0, unanswered: 0, doubled: 0, late: 0, cut: 0 };

export class HttpProxy {
  faults: Faults = NO_FAULTS;
  /** Answers are passed on when they are whole. */
  holdsBack = false;
  /** Whether it lets sockets through, for once. */
  upgrades = false;
  /** Nothing arrives at all. */
  down = false;
  /** What came, as `METHOD kind`. */
  readonly seen: string[] = [];
  /** What was done to requests, by kind. */
  readonly injected: Record<string, number> = {};
  readonly #port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #random: () => number;

  private constructor(port: number, random: () => number) {
    this.#port = port;
    this.#random = random;
    this.#server = createServer((asked, answer) => void this.#carry(asked, answer));
    this.#server.on("connection", (socket) => {
      if (this.down) socket.destroy();
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
    this.#server.on("upgrade", (asked, socket, head) => this.#upgrade(asked, socket, head));
  }

  static async to(port: number, random: () => number = Math.random): Promise<HttpProxy> {
    const proxy = new HttpProxy(port, random);
    await new Promise<void>((listening) => proxy.#server.listen(0, "127.0.0.1", listening));
    return proxy;
  }

  get scenes(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws/scenes`;
  }

  /** Every connection there is, at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#server.close(closed));
  }

  #happens(kind: keyof Faults): boolean {
    if (this.#random() >= this.faults[kind]) return false;
    this.injected[kind] = (this.injected[kind] ?? 0) + 1;
    return true;
  }

  #upgrade(asked: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.seen.push("upgrade");
    if (!this.upgrades) {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const far = request({ port: this.#port, host: "127.0.0.1", path: asked.url, headers: asked.headers });
    far.on("upgrade", (answer, wire, more) => {
      const { statusCode, statusMessage, rawHeaders } = answer;
      const lines = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []));
      socket.write(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join("\r\n")}\r\n\r\n`);
      socket.write(more);
      wire.write(head);
      socket.pipe(wire).pipe(socket);
      for (const end of [socket, wire]) end.on("error", () => {});
    });
    far.on("error", () => socket.destroy());
    far.end();
  }

  async #carry(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const query = new URL(asked.url ?? "", "http://proxy").searchParams;
    this.seen.push(`${asked.method} ${query.has("stream") ? "stream" : "new"}`);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of asked) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    if (this.#happens("lost")) {
      answer.destroy();
      return;
    }
    const body = Buffer.concat(chunks);
    if (asked.method === "POST" && query.has("stream")) {
      if (this.#happens("doubled")) this.#forward(asked, body, null);
      if (this.#happens("late")) setTimeout(() => this.#forward(asked, body, null), this.#random() * 3_000);
    }
    if (this.#happens("unanswered")) {
      this.#forward(asked, body, null, () => answer.destroy());
      return;
    }
    this.#forward(asked, body, answer);
  }

  /** Without `answer`, nobody hears what comes. */
  #forward(asked: IncomingMessage, body: Buffer, answer: ServerResponse | null, done = () => {}): void {
    const { method, url: path, headers } = asked;
    const far = request({ port: this.#port, host: "127.0.0.1", method, path, headers, agent: false }, (said) => {
      if (answer === null) {
        // Its head is enough: it was answered.
        if (method === "GET") said.destroy();
        else said.resume();
        done();
        return;
      }
      const cutAt = this.#happens("cut") ? this.#random() * 2_000 : Number.POSITIVE_INFINITY;
      let passed = 0;
      const held: Buffer[] = [];
      const begin = () => answer.writeHead(said.statusCode ?? 502, said.headers).flushHeaders();
      if (!this.holdsBack) begin();
      said.on("data", (bytes: Buffer) => {
        if (this.holdsBack) {
          held.push(bytes);
          return;
        }
        passed += bytes.length;
        if (passed <= cutAt) {
          answer.write(bytes);
          return;
        }
        answer.write(bytes.subarray(0, bytes.length >> 1));
        setTimeout(() => answer.destroy(), 5);
        said.destroy();
      });
      said.on("end", () => {
        if (this.holdsBack) begin();
        for (const bytes of held) answer.write(bytes);
        answer.end();
      });
      said.on("error", () => answer.destroy());
      answer.on("close", () => said.destroy());
    });
    far.on("error", () => {
      // As nginx says that nobody is there.
      if (answer !== null && !answer.headersSent) answer.writeHead(502).end("<html>Bad Gateway</html>");
      done();
    });
    answer?.on("close", () => far.destroy());
    far.end(body);
  }
}
