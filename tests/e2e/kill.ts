// The end of a browser without a word.
import { readdirSync, readFileSync } from "node:fs";

/** The processes of the browser with this profile. */
export function processes(profile: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`--user-data-dir=${profile}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** SIGKILL. The browser first: the others end with it, or by this. */
export function killAll(profile: string): void {
  for (const pid of processes(profile)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
}
