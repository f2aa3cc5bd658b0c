// `npm run plant`: plants bugs, one at a time, in a copy of the code, and says after how many seeds the simulator finds
// each; of one that simulated people do not bring about, whether the test that is named with it does. One that is not
// found makes this fail, and so does one whose place in the code has changed: then its text below has to follow.
// `-- --seeds N` tries so many seeds, `-- --only WORD` those with the word in their name.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./process.mjs";

const PLANTS = [
  {
    name: "the room acknowledges before it stores",
    file: "server/src/room/task.rs",
    from: "            self.store(rows).await?;",
    to: "            self.flush();\n            self.store(rows).await?;",
  },
  {
    name: "a commit that failed counts as done",
    file: "server/src/writer.rs",
    from: "let _ = done.send(Err(CommitError::Failed(error.to_string())));",
    to: "let _ = done.send(Ok(Stored { first: 1, last: 1 }));",
  },
  {
    name: "the server does not store a client's step 2",
    file: "server/src/room/core.rs",
    from: "Message::SyncStep2(update) => return self.plain_update(conn, frame.slice_ref(update), max_sync),",
    to: "Message::SyncStep2(update) => {\n                let _ = (max_sync, self.replica.apply(update));\n            }",
  },
  {
    name: "the server acknowledges one too many",
    file: "server/src/room/core/edits.rs",
    from: "*ack = seq.max(*ack);",
    to: "*ack = seq.max(*ack) + 1;",
  },
  {
    name: "hello counts what was refused as acknowledged",
    file: "server/src/room/core.rs",
    from: "acked = state.progress.acked;",
    to: "acked = state.progress.last;",
    // Simulated people hardly ever have a server refuse an edit and accept a later one of theirs.
    test: ["--package", "slate-yrs-server", "--test", "sync", "f16_a_refused"],
  },
  {
    name: "the server stores again what it has",
    file: "server/src/room/core/edits.rs",
    from: "if !self.replica.apply(&update)? {\n            return Ok(());\n        }\n        let author",
    to: "self.replica.apply(&update)?;\n        let author",
  },
  {
    name: "the client drops its outbox when it reconnects",
    file: "src/session/sync.rs",
    from: "        if acked > self.outbox.highest_sent() {",
    to: "        self.acknowledged(self.outbox.highest_sent());\n        if acked > self.outbox.highest_sent() {",
  },
  {
    name: "an acknowledgement empties one entry too many",
    file: "src/session/outbox.rs",
    from: "is_some_and(|entry| entry.seq <= seq)",
    to: "is_some_and(|entry| entry.seq <= seq + 1)",
  },
  {
    name: "stored is said when the write begins",
    file: "src/session/mod.rs",
    from: "self.outbox.writing(ticket);",
    to: "self.outbox.writing(ticket);\n            self.outbox.stored(ticket);",
  },
  {
    name: "another epoch is ignored",
    file: "src/session/sync.rs",
    from: "if other_epoch && self.replacement.is_none() {",
    to: "if false && other_epoch && self.replacement.is_none() {",
  },
  {
    name: "merging the outbox drops an entry",
    file: "src/session/outbox.rs",
    from: "match crate::update::merge(&group) {",
    to: "match crate::update::merge(&group[1..]) {",
  },
  {
    name: "compaction deletes rows written meanwhile",
    file: "src/session/journal.rs",
    from: "let rows = self.rows.sizes.keys().copied().collect();",
    to: "let mut rows: Vec<Row> = self.rows.sizes.keys().copied().collect();\nlet last = rows.last().copied().unwrap_or(0);\nrows.extend(last + 1..last + 4);",
  },
  {
    name: "what is acknowledged leaves the outbox, and does not come into the log",
    file: "src/session/journal.rs",
    from: "_ if shown => Vec::new(),",
    to: "_ if shown || self.through.seq % 2 == 0 => Vec::new(),",
  },
  {
    name: "a tab that opens does not see what another one has pending",
    file: "src/session/lifecycle.rs",
    from: "loaded.outbox.iter().chain(&loaded.elsewhere)",
    to: "loaded.outbox.iter()",
  },
  {
    name: "what is refused is dropped",
    file: "src/session/outbox.rs",
    from: "Some(self.entry_aside(entry, code, message))",
    to: "drop(self.entry_aside(entry, code, message));\n        self.set_aside.pop();\n        Some(Vec::new())",
  },
  {
    name: "what a dead tab left is not taken over",
    file: "src/session/lifecycle.rs",
    from: "if pending.is_empty() {\n            return;",
    to: "if self.ready || pending.is_empty() {\n            return;",
  },
  {
    name: "the new keeper does not store what the old one missed",
    file: "src/session/keeping.rs",
    from: "if *missed && let Ok(update)",
    to: "if false && *missed && let Ok(update)",
  },
  {
    name: "the status forgets what was set aside",
    file: "src/session/status.rs",
    from: "if self.outbox.is_empty() && self.outbox.set_aside.is_empty() && self.queue.is_empty() {",
    to: "if self.outbox.is_empty() && self.queue.is_empty() {",
  },
  {
    name: "the status ignores writes that failed",
    file: "src/session/lifecycle.rs",
    from: "self.outbox.not_stored(ticket);",
    to: "self.outbox.stored(ticket);",
  },
];

const option = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const seeds = option("--seeds", "5000");
const only = option("--only", "");

// A target directory of its own: cargo tells the crates of two copies apart by nothing but the time.
const copy = join(root, "target/planted");
mkdirSync(copy, { recursive: true });
for (const part of [
  "Cargo.toml",
  "Cargo.lock",
  "clippy.toml",
  "src",
  "server",
  "xtask",
  "tests/simulation",
  "tests/web",
]) {
  rmSync(join(copy, part), { recursive: true, force: true });
  cpSync(join(root, part), join(copy, part), { recursive: true });
}

let failed = 0;
for (const { name, file, from, to, test } of PLANTS.filter(({ name }) => name.includes(only))) {
  const path = join(copy, file);
  const sound = readFileSync(path, "utf8");
  let said = `its place in ${file} has changed`;
  if (sound.split(from).length === 2) {
    writeFileSync(
      path,
      sound.replace(from, () => to),
    );
    const env = { ...process.env, CARGO_TARGET_DIR: join(copy, "target"), RUST_BACKTRACE: "0" };
    const args = test
      ? ["test", "--quiet", ...test]
      : ["run", "--quiet", "-p", "slate-yrs-simulation", "--", "--first", "--seeds", seeds];
    const { stdout, stderr } = spawnSync("cargo", args, { cwd: copy, env, encoding: "utf8", maxBuffer: 1 << 28 });
    writeFileSync(path, sound);
    const found = stdout.match(test ? /^test result: FAILED.*/m : /^found after (\d+) seeds: .*/m);
    said = found?.[0] ?? `not found: ${(stdout.trim() || stderr).split("\n").at(-1)}`;
    if (found) {
      console.log(`ok      ${name}: ${said}`);
      continue;
    }
  }
  failed += 1;
  console.log(`FAILED  ${name}: ${said}`);
}
process.exit(failed === 0 ? 0 : 1);
