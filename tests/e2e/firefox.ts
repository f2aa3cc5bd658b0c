// Firefox, driven by WebDriver BiDi: no driver in between, and nothing that Debian does not have. Only what the tests need.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { combinedKeys, textKeys } from "./keys.ts";

const BINARY = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
/** How long Firefox may take to come up, and to answer: machines of tests are busy. */
const PATIENCE_MS = 60_000;

/** Whether there is a Firefox to test with. */
export const hasFirefox = existsSync(BINARY);

/** Nothing of its own goes over the network, and nothing asks. */
const PREFERENCES = {
  "app.update.disabledForTesting": true,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.page": 0,
  "browser.aboutwelcome.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,#settings",
  "toolkit.telemetry.reportingpolicy.firstRun": false,
};

interface Answer {
  id?: number;
  type: "success" | "error" | "event";
  result?: unknown;
  message?: string;
  method?: string;
  params?: { level?: string; text?: string };
}

/** One person's Firefox with one page: a process and a profile of its own. */
export class Firefox {
  readonly errors: string[] = [];
  private child: ChildProcess | undefined;
  private socket: WebSocket | undefined;
  private context = "";
  private last = 0;
  private readonly waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();

  private constructor(private readonly profile: string) {}

  /** `private`: all of its windows are. */
  static async open(url: string, options: { private?: boolean } = {}): Promise<Firefox> {
    const firefox = new Firefox(mkdtempSync(join(tmpdir(), "slate-yrs-firefox-")));
    const preferences = { ...PREFERENCES, "browser.privatebrowsing.autostart": options.private === true };
    const lines = Object.entries(preferences).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    writeFileSync(join(firefox.profile, "user.js"), lines.join("\n"));
    await firefox.start(url);
    return firefox;
  }

  /** Starts it with the profile as it is. */
  async start(url: string): Promise<void> {
    const flags = ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", this.profile];
    // For what an input method does.
    flags.push("--remote-allow-system-access");
    const env = { ...process.env, HOME: this.profile, MOZ_CRASHREPORTER_DISABLE: "1" };
    const child = spawn(BINARY, flags, { env, stdio: ["ignore", "ignore", "pipe"], detached: true });
    this.child = child;
    // A test that takes too long is left where it is.
    process.once("exit", () => end(child));
    const address = await new Promise<string>((resolve, reject) => {
      let said = "";
      const late = setTimeout(() => reject(new Error(`Firefox did not come up: ${said}`)), PATIENCE_MS);
      child.once("exit", (code) => reject(new Error(`Firefox ended with ${code}: ${said}`)));
      child.stderr!.on("data", (text: Buffer) => {
        said += text.toString();
        const found = said.match(/WebDriver BiDi listening on (ws:\/\/\S+)/)?.[1];
        if (found === undefined) return;
        clearTimeout(late);
        resolve(found);
      });
    });
    this.socket = new WebSocket(`${address}/session`);
    this.socket.on("message", (data) => this.hear(JSON.parse(data.toString()) as Answer));
    await new Promise((opened, failed) => this.socket!.once("open", opened).once("error", failed));
    await this.ask("session.new", { capabilities: {} });
    await this.ask("session.subscribe", { events: ["log.entryAdded"] });
    const { contexts } = await this.ask<{ contexts: { context: string }[] }>("browsingContext.getTree", {});
    this.context = contexts[0]!.context;
    await this.ask("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  async reload(): Promise<void> {
    await this.ask("browsingContext.reload", { context: this.context, wait: "complete" });
  }

  /** What a function of the page returns, as JSON. */
  async evaluate<T>(body: () => T | Promise<T>): Promise<T> {
    const functionDeclaration = `async () => JSON.stringify((await (${body.toString()})()) ?? null)`;
    const target = { context: this.context };
    const answer = await this.ask<{
      type: string;
      result?: { value: string };
      exceptionDetails?: { text: string };
    }>("script.callFunction", { functionDeclaration, target, awaitPromise: true });
    if (answer.result === undefined) throw new Error(answer.exceptionDetails?.text ?? "the page has thrown");
    return JSON.parse(answer.result.value) as T;
  }

  async type(text: string): Promise<void> {
    await this.keys(textKeys(text));
  }

  /** `Control+End`: one key, with others held. */
  async press(combination: string): Promise<void> {
    await this.keys(combinedKeys(combination));
  }

  /**
   * What an input method composes is in the page, underlined and not finished; with `done` it is. By the means of
   * Firefox's own tests, in the browser's window: it hands it on to the page that has the focus.
   */
  async compose(text: string, done = false): Promise<void> {
    const functionDeclaration = `(text, done) => {
      gBrowser.selectedBrowser.focus();
      window.processor ??= Cc["@mozilla.org/text-input-processor;1"].createInstance(Ci.nsITextInputProcessor);
      if (!processor.beginInputTransactionForTests(window)) throw new Error("no input transaction");
      if (done) return void processor.commitCompositionWith(text);
      processor.setPendingCompositionString(text);
      processor.appendClauseToPendingComposition(text.length, processor.ATTR_RAW_CLAUSE);
      processor.setCaretInPendingComposition(text.length);
      if (!processor.flushPendingComposition()) throw new Error("nothing is composed");
    }`;
    const { contexts } = await this.ask<{ contexts: { context: string }[] }>("browsingContext.getTree", {
      "moz:scope": "chrome",
    });
    const answer = await this.ask<{ exceptionDetails?: { text: string } }>("script.callFunction", {
      functionDeclaration,
      arguments: [
        { type: "string", value: text },
        { type: "boolean", value: done },
      ],
      target: { context: contexts[0]!.context },
      awaitPromise: false,
    });
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.text);
  }

  /** Its end without a word. */
  async kill(): Promise<void> {
    const { child } = this;
    this.socket?.terminate();
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((ended) => child.once("exit", ended));
    child.stderr!.removeAllListeners();
    end(child);
    await gone;
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  private async keys(actions: object[]): Promise<void> {
    await this.ask("input.performActions", { context: this.context, actions: [{ type: "key", id: "keys", actions }] });
  }

  private ask<T = unknown>(method: string, params: object): Promise<T> {
    this.last += 1;
    const id = this.last;
    return new Promise<T>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Firefox does not answer ${method}`)), PATIENCE_MS);
      this.waiting.set(id, {
        resolve: (result) => {
          clearTimeout(late);
          resolve(result as T);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      });
      this.socket!.send(JSON.stringify({ id, method, params }));
    });
  }

  private hear({ id, type, result, message, method, params }: Answer): void {
    if (method === "log.entryAdded" && params?.level === "error") this.errors.push(params.text ?? "");
    const asked = id === undefined ? undefined : this.waiting.get(id);
    if (asked === undefined) return;
    this.waiting.delete(id!);
    if (type === "success") asked.resolve(result);
    else asked.reject(new Error(message ?? "Firefox refuses"));
  }
}

/** Its content processes stand in the same group. */
function end(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {
    // It has ended.
  }
}
