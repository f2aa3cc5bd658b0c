// The bugs that `npm run plant` plants: the text that stands in a file once, and what takes its place. `scripts/checks/plants.mjs`
// checks that it is still there: whoever changes such a place changes it here as well.
export const PLANTS = [
  {
    name: "the room acknowledges before it stores",
    file: "server/src/room/task.rs",
    from: "            self.store(rows).await?;",
    to: "            self.flush();\n            self.store(rows).await?;",
  },
  {
    name: "a commit that failed counts as done",
    file: "server/src/writer.rs",
    from: "let _ = done.send(Err(CommitError::Failed { fault, error: error.clone() }));",
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
    from: "if !self.replica.apply(&update)? {\n            return Ok(());\n        }\n        self.note_format();",
    to: "self.replica.apply(&update)?;\n        self.note_format();",
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
    from: "pop_front_if(|entry| entry.seq <= seq)",
    to: "pop_front_if(|entry| entry.seq <= seq + 1)",
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
    from: "loaded.elsewhere.iter().filter(of_epoch)",
    to: "loaded.elsewhere.iter().take(0).filter(of_epoch)",
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
    from: "|| self.outbox.aside_for_good() > 0 || !self.queue.is_empty();",
    to: "|| !self.queue.is_empty();",
  },
  {
    name: "the status ignores writes that failed",
    file: "src/session/lifecycle.rs",
    from: "self.outbox.not_stored(ticket);",
    to: "self.outbox.stored(ticket);",
  },
  // What documents of format 1 show and write. The tests of the mapping have to find each twice: by a random run, and by a
  // case with a name.
  {
    name: "a part leaves out what its items are linked with",
    file: "src/slate/part/outline.rs",
    from: "if inside.contains(a) != inside.contains(b) {",
    to: "if inside.len() > usize::MAX - 1 && inside.contains(a) != inside.contains(b) {",
    twice: true,
  },
  {
    name: "what stands for others in a sequence is one unit long",
    file: "src/slate/ydoc/focus.rs",
    from: "stretch.len += chunk.len;",
    to: "stretch.len += chunk.len.min(1);",
    twice: true,
  },
  {
    name: "operations on a part are taken for operations on the whole",
    file: "src/slate/part/widen.rs",
    from: "*first = start(sizes, *first);",
    to: "*first = start(sizes, *first).min(*first);",
    twice: true,
  },
];
