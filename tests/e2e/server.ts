// The real server on a file of its own and a free port, and a wire to it that can be cut.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const binary = process.env.SLATE_YRS_SERVER ?? join(root, "target/debug/slate-yrs-server");
const example = join(root, "examples/screenplay/dist");

/** How long a server may take to come up: machines of tests are busy. */
export const START_MS = 60_000;

export class SyncServer {
  private child: ChildProcess | undefined;
  private log = "";

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private flags: readonly string[],
    private readonly bare: boolean,
  ) {}

  /** `flags`: more of the server's own. `bare`: without the example. */
  static async start(flags: readonly string[] = [], bare = false): Promise<SyncServer> {
    for (const needed of bare ? [binary] : [binary, join(example, "index.html")]) {
      if (!existsSync(needed)) throw new Error(`${needed} is missing: build it first (npm test does)`);
    }
    const server = new SyncServer(await freePort(), mkdtempSync(join(tmpdir(), "slate-yrs-e2e-")), flags, bare);
    await server.run();
    return server;
  }

  get page(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  get scenes(): string {
    return `ws://127.0.0.1:${this.port}/ws/scenes`;
  }

  get database(): string {
    return `sqlite://${join(this.folder, "scenes.sqlite")}`;
  }

  /** What the database has of a document, as an update; the server need not run. */
  async stored(document: string): Promise<Uint8Array> {
    const file = join(this.folder, "export");
    await promisify(execFile)(binary, ["export", document, file, "--database", this.database]);
    return readFileSync(file);
  }

  /** Deletes a document, which no server may have open meanwhile. Opened again it is another one. */
  async forget(scene: string): Promise<void> {
    await this.kill();
    await promisify(execFile)(binary, ["delete", scene, "--database", this.database]);
    await this.run();
  }

  /** Its end without a word, and another beginning, with other flags. */
  async restart(flags: readonly string[]): Promise<void> {
    await this.kill();
    this.flags = flags;
    await this.run();
  }

  /** Starts it. Its port may be taken for a moment by somebody's outgoing connection: then it is tried again. */
  async run(): Promise<void> {
    const until = Date.now() + START_MS;
    while (!(await this.starts(until))) {
      if (Date.now() > until) throw new Error(`the server did not come up:\n${this.log}`);
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  /** False if it has ended, or takes too long. */
  private async starts(until: number): Promise<boolean> {
    const child = spawn(
      binary,
      [
        ...["--listen", `127.0.0.1:${this.port}`],
        ...["--database", this.database],
        ...(this.bare ? [] : ["--static", example]),
        ...this.flags,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.child = child;
    const keep = (bytes: Buffer) => {
      this.log = (this.log + bytes.toString()).slice(-20_000);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    while (child.exitCode === null && Date.now() < until) {
      try {
        if ((await fetch(`${this.page}healthz`)).ok) return true;
      } catch {
        // Not listening yet.
      }
      await new Promise((wake) => setTimeout(wake, 20));
    }
    await this.kill();
    return false;
  }

  /** SIGKILL: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A wire between a page and the server; cutting it destroys the connections, as an unplugged cable would in the end. */
export class Wire {
  private readonly sockets = new Set<Socket>();
  private connected = true;

  private constructor(
    private readonly listener: Server,
    readonly scenes: string,
  ) {}

  static async to(server: { readonly port: number }): Promise<Wire> {
    let wire: Wire | undefined;
    const listener = createServer((near) => {
      if (!wire?.connected) {
        near.destroy();
        return;
      }
      const far = connect(server.port, "127.0.0.1");
      wire.join(near, far);
    });
    await new Promise<void>((ready) => listener.listen(0, "127.0.0.1", ready));
    wire = new Wire(listener, `ws://127.0.0.1:${(listener.address() as AddressInfo).port}/ws/scenes`);
    return wire;
  }

  cut(): void {
    this.connected = false;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.connected = true;
  }

  /** The connections there are stay open and carry nothing any more, neither way; new ones are refused until `mend`. */
  stall(): void {
    this.connected = false;
    for (const socket of this.sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  close(): void {
    this.cut();
    this.listener.close();
  }

  private join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}

/** For servers that ask for tokens: `--jwt-secret`. */
export const SECRET = "a secret for tests, of more than 32 bytes";

/** A token for all documents. */
export function token(
  user: string,
  options: { seconds?: number; role?: "read-write" | "read-only" | "comment" } = {},
): string {
  const { seconds = 600, role = "read-write" } = options;
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, patterns: ["*"], role, exp })}`;
  return `${head}.${createHmac("sha256", SECRET).update(head).digest("base64url")}`;
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((ready) => probe.listen(0, "127.0.0.1", ready));
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}
