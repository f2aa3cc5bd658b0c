// What cargo has built of others' crates, taken over into another target folder: a check-out of its own, or a build with
// other flags for our crates, need not compile hundreds of them again.
import { cpSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { root, say } from "./process.mjs";

/** Into `folder`, unless something was built there before. `but`: crates that are built otherwise there. */
export function takeOver(folder, but = []) {
  const built = join(root, "target/debug");
  if (existsSync(join(folder, "debug")) || !existsSync(built)) return;
  say("Taking over what is built");
  const others = new RegExp(["slate[-_]yrs", ...but.map((name) => `/(lib)?${name}-`)].join("|"));
  // Ours are built anew; programs would only take room.
  const isTaken = (path) =>
    !others.test(path.slice(built.length)) && !(/-[0-9a-f]{16}$/.test(path) && statSync(path).isFile());
  for (const part of [".fingerprint", "build", "deps"])
    cpSync(join(built, part), join(folder, "debug", part), {
      recursive: true,
      preserveTimestamps: true,
      filter: isTaken,
    });
}
