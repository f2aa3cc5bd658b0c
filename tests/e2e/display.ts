// A screen of one's own for a browser that wants one, and a keyboard whose keys go the way of real ones: through the X
// server, the browser's toolkit and its input method. So dead keys compose as they do on a desk.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

const TOOLS = ["/usr/bin/Xvfb", "/usr/bin/xdotool", "/usr/bin/setxkbmap"];

/** Whether there is what a display takes. */
export const hasDisplay = TOOLS.every((path) => existsSync(path));

export class Display {
  private constructor(
    private readonly child: ChildProcess,
    /** As programs are given it: `:1`. */
    readonly name: string,
  ) {}

  static async open(): Promise<Display> {
    const flags = ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"];
    const child = spawn("Xvfb", flags, { stdio: ["ignore", "ignore", "ignore", "pipe"], detached: true });
    process.once("exit", () => child.kill("SIGKILL"));
    const name = await new Promise<string>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`Xvfb ended with ${code}`)));
      (child.stdio[3] as Readable).on("data", (number: Buffer) => resolve(`:${number.toString().trim()}`));
    });
    // Without layouts there are no dead keys.
    await promisify(execFile)("setxkbmap", ["-display", name, "-layout", "us", "-variant", "intl"]);
    return new Display(child, name);
  }

  /** Gives the browser the keyboard, and by a click the page: nobody manages windows here. */
  async click(): Promise<void> {
    const { stdout } = await this.tool("search", "--onlyvisible", "--class", "minibrowser|firefox|chrom");
    await this.tool("windowfocus", "--sync", stdout.trim().split("\n").at(-1)!);
    await this.tool("mousemove", "400", "500", "click", "1");
  }

  /** Presses keys by the names that X has for them. */
  async press(...keys: string[]): Promise<void> {
    await this.tool("key", "--delay", "40", ...keys);
  }

  private tool(...args: string[]): Promise<{ stdout: string }> {
    return promisify(execFile)("xdotool", args, { env: { ...process.env, DISPLAY: this.name } });
  }

  async close(): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.removeAllListeners("exit");
    const gone = new Promise((ended) => child.once("exit", ended));
    child.kill("SIGKILL");
    await gone;
  }
}
