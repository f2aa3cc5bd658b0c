// WebKit: Debian's MiniBrowser, driven by its WebKitWebDriver. What a driven MiniBrowser keeps, it keeps in memory, as in a
// private window: through a reload and the end of the tab, not through its own. It gives up a session whose page dies.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Display, hasDisplay } from "./display.ts";
import { combinedKeys, textKeys } from "./keys.ts";
import { freePort } from "./server.ts";

const DRIVER = "/usr/bin/WebKitWebDriver";
/** Debian has it in a folder of the machine's kind. */
const BROWSER = readdirSync("/usr/lib")
  .map((folder) => join("/usr/lib", folder, "webkit2gtk-4.1/MiniBrowser"))
  .find((path) => existsSync(path));
/** How long it may take to come up, and to answer: machines of tests are busy. */
const PATIENCE_MS = 60_000;

/** Whether there is a WebKit to test with. */
export const hasWebKit = existsSync(DRIVER) && BROWSER !== undefined && hasDisplay;

/**
 * For the head of the pages that are opened in it: the driver does not tell of errors, so that the page keeps them, through
 * reloads too.
 */
export const KEEP_ERRORS = `<script>{
  const keep = (text) => {
    const kept = JSON.parse(sessionStorage.getItem("errors") ?? "[]");
    sessionStorage.setItem("errors", JSON.stringify([...kept, String(text)]));
  };
  addEventListener("error", ({ message }) => keep(message));
  addEventListener("unhandledrejection", ({ reason }) => keep(reason));
  const { error } = console;
  console.error = (...told) => {
    keep(told.join(" "));
    error(...told);
  };
}</script>`;

/** One person's WebKit with one page: a driver, a browser and a display of its own. */
export class WebKit {
  private session = "";
  /** The errors of tabs that are closed. */
  private readonly kept: string[] = [];

  private constructor(
    readonly display: Display,
    private readonly driver: ChildProcess,
    private readonly address: string,
    private readonly home: string,
  ) {}

  static async open(url: string): Promise<WebKit> {
    const display = await Display.open();
    const home = mkdtempSync(join(tmpdir(), "slate-yrs-webkit-"));
    const port = await freePort();
    const env = { ...process.env, DISPLAY: display.name, HOME: home, GDK_BACKEND: "x11", LIBGL_ALWAYS_SOFTWARE: "1" };
    const driver = spawn(DRIVER, [`--port=${port}`], { env, stdio: "ignore", detached: true });
    // A test that takes too long is left where it is.
    process.once("exit", () => end(driver));
    const webkit = new WebKit(display, driver, `http://127.0.0.1:${port}`, home);
    await webkit.listening();
    const options = { binary: BROWSER, args: ["--automation"] };
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": options } };
    const { sessionId } = await webkit.ask<{ sessionId: string }>("POST", "/session", { capabilities });
    webkit.session = `/session/${sessionId}`;
    await webkit.go(url);
    return webkit;
  }

  async go(url: string): Promise<void> {
    await this.ask("POST", `${this.session}/url`, { url });
  }

  async reload(): Promise<void> {
    await this.ask("POST", `${this.session}/refresh`, {});
  }

  /** What a function of the page returns, as JSON. */
  async evaluate<T>(body: () => T | Promise<T>): Promise<T> {
    const script = `return Promise.resolve((${body.toString()})()).then((value) => JSON.stringify(value ?? null))`;
    return JSON.parse(await this.ask<string>("POST", `${this.session}/execute/sync`, { script, args: [] })) as T;
  }

  /** The errors that pages have kept, by `KEEP_ERRORS`. */
  async errors(): Promise<string[]> {
    const here = JSON.parse((await this.evaluate(() => sessionStorage.getItem("errors"))) ?? "[]") as string[];
    return [...this.kept, ...here];
  }

  async type(text: string): Promise<void> {
    await this.keys(textKeys(text));
  }

  async press(combination: string): Promise<void> {
    await this.keys(combinedKeys(combination));
  }

  /** Closes the tab, and opens the page in another. */
  async reopen(url: string): Promise<void> {
    this.kept.push(...(await this.errors()));
    const { handle } = await this.ask<{ handle: string }>("POST", `${this.session}/window/new`, { type: "tab" });
    await this.ask("DELETE", `${this.session}/window`);
    await this.ask("POST", `${this.session}/window`, { handle });
    await this.go(url);
  }

  async close(): Promise<void> {
    const { driver } = this;
    const gone = new Promise((ended) => driver.once("exit", ended));
    const ended = driver.exitCode !== null || driver.signalCode !== null;
    end(driver);
    if (!ended) await gone;
    await this.display.close();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  private async keys(actions: object[]): Promise<void> {
    await this.ask("POST", `${this.session}/actions`, { actions: [{ type: "key", id: "keys", actions }] });
  }

  private async listening(): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        await this.ask("GET", "/status");
        return;
      } catch (error) {
        if (Date.now() > until) throw error;
        await new Promise((wake) => setTimeout(wake, 50));
      }
    }
  }

  private async ask<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.address}${path}`, {
      method,
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
    if (!response.ok) throw new Error(`WebKit refuses ${path}: ${value?.error} ${value?.message}`);
    return value;
  }
}

/** Driver, browser and the processes of its pages stand in one group. */
function end(driver: ChildProcess): void {
  try {
    process.kill(-driver.pid!, "SIGKILL");
  } catch {
    // It has ended.
  }
}
