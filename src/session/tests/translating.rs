//! A device that comes back with edits by copy to a document that has become one of format 1.

use super::*;
use crate::protocol::close;
use crate::slate::DocOptions;
use crate::store::PendingKey;

const BOTH: KnownFormats = KnownFormats::of(&[0, 1]);

/// A server that has what it was sent, and whoever else writes on it.
pub(super) struct Server {
    pub doc: SlateDoc,
    acked: u64,
    durable: bool,
    submitted: Vec<Vec<u8>>,
}

fn replica(client_id: u32) -> SlateDoc {
    let schema = Default::default();
    SlateDoc::new(DocOptions { client_id, root: "content".into(), block_id: None, seed: 3, schema })
}

impl Server {
    pub fn new(value: &[Node], durable: bool) -> Self {
        let mut doc = replica(900);
        doc.apply_update(&foreign(value)).expect("valid");
        Self { doc, acked: 0, durable, submitted: Vec::new() }
    }

    /// Somebody raises the document's format.
    pub fn raise(&mut self) {
        assert!(!self.doc.raise_format(1).is_empty());
    }

    /// Somebody else edits.
    fn edit(&mut self, ops: Vec<Op>) {
        let change = self.doc.apply_local(ops);
        assert!(change.rejected.is_empty() && change.update.is_some());
    }

    fn text(&self) -> Vec<String> {
        self.doc.value().iter().map(text).collect()
    }

    fn greet(&self, rig: &mut Rig) {
        rig.feed(Input::Opened);
        if self.durable {
            let format = Some(self.doc.format());
            rig.frame(Message::Hello(Hello { format, acked_seq: self.acked, ..hello("e", 0) }));
        }
        rig.frame(Message::SyncStep1(&self.doc.state_vector()));
    }

    /// Answers until nothing more is sent. The slate-yrs server answers the last of the questions that it finds together.
    fn serve(&mut self, rig: &mut Rig) {
        loop {
            let frames = rig.frames();
            if frames.is_empty() {
                return;
            }
            let mut asked = None;
            for frame in frames {
                for message in messages(&frame).map(|message| message.expect("sound")) {
                    match message {
                        Message::SyncStep1(sv) if self.durable => asked = Some(sv.to_vec()),
                        Message::SyncStep1(sv) => self.answer(sv, rig),
                        Message::Submit { seq, update } => {
                            self.take(update);
                            self.acked = seq;
                            rig.frame(Message::Ack { seq });
                        }
                        Message::SyncStep2(update) | Message::Update(update) => self.take(update),
                        _ => {}
                    }
                }
            }
            if let Some(state_vector) = asked {
                self.answer(&state_vector, rig);
            }
            rig.pass(if self.durable { 0 } else { 1_500 });
        }
    }

    fn answer(&self, state_vector: &[u8], rig: &mut Rig) {
        let all = self.doc.encode_state(Some(state_vector)).expect("a state");
        rig.frame(Message::SyncStep2(&all));
    }

    fn take(&mut self, update: &[u8]) {
        if update.len() > NOTHING.len() {
            self.submitted.push(update.to_vec());
        }
        self.doc.apply_update(update).expect("valid");
        assert!(!self.doc.is_waiting(), "it stands upon nothing that is missing");
    }

    /// Whether anything that was made by this client id was sent up.
    pub fn knows(&self, client: u32) -> bool {
        self.doc.knows_client(client)
    }
}

pub(super) fn text(node: &Node) -> String {
    match node {
        Node::Text(leaf) => leaf.text.to_string(),
        Node::Element(element) => element.children.iter().map(text).collect(),
    }
}

fn insert(at: &[u32], offset: u32, text: &str) -> Op {
    Op::InsertText { path: path(at), offset, text: text.into() }
}

/// Enter.
fn split(block: u32, position: u32) -> Vec<Op> {
    let props = Attrs::from([("type".into(), "p".into())]);
    vec![
        Op::SplitNode { path: path(&[block, 0]), position, properties: Attrs::new() },
        Op::SplitNode { path: path(&[block]), position: 1, properties: props },
    ]
}

fn knowing(session: &str, client_id: u32) -> Config {
    Config { formats: BOTH, format: Some(0), ..config(session, client_id) }
}

/// A device that has what the server has, and is offline.
pub(super) fn away(server: &mut Server, session: &str, client_id: u32, store: MemoryStore) -> Rig {
    let mut rig = Rig::open(knowing(session, client_id), store);
    server.greet(&mut rig);
    server.serve(&mut rig);
    assert_eq!((rig.session.value(), rig.status().pending), (server.doc.value(), 0));
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.take();
    rig
}

pub(super) fn comes_back(server: &mut Server, rig: &mut Rig) {
    server.acked = 0;
    rig.feed(Input::Connect);
    server.greet(rig);
    server.serve(rig);
}

fn is_settled(server: &Server, rig: &Rig) {
    let status = rig.status();
    assert_eq!((status.pending, status.set_aside, status.saved, status.format), (0, 0, Saved::Server, Some(1)));
    assert_eq!(status.error, None);
    assert_eq!(rig.session.value(), server.doc.value());
}

fn types(rig: &mut Rig, ops: Vec<Op>) {
    ops.into_iter().for_each(|op| rig.feed(Input::Edit(op)));
    rig.feed(Input::Flush);
}

/// Enter by copy on the device; meanwhile the document is raised, and a peer divides and types in the half that was copied.
#[test]
fn edits_by_copy_are_written_again_by_reference() {
    for durable in [true, false] {
        let mut server = Server::new(&[block("first line"), block("onetwo"), block("last")], durable);
        let mut rig = away(&mut server, "s", 5, MemoryStore::new());
        types(&mut rig, split(1, 3));
        types(&mut rig, vec![insert(&[2, 0], 3, "Ada")]);
        types(&mut rig, vec![insert(&[0, 0], 0, "The ")]);
        server.raise();
        server.edit(vec![insert(&[1, 0], 5, "Ben")]);
        server.edit(split(1, 4));
        assert_eq!(rig.status().pending, 3);
        comes_back(&mut server, &mut rig);
        assert_eq!(server.text(), ["The first line", "one", "t", "wBenoAda", "last"], "durable {durable}");
        is_settled(&server, &rig);
        assert!(!server.knows(5), "nothing that was made by copy goes up");
        // And it goes on by reference.
        types(&mut rig, split(0, 3));
        server.serve(&mut rig);
        is_settled(&server, &rig);
        assert_eq!(server.text()[..2], ["The", " first line"]);
    }
}

/// Two questions that were open when it turned out, and one answer to both: the whole is asked for all the same.
#[test]
fn a_question_that_is_not_answered_is_asked_again() {
    let mut server = Server::new(&[block("one")], true);
    let mut rig = away(&mut server, "s", 5, MemoryStore::new());
    types(&mut rig, split(0, 2));
    server.raise();
    server.acked = 0;
    rig.feed(Input::Connect);
    rig.feed(Input::Opened);
    rig.session.probe();
    rig.frame(Message::Hello(Hello { format: Some(1), ..hello("e", 0) }));
    let questions = |rig: &mut Rig| {
        let frames = rig.frames();
        let all = frames.iter().flat_map(|frame| messages(frame).collect::<Vec<_>>());
        all.filter(|message| matches!(message, Ok(Message::SyncStep1(_)))).count()
    };
    assert_eq!(questions(&mut rig), 2, "a server that is slow to say hello is asked again");
    server.answer(&[0], &mut rig);
    assert_eq!(questions(&mut rig), 0, "another answer may be on its way");
    rig.pass(5_000);
    rig.frame(Message::Pong);
    rig.pass(5_000);
    server.serve(&mut rig);
    is_settled(&server, &rig);
    assert_eq!(server.text(), ["on", "e"]);
}

/// What the server has of the outbox already, though the device has not heard so, is not written again.
#[test]
fn what_the_server_has_already_is_not_translated_again() {
    let mut server = Server::new(&[block("one"), block("two")], true);
    let mut rig = away(&mut server, "s", 5, MemoryStore::new());
    types(&mut rig, vec![insert(&[0, 0], 3, "Ada")]);
    let sent = rig.session.export_outbox().expect("sound");
    server.take(&sent);
    types(&mut rig, vec![insert(&[1, 0], 3, "Eve")]);
    server.raise();
    comes_back(&mut server, &mut rig);
    assert_eq!(server.text(), ["oneAda", "twoEve"]);
    is_settled(&server, &rig);
}

/// What a peer deletes meanwhile stays deleted, and what was typed in it stays.
#[test]
fn a_line_that_is_gone_there_comes_back_with_what_was_typed_only() {
    let mut server = Server::new(&[block("one"), block("two"), block("three")], true);
    let mut rig = away(&mut server, "s", 5, MemoryStore::new());
    types(&mut rig, vec![insert(&[1, 0], 3, "Ada")]);
    types(&mut rig, vec![Op::RemoveText { path: path(&[2, 0]), offset: 0, text: "thr".into() }]);
    server.raise();
    server.edit(vec![Op::RemoveNode { path: path(&[1]), node: block("two") }]);
    comes_back(&mut server, &mut rig);
    assert_eq!(server.text(), ["one", "Ada", "ee"]);
    is_settled(&server, &rig);
}

/// Killed at any write, before or after the server has what was written again.
#[test]
fn translated_edits_are_there_once_wherever_the_device_is_killed() {
    for killed_at in 0..6 {
        let mut server = Server::new(&[block("onetwo"), block("last")], true);
        let store = MemoryStore::new();
        let mut rig = away(&mut server, "s", 5, store.clone());
        types(&mut rig, split(0, 3));
        types(&mut rig, vec![insert(&[1, 0], 3, "Ada")]);
        server.raise();
        rig.slow = Some(VecDeque::new());
        rig.feed(Input::Connect);
        server.greet(&mut rig);
        for _ in 0..killed_at {
            server.serve(&mut rig);
            if !rig.land() {
                break;
            }
        }
        drop(rig);
        let mut next = Rig::open(knowing("t", 6), store);
        server.acked = 0;
        server.greet(&mut next);
        server.serve(&mut next);
        next.pass(5_000);
        assert_eq!(server.text(), ["one", "twoAda", "last"], "{killed_at}");
        is_settled(&server, &next);
    }
}

/// What is written again is kept before it is sent: the device could be gone in between, and the rest of it with it.
#[test]
fn nothing_that_was_translated_is_sent_before_the_device_has_it() {
    let mut server = Server::new(&[block("onetwo")], true);
    let mut rig = away(&mut server, "s", 5, MemoryStore::new());
    types(&mut rig, split(0, 3));
    server.raise();
    rig.slow = Some(VecDeque::new());
    rig.feed(Input::Connect);
    server.greet(&mut rig);
    server.serve(&mut rig);
    assert!(server.submitted.is_empty() && rig.status().pending > 0);
    assert_eq!(rig.session.value(), [block("one"), block("two")]);
    while rig.land() {}
    server.serve(&mut rig);
    while rig.land() {}
    assert_eq!(server.text(), ["one", "two"]);
    rig.pass(5_000);
    while rig.land() {}
    is_settled(&server, &rig);
    // A device that keeps nothing does not wait for it.
    let mut server = Server::new(&[block("onetwo")], true);
    let store = MemoryStore::new();
    let mut rig = away(&mut server, "s", 5, store.clone());
    types(&mut rig, split(0, 3));
    server.raise();
    store.set_fault(Some(StoreError::Full));
    comes_back(&mut server, &mut rig);
    assert_eq!(server.text(), ["one", "two"]);
}

/// The server has what was written again, and the device knows nothing of that: its store lost the write.
#[test]
fn what_was_translated_is_not_translated_again() {
    let mut server = Server::new(&[block("onetwo")], true);
    let store = MemoryStore::new();
    let mut rig = away(&mut server, "s", 5, store.clone());
    types(&mut rig, split(0, 3));
    types(&mut rig, vec![insert(&[1, 0], 3, "Ada")]);
    server.raise();
    store.set_fault(Some(StoreError::Full));
    comes_back(&mut server, &mut rig);
    assert_eq!(server.text(), ["one", "twoAda"]);
    drop(rig);
    store.set_fault(None);
    let mut next = Rig::open(knowing("t", 6), store);
    assert!(next.status().pending > 0);
    server.acked = 0;
    server.greet(&mut next);
    server.serve(&mut next);
    assert_eq!(server.text(), ["one", "twoAda"]);
    is_settled(&server, &next);
}

/// Without a store the device has nothing but its document.
#[test]
fn edits_in_memory_are_translated_too() {
    let mut server = Server::new(&[block("onetwo")], true);
    let mut rig = Rig::open(Config { store: false, ..knowing("s", 5) }, MemoryStore::new());
    server.greet(&mut rig);
    server.serve(&mut rig);
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.take();
    types(&mut rig, split(0, 3));
    server.raise();
    server.edit(vec![insert(&[0, 0], 6, "Ben")]);
    comes_back(&mut server, &mut rig);
    assert_eq!(server.text(), ["one", "twoBen"]);
    is_settled(&server, &rig);
}

/// The flag comes while edits wait on an open connection.
#[test]
fn a_flag_that_comes_while_something_is_pending_is_no_reason_to_send_it_as_it_is() {
    let mut server = Server::new(&[block("onetwo")], true);
    let mut rig = away(&mut server, "s", 5, MemoryStore::new());
    rig.feed(Input::Connect);
    server.greet(&mut rig);
    server.serve(&mut rig);
    server.acked = 0;
    // The server asks for patience: what is typed stays here.
    types(&mut rig, split(0, 3));
    let seq = rig.session.local.device.outbox.last_seq();
    rig.take();
    rig.frame(Message::Reject { seq, code: RejectCode::RateLimited, message: "later" });
    let before = server.doc.state_vector();
    server.raise();
    rig.frame(Message::Update(&server.doc.encode_state(Some(&before)).expect("a state")));
    server.serve(&mut rig);
    rig.pass(5_000);
    server.serve(&mut rig);
    assert!(!server.knows(5));
    assert_eq!(server.text(), ["one", "two"]);
    is_settled(&server, &rig);
}

/// Two tabs of one device, both with edits; each hears of the other's. One of them writes it all again.
#[test]
fn of_several_tabs_one_translates_for_all() {
    for keeper in [0, 1] {
        let mut server = Server::new(&[block("onetwo"), block("last")], true);
        let store = MemoryStore::new();
        let mut tabs = [away(&mut server, "s", 5, store.clone()), away(&mut server, "t", 6, store.clone())];
        let edits = [split(0, 3), vec![insert(&[1, 0], 3, "Ada")]];
        for (at, ops) in edits.into_iter().enumerate() {
            types(&mut tabs[at], ops);
            let update = tabs[at].session.export_outbox().expect("sound");
            tabs[1 - at].feed(Input::TabUpdate { update, epoch: Some("e".into()), kept: true });
            tabs[at].take();
        }
        server.raise();
        for (at, tab) in tabs.iter_mut().enumerate() {
            tab.feed(Input::Keep(at == keeper));
            tab.feed(Input::Connect);
        }
        // The one that is not to do it is first, and waits.
        for at in [1 - keeper, keeper] {
            server.acked = 0;
            server.greet(&mut tabs[at]);
            server.serve(&mut tabs[at]);
            assert_eq!(server.submitted.is_empty(), at != keeper, "the keeper, and nobody else");
        }
        let news = server.doc.encode_state(None).expect("a state");
        tabs[1 - keeper].frame(Message::Update(&news));
        server.serve(&mut tabs[1 - keeper]);
        for tab in &mut tabs {
            tab.pass(30_000);
            server.serve(tab);
            is_settled(&server, tab);
        }
        assert_eq!(server.text(), ["one", "twoAda", "last"], "{keeper}");
        assert!(!server.knows(5) && !server.knows(6));
        let next = Rig::open(knowing("u", 7), store);
        assert_eq!((next.session.value(), next.status().pending, next.status().set_aside), (server.doc.value(), 0, 0));
    }
}

/// The other tab dies before it is its turn: what it had is translated by whoever has it.
#[test]
fn edits_of_a_tab_that_is_gone_are_translated() {
    let mut server = Server::new(&[block("onetwo")], true);
    let store = MemoryStore::new();
    let mut tab = away(&mut server, "s", 5, store.clone());
    types(&mut tab, split(0, 3));
    drop(tab);
    server.raise();
    let mut next = Rig::open(knowing("t", 6), store);
    server.acked = 0;
    server.greet(&mut next);
    server.serve(&mut next);
    assert_eq!(server.text(), ["one", "two"]);
    assert!(!server.knows(5));
    is_settled(&server, &next);
}

/// Both have begun the same document offline, and typed in it.
#[test]
fn a_seed_and_what_stands_upon_it_meet_a_document_of_format_1() {
    for same in [true, false] {
        let mut server = Server::new(&[block(if same { "seed" } else { "other" })], true);
        server.raise();
        server.edit(split(0, 2));
        let wanted = Some(vec![block("seed"), block("untouched")]);
        let wanted = if same { Some(vec![block("seed")]) } else { wanted };
        let mut rig = Rig::open(Config { initial_value: wanted, ..knowing("s", 5) }, MemoryStore::new());
        types(&mut rig, vec![insert(&[0, 0], 4, "Ada")]);
        server.greet(&mut rig);
        server.serve(&mut rig);
        let mut lines = server.text();
        lines.sort();
        let expected: &[&str] = if same { &["edAda", "se"] } else { &["her", "ot", "seedAda"] };
        assert_eq!(lines, expected, "{same}");
        is_settled(&server, &rig);
    }
}

/// The connection ends at any time: it is done at the next.
#[test]
fn a_connection_that_ends_meanwhile_costs_nothing() {
    let mut server = Server::new(&[block("onetwo")], true);
    let mut rig = away(&mut server, "s", 5, MemoryStore::new());
    types(&mut rig, split(0, 3));
    server.raise();
    rig.feed(Input::Connect);
    server.greet(&mut rig);
    // What is typed meanwhile is part of it.
    types(&mut rig, vec![insert(&[1, 0], 3, "Ada")]);
    assert_eq!((rig.status().pending, rig.status().saved), (2, Saved::Local));
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    comes_back(&mut server, &mut rig);
    assert_eq!(server.text(), ["one", "twoAda"]);
    is_settled(&server, &rig);
}

/// A reader's refused edits are not sent as they are either, when he may write at last.
#[test]
fn what_waits_for_the_right_to_write_is_translated() {
    let mut server = Server::new(&[block("onetwo")], true);
    let store = MemoryStore::new();
    let mut rig = away(&mut server, "s", 5, store.clone());
    types(&mut rig, split(0, 3));
    rig.feed(Input::Connect);
    server.greet(&mut rig);
    rig.frame(Message::SyncStep2(&[0, 0]));
    let seq = rig.session.local.device.outbox.last_seq();
    rig.take();
    rig.frame(Message::Reject { seq, code: RejectCode::ReadOnly, message: "read only" });
    assert_eq!((rig.status().pending, rig.status().set_aside), (0, 1));
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    server.raise();
    comes_back(&mut server, &mut rig);
    assert_eq!((server.text(), rig.session.value()), (vec!["one".to_owned(), "two".to_owned()], server.doc.value()));
    assert!(!server.knows(5));
    assert_eq!((rig.status().pending, rig.status().set_aside, rig.status().saved), (0, 0, Saved::Server));
}

/// What a version that did not know the format has left is not counted when another tab has translated it.
#[test]
fn what_was_left_behind_and_translated_is_forgotten() {
    let mut server = Server::new(&[block("onetwo")], true);
    let store = MemoryStore::new();
    let mut rig = away(&mut server, "s", 5, store.clone());
    let mut old = Rig::open(config("old", 8), MemoryStore::new());
    old.feed(Input::TabUpdate { update: rig.session.encode_state(None).expect("a state"), epoch: None, kept: true });
    types(&mut old, vec![insert(&[0, 0], 6, "Ada")]);
    let update = old.session.export_outbox().expect("sound");
    let key = PendingKey { session: "old".into(), seq: 1 };
    store.write_now("d", &[Write::Edit { key, update: update.clone() }]).expect("written");
    rig.feed(Input::TabUpdate { update, epoch: Some("e".into()), kept: true });
    server.raise();
    comes_back(&mut server, &mut rig);
    assert_eq!(server.text(), ["onetwoAda"]);
    is_settled(&server, &rig);
    let next = Rig::open(knowing("t", 6), store);
    assert_eq!((next.status().set_aside, next.session.value()), (0, server.doc.value()));
    // Nobody had to close for that.
    assert!(!rig.take().contains(&Output::CloseSocket { code: close::FORMAT }));
}

/// The device's log is gone, and what was typed since is all it has: made for a document of format 1, which is not here. It
/// waits, and goes as it is; there is nothing to translate.
#[test]
fn what_stands_upon_a_lost_log_is_sent_as_it_is() {
    for durable in [true, false] {
        let mut server = Server::new(&[block("one"), block("last")], durable);
        server.raise();
        let store = MemoryStore::new();
        let mut rig = away(&mut server, "s", 5, store.clone());
        store.write_now(rig.name.as_str(), &[Write::Delete]).expect("deleted");
        types(&mut rig, vec![insert(&[0, 0], 3, "Ada")]);
        types(&mut rig, split(0, 3));
        types(&mut rig, vec![Op::RemoveText { path: path(&[2, 0]), offset: 0, text: "la".into() }]);
        drop(rig);
        let mut next = Rig::open(knowing("t", 6), store.clone());
        assert_eq!((next.session.value(), next.status().pending > 0), (Vec::new(), true));
        comes_back(&mut server, &mut next);
        assert_eq!(server.text(), ["one", "Ada", "st"], "durable {durable}");
        is_settled(&server, &next);
        assert!(server.knows(5), "under its own ids");
        next.pass(5_000);
        let again = Rig::open(knowing("u", 7), store);
        assert_eq!((again.session.value(), again.status().pending), (server.doc.value(), 0));
    }
}

/// A tab whose store fails has nothing of the document, and hears from another of what that one could not store either.
#[test]
fn what_another_tab_could_not_store_is_sent_as_it_is() {
    let mut server = Server::new(&[block("one"), block("two")], true);
    server.raise();
    let mut other = away(&mut server, "s", 5, MemoryStore::new());
    types(&mut other, vec![insert(&[0, 0], 3, "Ada")]);
    let update = other.session.export_outbox().expect("sound");
    let failing = MemoryStore::new();
    failing.set_fault(Some(StoreError::Closed("gone".into())));
    let mut rig = Rig::open(knowing("t", 6), failing);
    rig.feed(Input::TabUpdate { update, epoch: Some("e".into()), kept: false });
    assert_eq!((rig.session.value(), rig.status().pending), (Vec::new(), 1));
    server.acked = 0;
    server.greet(&mut rig);
    server.serve(&mut rig);
    assert_eq!(server.text(), ["oneAda", "two"]);
    assert_eq!((rig.status().pending, rig.session.value()), (0, server.doc.value()));
}

/// Both: edits by copy, which are translated, and another tab's for the document as it has become.
#[test]
fn beside_what_is_translated_another_tabs_edits_stay_as_they_are() {
    let mut server = Server::new(&[block("onetwo"), block("last")], true);
    let mut rig = away(&mut server, "s", 5, MemoryStore::new());
    types(&mut rig, split(0, 3));
    server.raise();
    server.edit(vec![Op::InsertNode { path: path(&[2]), node: block("new") }]);
    let mut other = away(&mut server, "t", 6, MemoryStore::new());
    types(&mut other, vec![insert(&[2, 0], 3, "Ben")]);
    let update = other.session.export_outbox().expect("sound");
    rig.feed(Input::TabUpdate { update, epoch: Some("e".into()), kept: false });
    comes_back(&mut server, &mut rig);
    assert_eq!(server.text(), ["one", "two", "last", "newBen"]);
    is_settled(&server, &rig);
    assert!(!server.knows(5) && server.knows(6));
}

/// The device's copy turns out to be of the server's format while the server is asked for all: what another tab is about to
/// send is not translated, or it would be there twice.
#[test]
fn a_copy_that_loads_late_leaves_nothing_to_translate() {
    let mut server = Server::new(&[block("one"), block("two")], true);
    server.raise();
    let store = MemoryStore::new();
    let mut other = away(&mut server, "s", 5, store.clone());
    store.set_fault(Some(StoreError::Failed("odd".into())));
    let mut rig = Rig::open(knowing("t", 6), store.clone());
    types(&mut other, vec![insert(&[0, 0], 3, "Ada")]);
    let update = other.session.export_outbox().expect("sound");
    rig.feed(Input::TabUpdate { update, epoch: Some("e".into()), kept: false });
    server.acked = 0;
    server.greet(&mut rig);
    store.set_fault(None);
    rig.pass(2_000);
    assert_eq!(rig.session.value(), other.session.value());
    server.serve(&mut rig);
    comes_back(&mut server, &mut other);
    assert_eq!(server.text(), ["oneAda", "two"]);
    assert_eq!((rig.status().pending, rig.status().divergences), (0, 0));
}
