// The bugs that `npm run plant` plants: the text that stands in a file once, and what takes its place. `scripts/checks/plants.mjs`
// checks that it is still there: whoever changes such a place changes it here as well.
export const PLANTS = [
  {
    name: "the room acknowledges before it stores",
    file: "server/src/room/task/store.rs",
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
    from: "            if acked > self.local.device.outbox.highest_sent() {",
    to: "            self.acknowledged(self.local.device.outbox.highest_sent());\n            if acked > self.local.device.outbox.highest_sent() {",
  },
  {
    name: "what waits for a lost log is forgotten in a translation",
    file: "src/session/outbox.rs",
    from: "            updates.extend(waiting(&entry.update));",
    to: "            let _ = &waiting;",
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
    from: "device.outbox.writing(ticket);",
    to: "device.outbox.writing(ticket);\n                device.outbox.stored(ticket);",
  },
  {
    name: "another epoch is ignored",
    file: "src/session/sync.rs",
    from: "if other_epoch && !replacing {",
    to: "if false && other_epoch && !replacing {",
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
    file: "src/session/loading.rs",
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
    file: "src/session/loading.rs",
    from: "if pending.is_empty() {\n        return;",
    to: "if shown || pending.is_empty() {\n        return;",
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
    from: "|| device.outbox.aside_for_good() > 0 || !editing.is_flushed();",
    to: "|| !editing.is_flushed();",
  },
  {
    name: "the status ignores writes that failed",
    file: "src/session/device.rs",
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
    from: "stretch.len += divided.chunks[at].len;",
    to: "stretch.len += divided.chunks[at].len.min(1);",
    twice: true,
  },
  {
    name: "operations on a part are taken for operations on the whole",
    file: "src/slate/part/widen.rs",
    from: "*first = start(sizes, *first);",
    to: "*first = start(sizes, *first).min(*first);",
    twice: true,
  },
  {
    name: "undo leaves what one typed",
    file: "src/slate/undo/mod.rs",
    from: "writer.delete_span(span);",
    to: "writer.delete_span((span.0, span.1 - 1));",
    twice: true,
  },
  {
    name: "a break that is off counts as off although it has a place of its own",
    file: "src/slate/view/claims.rs",
    from: "mirror.node(at).registers.off != Erase::On && self.of(at).is_empty()",
    to: "mirror.node(at).registers.off != Erase::On",
    twice: true,
  },
  {
    name: "what was removed and has nothing to show is shown",
    file: "src/slate/view/settle.rs",
    from: "piece.hidden = !piece.live;",
    to: "piece.hidden = !piece.live && piece.inline;",
    twice: true,
  },
  {
    name: "an insert into a sequence is noted one place too far left",
    file: "src/slate/ydoc/writer.rs",
    from: "self.mirror.nodes[seq as usize].items.insert(at, Item::Node(node));",
    to: "self.mirror.nodes[seq as usize].items.insert(at.saturating_sub(1), Item::Node(node));",
    twice: true,
  },
  {
    name: "of two marks of one name the older one counts",
    file: "src/slate/ydoc/formats.rs",
    from: "let is_last = keys.get(at + 1).is_none_or(|(next, ..)| next.name != key.name);",
    to: "let is_last = at.checked_sub(1).is_none_or(|before| keys[before].0.name != key.name);",
    twice: true,
  },
  {
    name: "what another has brought back is written again",
    file: "src/slate/undo/mod.rs",
    from: "for (was, len) in writer.missing(piece) {",
    to: "for (was, len) in [piece] {",
    twice: true,
  },
  {
    name: "a container that is emptied into a line is joined to it",
    file: "src/slate/write/join.rs",
    from: "!is_emptied || draft.view.piece(*host).holds == was.holds;",
    to: "!is_emptied || draft.view.piece(*host).holds == was.holds || !was.inline;",
    twice: true,
  },
  {
    name: "an engine with a new client id gives the ids of blocks again",
    file: "src/slate/doc/mod.rs",
    from: "other.rng = self.rng;",
    to: "let _ = self.rng;",
    twice: true,
  },
  {
    name: "what is typed before the first letter of a leaf takes no formats",
    file: "src/slate/write/typing.rs",
    from: "formats_behind(writer.items(seq), index).iter()",
    to: "Formats::default().iter()",
    twice: true,
  },
  // One in each folder that the simulator does not reach, and the test that has to find it.
  ...engine([
    {
      name: "what comes before a key ends with that key",
      file: "src/sorted.rs",
      from: "*first < key.to_pair())",
      to: "*first <= key.to_pair())",
      test: "sorted::",
    },
    {
      name: "a letter of two units counts as one",
      file: "src/codec/decode.rs",
      from: "_ => (4, 2),",
      to: "_ => (4, 1),",
      test: "codec::tests::",
    },
    {
      name: "who is said to be gone does not say that it is there",
      file: "src/awareness/mod.rs",
      from: "(None, Some(_)) if entry.clock >= self.own.clock => {",
      to: "(None, Some(_)) if entry.clock > self.own.clock => {",
      test: "awareness::tests::f27_a_live_state_is_not_removed_by_others",
    },
    {
      name: "pieces of a frame are taken in any order",
      file: "src/protocol/fragment.rs",
      from: "if !fits || frame.next != index || frame.count != count {",
      to: "if !fits || frame.count != count {",
      test: "protocol::tests::",
    },
    {
      name: "what is cut off a long text begins a letter too early",
      file: "src/update/split.rs",
      from: "            at += len;\n            rest = after;",
      to: "            at += len.saturating_sub(1).max(1);\n            rest = after;",
      test: "update::split::tests::",
    },
    {
      name: "what has waited for a struct is not taken with it",
      file: "src/update/intake/held.rs",
      from: "waiting.range(..(clock, 0))",
      to: "waiting.range(..(clock.saturating_sub(1), 0))",
      test: "update::intake::tests::f21_any_order_gives_the_same",
    },
    {
      name: "of what an update puts in only the first letter is looked at",
      file: "src/update/survey/graph.rs",
      from: "let end = clock.saturating_add(block.len);",
      to: "let end = clock.saturating_add(1);",
      test: "update::survey::",
    },
    {
      name: "one step of undo has no end",
      file: "src/undo/mod.rs",
      from: "if joins && now.saturating_sub(self.began) < MAX_TIME && self.undo.join(&inverse) {",
      to: "if joins && self.undo.join(&inverse) {",
      test: "undo::tests::f42_one_step_takes_back_a_few_seconds",
    },
    {
      name: "a store keeps what was acknowledged",
      file: "src/store/memory.rs",
      from: "key.session != *session || key.seq > *seq",
      to: "key.session != *session || key.seq >= *seq",
      test: "store::memory::",
    },
    {
      name: "a position at the end of a text counts one letter too few",
      file: "src/slate/doc/anchors.rs",
      from: "let behind = u32::from(assoc == Assoc::Before);",
      to: "let behind = u32::from(assoc == Assoc::After);",
      test: "slate::tests::doc::positions_stay_with_their_characters_and_survive_json",
    },
    {
      name: "what is moved further back among its own stands one too far",
      file: "src/slate/value/transform.rs",
      from: "to[path.len() - 1] -= 1;",
      to: "to[path.len() - 1] -= 0;",
      test: "slate::",
    },
    {
      name: "what becomes a second half is divided off a letter too early",
      file: "src/slate/remote/split.rs",
      from: "self.split_leaf(first, start);\n            return",
      to: "self.split_leaf(first, start.saturating_sub(1).max(1));\n            return",
      test: "slate::remote::",
    },
    {
      name: "new neighbours stand the wrong way round",
      file: "src/slate/ydoc/writer/rows.rs",
      from: "self.mirror.nodes[seq as usize].items.splice(at..at, nodes.iter().map(|node| Item::Node(*node)));",
      to: "self.mirror.nodes[seq as usize].items.splice(at..at, nodes.iter().rev().map(|node| Item::Node(*node)));",
      test: "slate::",
    },
    {
      name: "what is there counts in the order of its ids",
      file: "src/slate/write/copy/pieces.rs",
      from: "    found.sort_unstable();\n",
      to: "    found.sort_unstable_by_key(|(.., id)| *id);\n",
      test: "slate::",
    },
    {
      name: "what another joined to a line stands behind a later join",
      file: "src/slate/view/walk/breaks.rs",
      from: "claims.rank_of(mirror, *seam) < Some(rank)",
      to: "claims.rank_of(mirror, *seam) > Some(rank)",
      test: "slate::",
    },
  ]),
  ...server([
    {
      name: "a kick counts as news twice",
      file: "server/src/auth/kicks.rs",
      from: "last.get(whom).is_some_and(|known| *known >= at)",
      to: "last.get(whom).is_some_and(|known| *known > at)",
      test: "auth::kicks::",
    },
    {
      name: "one void element makes all of its type void",
      file: "server/src/history/kinds.rs",
      from: "&= element.children.iter().all(is_empty);",
      to: "|= element.children.iter().all(is_empty);",
      test: "history::kinds::",
    },
    {
      name: "an origin may name a user",
      file: "server/src/config/places.rs",
      from: "let is_more = !url.username().is_empty()\n        || url.password().is_some()",
      to: "let is_more = url.password().is_some()",
      test: "config::tests::",
    },
    {
      name: "who has read is remembered for ever",
      file: "server/src/http/readings.rs",
      from: "if share.requests == 0 {",
      to: "if share.requests == usize::MAX {",
      test: "http::readings::",
    },
    {
      name: "a row is stored although the tip has moved",
      file: "server/src/storage/batch.rs",
      from: "request.only_at_tip.is_some_and(|tip| tip != document.tip)",
      to: "request.only_at_tip.is_some_and(|tip| tip > document.tip)",
      test: "storage::conformance::sqlite_conforms",
    },
    {
      name: "webhooks reach what only this network reaches",
      file: "server/src/webhooks/address.rs",
      from: "        || address.is_link_local()\n",
      to: "",
      test: "webhooks::address::",
    },
    {
      name: "a body that was taken is taken again",
      file: "server/src/stream/up.rs",
      from: "if number <= self.taken {",
      to: "if number < self.taken {",
      test: "stream::up::",
    },
  ]),
  {
    name: "the first of several blocks of one id is taken",
    file: "server/src/live/locate.rs",
    from: "                1 => Ok(found.swap_remove(0)),",
    to: "                1 | 2 => Ok(found.swap_remove(0)),",
    test: ["--package", "slate-yrs-server", "--test", "live", "what_cannot_be_done_is_said_and_nothing_is_half_done"],
  },
];

/** Bugs of the engine that a test of the engine finds. */
function engine(plants) {
  return plants.map((plant) => ({ ...plant, test: ["--package", "slate-yrs", "--lib", plant.test] }));
}

/** Bugs of the server that a test among its sources finds. */
function server(plants) {
  // With the simulation, whose choice of features is that of all tests: then nothing else is compiled again.
  const chosen = ["--package", "slate-yrs-server", "--package", "slate-yrs-simulation"];
  return plants.map((plant) => ({ ...plant, test: [...chosen, "--lib", plant.test] }));
}

/** Three of them, by the hash of a commit: each commit draws others. */
export function drawn(plants, hash) {
  const left = [...plants];
  const some = [];
  for (let at = 0; at < 3 && left.length > 0; at += 1) {
    const number = Number.parseInt(hash.slice(at * 8, at * 8 + 8) || "0", 16);
    some.push(...left.splice(number % left.length, 1));
  }
  return some;
}
